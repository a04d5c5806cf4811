/**
 * The calls of one session to its bots, one after the other. How turns ended travels with whatever is asked next, else
 * with a call of another session of the process: only that may come before the call that told of their beginning.
 */
import type { BotSpec } from '../bots/spec.ts';
import type { BotRef } from '../protocol/values.ts';
import type { SessionAnswer, SessionCall, SessionReport, TurnClaim, TurnReport } from './bot-rpc.ts';
import { inTime } from './in-time.ts';
import type { SessionPorts } from './ports.ts';
import type { ReportGroup, Reporter } from './shared-reports.ts';

/** A bot that does not answer in this time is asked again: shorter than a lease, so that it can be renewed twice. */
const CALL_TIMEOUT_MS = 2_000;
const BOT_SILENT = 'The bot did not answer in time.';
/** Between two calls to a bot that has not said otherwise. */
const HEARTBEAT_MS = 1_000;
/** How long what is only counted waits for a call to travel with. */
const REPORT_DELAY_MS = 1_000;
/** Reports that wait for a bot that cannot be reached; older ones are given up, they are only counted. */
const MAX_REPORTS = 100;
/** Bots that a session remembers: its own and those named in messages. */
const MAX_BOTS = 16;

/** What a session says of itself in every call to `bot`; what it counts is counted from the call before. */
export type CallFacts = (bot: string) => Omit<SessionCall, 'bot' | 'claim' | 'ended' | 'revision'>;

interface Known {
  ref: BotRef;
  spec: BotSpec | null;
  revision: number;
  heartbeatMs: number;
  ended: TurnReport[];
  /** The bot has not heard yet that a turn which waited, or held a slot, is gone. */
  left: boolean;
  /** Something is to be told even if nothing is asked. */
  cancelReport: (() => void) | null;
}

export class BotCalls implements Reporter {
  readonly #ports: SessionPorts<unknown>;
  readonly #facts: CallFacts;
  readonly #onExcess: (connections: number) => void;
  readonly #known = new Map<string, Known>();
  /** The call under way and those behind it. Never rejects. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Calls that have not ended, and those that wait for them. */
  #pending = 0;

  /** `onExcess`: so many of the session's connections are too many for its user. */
  constructor(ports: SessionPorts<unknown>, facts: CallFacts, onExcess: (connections: number) => void) {
    this.#ports = ports;
    this.#facts = facts;
    this.#onExcess = onExcess;
  }

  /** What the bot's last 'go' said; revision -1 before the first. */
  known(bot: BotRef): { spec: BotSpec | null; revision: number } {
    return this.#of(bot);
  }

  /** Whether a turn may begin unasked; if so, with what `known` says from then on. */
  takeLeave(bot: BotRef): boolean {
    const known = this.#of(bot);
    const leave = this.#ports.leaves.of(bot.id, this.#ports.now());
    // Somebody else's may be older than what was learned here.
    if (!leave || leave.revision < known.revision) return false;
    const { spec, revision, heartbeatMs } = leave;
    Object.assign(known, { spec, revision, heartbeatMs });
    return true;
  }

  heartbeatMs(bot: BotRef): number {
    return this.#of(bot).heartbeatMs;
  }

  /**
   * `claim` is asked for when the call is made: at once where none is under way, so that it leaves before what is
   * written next, else later; and so is `others`, what it is to say for other sessions.
   * @throws what the bot's object throws, or that it is late
   */
  call(
    bot: BotRef,
    claim: () => TurnClaim | null,
    others: () => readonly SessionReport[] = () => [],
  ): Promise<SessionAnswer> {
    const call = (): Promise<SessionAnswer> => this.#call(bot, claim(), others);
    const answer = this.#pending === 0 ? call() : this.#queue.then(call);
    this.#pending += 1;
    const ended = (): void => void (this.#pending -= 1);
    this.#queue = answer.then(ended, ended);
    return answer;
  }

  /** A turn ended. `isAwaited`: others may begin because of it. A failure is told at once: the endpoint may be gone. */
  ended(bot: BotRef, report: TurnReport, isAwaited: boolean): void {
    const known = this.#of(bot);
    known.ended.push(report);
    if (known.ended.length > MAX_REPORTS) known.ended.shift();
    if (report.outcome === 'failed') this.#ports.leaves.end(bot.id, this.#ports.now());
    if (isAwaited || report.outcome === 'failed') this.#reportIn(known, 0);
    else this.#reportTogether(bot);
  }

  /** The turn that waited or ran does not any more. */
  leave(bot: BotRef): void {
    const known = this.#of(bot);
    known.left = true;
    this.#reportIn(known, 0);
  }

  /** Something that is counted has changed. */
  reportSoon(bot: BotRef): void {
    this.#reportIn(this.#of(bot), REPORT_DELAY_MS);
  }

  #reportIn(known: Known, ms: number): void {
    if (known.cancelReport && ms > 0) return;
    known.cancelReport?.();
    known.cancelReport = this.#ports.setTimer(() => {
      known.cancelReport = null;
      // A report that is lost is asked for by nobody; what it ended ends by its lease.
      this.call(known.ref, () => null).catch(() => undefined);
    }, ms);
  }

  /** Whoever is the first to have something to tell calls a second later, for all that still have. */
  #reportTogether(ref: BotRef): void {
    const { sharedReports: reports } = this.#ports;
    const now = this.#ports.now();
    const group = reports.add(ref.id, this, now, now + REPORT_DELAY_MS);
    if (!group) return;
    this.#ports.setTimer(() => {
      reports.close(ref.id, group);
      this.#callFor(ref, group);
    }, REPORT_DELAY_MS);
  }

  #callFor(ref: BotRef, { reporters }: ReportGroup): void {
    const having = (): Reporter[] => [...reporters].filter((reporter) => reporter.hasReport(ref.id));
    if (having().length === 0) return;
    let taken: { reporter: Reporter; report: SessionReport }[] = [];
    const others = (): SessionReport[] => {
      taken = having().map((reporter) => ({ reporter, report: reporter.takeReport(ref.id) }));
      return taken.map(({ report }) => report);
    };
    this.call(ref, () => null, others).catch(() => {
      for (const { reporter, report } of taken) reporter.keepReport(ref.id, report);
    });
  }

  hasReport(bot: string): boolean {
    const known = this.#known.get(bot);
    return known !== undefined && known.ended.length > 0 && known.cancelReport === null;
  }

  takeReport(bot: string): SessionReport {
    const known = this.#known.get(bot);
    const ended = known?.ended ?? [];
    if (known) known.ended = [];
    const { session, rowsWritten, undeliveredMs, restarts, silentCloses } = this.#facts(bot);
    return { session, ended, rowsWritten, undeliveredMs, restarts, silentCloses };
  }

  keepReport(bot: string, { ended }: Pick<SessionReport, 'ended'>): void {
    const known = this.#known.get(bot);
    if (known) known.ended = [...ended, ...known.ended].slice(-MAX_REPORTS);
  }

  async #call(bot: BotRef, claim: TurnClaim | null, others: () => readonly SessionReport[]): Promise<SessionAnswer> {
    const known = this.#of(bot);
    known.cancelReport?.();
    known.cancelReport = null;
    const { ended, left, revision } = known;
    known.ended = [];
    known.left = false;
    const own = { ...this.#facts(bot.id), bot, claim, ended, revision, ...(left ? { left } : {}) };
    const call: SessionCall = { ...own, others: others() };
    const askedAt = this.#ports.now();
    try {
      const answer = await inTime(this.#ports, this.#ports.attend(bot.id, call), CALL_TIMEOUT_MS, BOT_SILENT);
      this.#learn(known, answer, askedAt);
      if (answer.excess !== undefined) this.#onExcess(answer.excess);
      return answer;
    } catch (error) {
      this.keepReport(bot.id, own);
      known.left ||= left;
      this.#ports.leaves.end(bot.id, this.#ports.now());
      throw error;
    }
  }

  #learn(known: Known, answer: SessionAnswer, askedAt: number): void {
    const { leaves } = this.#ports;
    const { id } = known.ref;
    if (answer.do === 'nothing') return;
    if (answer.do !== 'go') return leaves.end(id, this.#ports.now());
    const { revision, callAgainMs: heartbeatMs, spec = known.spec } = answer;
    known.heartbeatMs = heartbeatMs;
    // A definition that was left out is the one that the call named: by now another may be known here.
    if (answer.spec === undefined && revision !== known.revision) return;
    known.revision = revision;
    known.spec = spec;
    if (answer.unasked) leaves.give(id, { from: askedAt, until: askedAt + heartbeatMs, spec, revision, heartbeatMs });
    else leaves.end(id, this.#ports.now());
  }

  #of(ref: BotRef): Known {
    const known = this.#known.get(ref.id);
    if (known) return known;
    if (this.#known.size >= MAX_BOTS) this.#forgetOne();
    const made: Known = {
      ref,
      spec: null,
      revision: -1,
      heartbeatMs: HEARTBEAT_MS,
      ended: [],
      left: false,
      cancelReport: null,
    };
    this.#known.set(ref.id, made);
    return made;
  }

  /** The one that was met first, of those that are to be told nothing if there are any. */
  #forgetOne(): void {
    const silent = [...this.#known].filter(([, { cancelReport }]) => cancelReport === null);
    const [id] = silent.find(([, { ended }]) => ended.length === 0) ?? silent[0] ?? [];
    if (id !== undefined) this.#known.delete(id);
  }
}
