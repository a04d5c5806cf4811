/** Brings the log to D1: in batches, in order, again after every failure, never in the way of the chat. */
import type { SessionLog, SessionRow } from '../log/session-log.ts';
import { describeError } from '../metrics/describe-error.ts';
import { D1_CALL_TIMEOUT_MS, D1_SILENT, d1RetryMs, inTime } from './in-time.ts';
import type { SessionPorts } from './ports.ts';

/** Records and characters in one delivery. */
const BATCH_RECORDS = 100;
const BATCH_LENGTH = 512 * 1024;
/** This many records are delivered at once, without waiting for a quiet moment. */
const EAGER_RECORDS = 64;
/**
 * How long after the last record a session delivers. Who speaks again and again has several turns in one delivery. Who
 * speaks now and then would only be kept awake in vain, which is billed: there an answer ends what travels together.
 */
const SETTLE_MS = { again: 1_000, seldom: 100 };
/** The longest a record waits while the session is busy. */
const MAX_LAG_MS = 10_000;

export class Delivery {
  readonly #log: SessionLog;
  readonly #ports: SessionPorts<unknown>;
  readonly #onRecovered: () => void;
  readonly session: SessionRow;
  /** What comes after it is sent next: in a new process also the last few that D1 has. */
  #sent: number;
  #underWay: Promise<void> | null = null;
  #forgetting: Promise<number | null> | null = null;
  #failures = 0;
  #retryAt = 0;
  /** When the oldest and the newest undelivered record came; 0 when nothing is known yet, which makes them due. */
  #oldestAt = 0;
  #newestAt = 0;
  #settleMs = SETTLE_MS.seldom;

  /**
   * `onRecovered`: D1 took a batch again, after failures.
   * `settled`: up to here D1 has everything, for all that an absent alarm tells. What is noted says no more than where
   * to begin: it is seldom written, and should an alarm ever be lost, its records travel with the next.
   */
  constructor(log: SessionLog, ports: SessionPorts<unknown>, onRecovered: () => void, settled: number) {
    this.#log = log;
    this.#ports = ports;
    this.#onRecovered = onRecovered;
    this.session = log.session();
    this.#sent = this.session.delivered;
    this.session.delivered = Math.max(this.#sent, settled);
  }

  /** Notes that records were appended at `at`. */
  appended(at: number): void {
    if (this.#oldestAt === 0) {
      this.#oldestAt = at;
      this.#settleMs = at - this.#newestAt < SETTLE_MS.again ? SETTLE_MS.again : SETTLE_MS.seldom;
    }
    this.#newestAt = at;
  }

  /** How long the oldest record has waited, in ms; 0 when D1 has everything up to `head`. */
  lagMs(head: number, now: number): number {
    return head > this.session.delivered && this.#oldestAt > 0 ? now - this.#oldestAt : 0;
  }

  /** When the next delivery should run (ms since 1970), or null when D1 has everything up to `head`. */
  dueAt(head: number, busy: boolean): number | null {
    const waiting = head - this.session.delivered;
    if (waiting <= 0) return null;
    if (waiting >= EAGER_RECORDS) return this.#retryAt;
    const due = busy
      ? this.#oldestAt + MAX_LAG_MS
      : Math.min(this.#newestAt + this.#settleMs, this.#oldestAt + MAX_LAG_MS);
    return Math.max(due, this.#retryAt);
  }

  /** Delivers one batch, or waits for the one under way. Never throws: a failure moves the next try away. */
  deliver(): Promise<void> {
    this.#underWay ??= this.#deliverBatch().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  /** Delivers until D1 has the record at `seq`, unless a failure says to wait. Never throws. */
  async deliverUpTo(seq: number): Promise<void> {
    // Of a session that is erased meanwhile there is nothing to deliver: `seq` would never be reached.
    while (this.#lacks(seq) && this.#retryAt <= this.#ports.now()) await this.deliver();
  }

  #lacks(seq: number): boolean {
    return !this.session.removed && this.session.delivered < seq;
  }

  async #deliverBatch(): Promise<void> {
    try {
      const records = this.#log.after(this.#sent, BATCH_RECORDS, BATCH_LENGTH);
      const last = records.at(-1);
      if (!last) return;
      const startedAt = this.#ports.now();
      await inTime(this.#ports, this.#ports.deliver(this.session, records), D1_CALL_TIMEOUT_MS, D1_SILENT);
      this.#log.markDelivered(last.seq);
      this.#sent = last.seq;
      this.session.delivered = Math.max(this.session.delivered, last.seq);
      if (this.#failures > 0) this.#onRecovered();
      this.#failures = 0;
      this.#retryAt = 0;
      // What came while this batch was under way is at least as young as its start.
      this.#oldestAt = this.#newestAt >= startedAt ? startedAt : 0;
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * Erases the session from D1, or waits for the call under way. Never throws: returns when to try again, or null when
   * it is done.
   */
  forget(): Promise<number | null> {
    this.#forgetting ??= this.#forget().finally(() => {
      this.#forgetting = null;
    });
    return this.#forgetting;
  }

  async #forget(): Promise<number | null> {
    try {
      await inTime(this.#ports, this.#ports.forget(this.session), D1_CALL_TIMEOUT_MS, D1_SILENT);
      return null;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): number {
    this.#retryAt = this.#ports.now() + d1RetryMs(this.#failures);
    this.#failures += 1;
    this.#ports.report('delivery_failed', {
      session: this.session.id,
      tries: this.#failures,
      ...describeError(error),
    });
    return this.#retryAt;
  }
}
