/**
 * Open loop: every message has a time at which it is to be sent, whatever became of those before it.
 * All latencies count from that time, so that neither a server that stalls nor a generator that is
 * late can hide a wait (a closed loop would simply ask less).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../test/support/random.ts';
import { monotonicMs } from '../clock.ts';
import { messageId, messageText } from '../message.ts';
import type { LoadUser } from '../user.ts';

/** A user and how many messages it has sent before. */
export interface Talker {
  number: number;
  user: LoadUser;
  sent: number;
}

export interface TalkPlan {
  /** On the machine's clock. */
  startAt: number;
  durationMs: number;
  /** From one message of a user to its next. */
  intervalMs: number;
  /** Decides when within the interval each user speaks. */
  seed: number;
  /** How long the last replies are waited for. */
  drainMs: number;
  /** For the simulator, within every message. */
  directive: string;
}

/** One row a message; times on the machine's clock, NaN for what did not happen. */
export interface TalkColumns {
  user: Float64Array;
  number: Float64Array;
  intendedAt: Float64Array;
  sentAt: Float64Array;
  ackAt: Float64Array;
  firstAt: Float64Array;
  replyAt: Float64Array;
  /** It was said that there will be no whole answer. */
  failedAt: Float64Array;
}

/**
 * How many were sent, answered, and said to fail; others are open, or lost. By the messages themselves: a connection that
 * is gone is no message, and says nothing of those that were open.
 */
export function tallyOf({ user, replyAt, failedAt }: Pick<TalkColumns, 'user' | 'replyAt' | 'failedAt'>) {
  const happened = (column: Float64Array): number => column.filter((at) => !Number.isNaN(at)).length;
  return { sent: user.length, answered: happened(replyAt), failed: happened(failedAt) };
}

const COLUMNS = ['user', 'number', 'intendedAt', 'sentAt', 'ackAt', 'firstAt', 'replyAt', 'failedAt'] as const;
const POLL_MS = 20;
/** Kept of the reasons why replies failed. */
const MAX_PROBLEMS = 20;

export interface TalkProgress {
  sent: number;
  acknowledged: number;
  answered: number;
  failed: number;
  /** The latest that a message was sent since this was asked last, in ms after its time. */
  worstLateMs: number;
}

export class Talk {
  readonly #talkers: readonly Talker[];
  readonly #plan: TalkPlan;
  readonly #columns: TalkColumns;
  readonly #rows = new Map<string, number>();
  readonly #problems = new Map<string, number>();
  #sent = 0;
  #acknowledged = 0;
  #answered = 0;
  #failed = 0;
  #worstLateMs = 0;

  constructor(talkers: readonly Talker[], plan: TalkPlan) {
    this.#talkers = talkers;
    this.#plan = plan;
    const most = talkers.length * Math.ceil(plan.durationMs / plan.intervalMs);
    const column = (): Float64Array => new Float64Array(most).fill(Number.NaN);
    this.#columns = {
      user: column(),
      number: column(),
      intendedAt: column(),
      sentAt: column(),
      ackAt: column(),
      firstAt: column(),
      replyAt: column(),
      failedAt: column(),
    };
  }

  /** What happened so far. */
  progress(): TalkProgress {
    const worstLateMs = this.#worstLateMs;
    this.#worstLateMs = 0;
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      answered: this.#answered,
      failed: this.#failed,
      worstLateMs,
    };
  }

  /** Sends everything at its time, then waits until all is answered, or for `drainMs`. */
  async run(): Promise<{ columns: TalkColumns; problems: Record<string, number> }> {
    this.#listen();
    await this.#sendAll();
    const until = monotonicMs() + this.#plan.drainMs;
    while (this.#rows.size > 0 && monotonicMs() < until) await sleep(POLL_MS);
    for (const name of COLUMNS) this.#columns[name] = this.#columns[name].slice(0, this.#sent);
    return { columns: this.#columns, problems: Object.fromEntries(this.#problems) };
  }

  #listen(): void {
    const { ackAt, firstAt, replyAt, failedAt } = this.#columns;
    const note = (column: Float64Array, id: string): boolean => {
      const row = this.#rows.get(id);
      if (row === undefined || !Number.isNaN(column[row])) return false;
      column[row] = monotonicMs();
      return true;
    };
    for (const { user } of this.#talkers) {
      user.listen({
        acknowledged: (id) => {
          if (note(ackAt, id)) this.#acknowledged += 1;
        },
        firstToken: (id) => void note(firstAt, id),
        replied: (id, _text, problem) => {
          if (problem !== null) {
            note(failedAt, id);
            this.#problem(problem);
          } else if (note(replyAt, id)) this.#answered += 1;
          this.#rows.delete(id);
        },
        gone: (problem) => this.#problem(problem),
      });
    }
  }

  #problem(problem: string): void {
    this.#failed += 1;
    if (this.#problems.size < MAX_PROBLEMS || this.#problems.has(problem)) {
      this.#problems.set(problem, (this.#problems.get(problem) ?? 0) + 1);
    }
  }

  async #sendAll(): Promise<void> {
    const { startAt, durationMs, intervalMs, seed } = this.#plan;
    const random = seeded(seed);
    // A user never speaks before its own interval is over; when within it, chance decides once.
    const order = this.#talkers
      .map((talker) => ({ talker, phase: random.next() * intervalMs }))
      .sort((a, b) => a.phase - b.phase);
    for (let from = startAt; ; from += intervalMs) {
      for (const { talker, phase } of order) {
        const at = from + phase;
        if (at >= startAt + durationMs) return;
        const waitMs = at - monotonicMs();
        if (waitMs > 0) await sleep(waitMs);
        this.#send(talker, at);
      }
      if (order.length === 0) return;
    }
  }

  #send(talker: Talker, intendedAt: number): void {
    const { user, number } = talker;
    const own = talker.sent;
    talker.sent += 1;
    const row = this.#sent;
    this.#sent += 1;
    const id = messageId(number, own);
    const sentAt = monotonicMs();
    this.#columns.user[row] = number;
    this.#columns.number[row] = own;
    this.#columns.intendedAt[row] = intendedAt;
    this.#columns.sentAt[row] = sentAt;
    this.#worstLateMs = Math.max(this.#worstLateMs, sentAt - intendedAt);
    this.#rows.set(id, row);
    user.send(id, messageText(number, own, this.#plan.directive));
  }
}
