/** Brings what lists and metrics show of a bot to D1: soon after a change of state, else now and then. Never in anybody's way. */
import type { StoredBot } from '../history/bots.ts';
import { describeError } from '../metrics/describe-error.ts';
import type { BotPorts } from './bot-ports.ts';
import type { AuditEntry } from './bot-rpc.ts';
import { D1_CALL_TIMEOUT_MS, D1_SILENT, d1RetryMs, inTime } from './in-time.ts';

/** Counters are copied at most this often. */
const COUNTERS_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

export interface CopySource {
  /** The row as it is now, and the entries that D1 lacks; keeps what it says before it is copied. */
  take(version: number): { row: StoredBot; entries: readonly AuditEntry[] };
  /** D1 has the log up to `seq`. */
  copied(seq: number): void;
  hasUncopied(): boolean;
}

export class BotCopies {
  readonly #source: CopySource;
  readonly #ports: BotPorts;
  /** When a copy is wanted (ms since 1970); null: D1 has all that it should. */
  #dueAt: number | null = null;
  #retryAt = 0;
  #failures = 0;
  #lastAt = 0;
  #version = 0;
  #underWay: Promise<void> | null = null;

  constructor(source: CopySource, ports: BotPorts) {
    this.#source = source;
    this.#ports = ports;
    if (source.hasUncopied()) this.#dueAt = ports.now();
  }

  /** Something that lists show has changed. */
  changed(): void {
    this.#dueAt = Math.min(this.#dueAt ?? Infinity, this.#ports.now());
  }

  /** Something was counted. */
  counted(): void {
    this.#dueAt ??= Math.max(this.#ports.now(), this.#lastAt + COUNTERS_EVERY_MS);
  }

  nextAt(now: number): number | null {
    // Looked after until D1 has it: what ends with its process is begun again by the next alarm.
    if (this.#underWay) return now + LOOK_EVERY_MS;
    return this.#dueAt === null ? null : Math.max(this.#dueAt, this.#retryAt);
  }

  step(now: number): void {
    // The process before left an alarm, perhaps for a copy that it did not come to.
    if (this.#lastAt === 0) this.changed();
    const due = this.nextAt(now);
    if (due !== null && due <= now) void this.copy();
  }

  /** Resolves when D1 has what is wanted now, or could not take it. Never rejects. */
  async settle(): Promise<void> {
    if (this.#underWay) await this.#underWay;
    const now = this.#ports.now();
    const due = this.nextAt(now);
    if (due !== null && due <= now) await this.copy();
  }

  copy(): Promise<void> {
    this.#underWay ??= this.#copy().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #copy(): Promise<void> {
    this.#dueAt = null;
    const now = this.#ports.now();
    this.#lastAt = now;
    this.#version = Math.max(this.#version + 1, now);
    try {
      const { row, entries } = this.#source.take(this.#version);
      await inTime(this.#ports, this.#ports.publish(row, entries), D1_CALL_TIMEOUT_MS, D1_SILENT);
      this.#failures = 0;
      this.#retryAt = 0;
      const last = entries.at(-1);
      if (last) this.#source.copied(last.seq);
      if (this.#source.hasUncopied()) this.changed();
    } catch (error) {
      this.#retryAt = this.#ports.now() + d1RetryMs(this.#failures);
      this.#failures += 1;
      this.changed();
      this.#ports.report('bot_copy_failed', { tries: this.#failures, ...describeError(error) });
    }
  }
}
