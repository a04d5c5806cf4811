/**
 * Sessions of this process that have to tell a bot how turns ended: one of them calls for all, instead of each by
 * itself. Nothing but memory. What ends with its process was only to be counted.
 */
import type { SessionCall } from './bot-rpc.ts';

export interface Reporter {
  /** What it has to tell the bot with this id; null where a call of its own has told it meanwhile. */
  takeReport(bot: string): SessionCall | null;
  /** A call that was taken did not arrive. */
  keepReport(call: SessionCall): void;
}

export interface ReportGroup {
  /** When one of them calls (ms since 1970). */
  callAt: number;
  reporters: Set<Reporter>;
}

/** Sessions that one call speaks for: the bot hears them all before it answers anybody else. */
const MAX_REPORTERS = 500;
/** A session that did not call in time may be gone. */
const LATE_MS = 1_000;
/** Bots that are to be told something. */
const MAX_BOTS = 1_000;

export class SharedReports {
  /** Groups that others may still join, by bot. */
  readonly #open = new Map<string, ReportGroup>();

  /** The group for which the reporter is to call at `callAt`; null: somebody else is going to call for it. */
  add(bot: string, reporter: Reporter, now: number, callAt: number): ReportGroup | null {
    const open = this.#open.get(bot);
    // Later than any can be: the clock was put back meanwhile.
    const isDue = open && now < open.callAt + LATE_MS && open.callAt <= callAt;
    if (isDue && open.reporters.size < MAX_REPORTERS) {
      open.reporters.add(reporter);
      return null;
    }
    if (!open && this.#open.size >= MAX_BOTS) this.#open.clear();
    const group = { callAt, reporters: new Set([reporter]) };
    this.#open.set(bot, group);
    return group;
  }

  /** Whoever called for the group has something to tell anew. */
  close(bot: string, group: ReportGroup): void {
    if (this.#open.get(bot) === group) this.#open.delete(bot);
  }
}

/** Those of this process. */
export const sharedReports = new SharedReports();
