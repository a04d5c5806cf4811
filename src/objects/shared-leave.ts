/**
 * Leave that a bot without limits has given lately, for all sessions of this process: what one of them was told holds
 * for the others, too. A thousand people who speak now and then ask their bot once a second together, instead of
 * before each turn. Nothing but memory: another process asks for itself.
 */
import type { BotSpec } from '../bots/spec.ts';

export interface SharedLeave {
  /** Turns may begin unasked from the one moment up to the other (ms since 1970). */
  from: number;
  until: number;
  /** What they are begun with; `spec` null: as configuration defines the bot. */
  spec: BotSpec | null;
  revision: number;
  /** How soon a turn that runs is to call. */
  heartbeatMs: number;
}

/** Bots whose leave is remembered. */
const MAX_BOTS = 1_000;

export class SharedLeaves {
  readonly #leaves = new Map<string, SharedLeave>();
  /** When each was ended last (ms since 1970): what was asked before may be answered after. */
  readonly #endedAt = new Map<string, number>();

  /** What may be used at `now`; null: the bot is to be asked. */
  of(bot: string, now: number): SharedLeave | null {
    const leave = this.#leaves.get(bot);
    if (!leave || now < leave.from || now >= leave.until) return null;
    // From here on a clock that is put back ends it: else it would last longer.
    leave.from = now;
    return leave;
  }

  /** Ignored where it was asked for before another one was ended, or stands behind a newer definition. */
  give(bot: string, leave: SharedLeave): void {
    if (leave.from <= (this.#endedAt.get(bot) ?? -Infinity)) return;
    const standing = this.#leaves.get(bot);
    if (standing && standing.until > leave.from && standing.revision > leave.revision) return;
    if (!this.#leaves.has(bot) && this.#leaves.size >= MAX_BOTS) this.#leaves.clear();
    this.#leaves.set(bot, { ...leave });
  }

  /** The bot is to be asked again. */
  end(bot: string, now: number): void {
    this.#leaves.delete(bot);
    if (!this.#endedAt.has(bot) && this.#endedAt.size >= MAX_BOTS) this.#endedAt.clear();
    this.#endedAt.set(bot, now);
  }
}

/** Those of this process. */
export const sharedLeaves = new SharedLeaves();
