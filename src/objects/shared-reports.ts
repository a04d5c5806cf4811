/**
 * Sessions of this process that have to tell a bot how turns ended: one of them calls for all, instead of each by
 * itself. Nothing but memory: what is not told when the process ends is missing from the bot's counts.
 */
import type { SessionReport } from './bot-rpc.ts';

export interface Reporter {
  /** Whether it has something to tell the bot with this id, and no call of its own that is going to. */
  hasReport(bot: string): boolean;
  /** What that is; it counts as told. */
  takeReport(bot: string): SessionReport;
  /** What was taken did not arrive. */
  keepReport(bot: string, report: SessionReport): void;
}

export interface ReportGroup {
  /** When one of them calls (ms since 1970). */
  callAt: number;
  reporters: Set<Reporter>;
}

/** Sessions that one call speaks for: the bot hears them all before it answers anybody else. */
const MAX_REPORTERS = 500;
/** A session that did not call in time may be gone: the next one calls for its group, too. */
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
    const hasRoom = open && open.reporters.size < MAX_REPORTERS;
    if (isDue && hasRoom) {
      open.reporters.add(reporter);
      return null;
    }
    if (!open && this.#open.size >= MAX_BOTS) this.#open.clear();
    const group = { callAt, reporters: new Set(hasRoom ? [...open.reporters, reporter] : [reporter]) };
    this.#open.set(bot, group);
    return group;
  }

  /** Its call is about to be made: nobody joins it any more. */
  close(bot: string, group: ReportGroup): void {
    if (this.#open.get(bot) === group) this.#open.delete(bot);
  }
}

/** Those of this process. */
export const sharedReports = new SharedReports();
