/**
 * All deadlines of one answer on one timer. Starting to wait only notes a time; the timer looks
 * again when it fires. So a token costs a comparison, not a timer.
 */
import { TurnFailure } from './port.ts';
import type { Deadlines } from './port.ts';
import type { TurnErrorCode } from '../protocol/codes.ts';

/** The longest delay that setTimeout takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Watchdog {
  readonly #deadlines: Deadlines;
  readonly #onExpired: (failure: TurnFailure) => void;
  /** Points in time, in ms of the monotonic clock; Infinity while a deadline does not apply. */
  #askBy = Infinity;
  #connectBy = Infinity;
  #firstTokenBy: number;
  #idleBy = Infinity;
  readonly #totalBy: number;
  #onLateHeaders: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;
  #stopped = false;

  /** The first-token and the total deadline run from now, and are looked after from `connecting` on; `onExpired` is called at most once. */
  constructor(deadlines: Deadlines, onExpired: (failure: TurnFailure) => void) {
    this.#deadlines = deadlines;
    this.#onExpired = onExpired;
    const now = performance.now();
    this.#firstTokenBy = now + deadlines.firstTokenTimeoutMs;
    this.#totalBy = now + deadlines.totalTimeoutMs;
  }

  /** A request goes out. When half of the time to connect is over, `onLateHeaders` is called once. */
  connecting(onLateHeaders: () => void): void {
    const now = performance.now();
    this.#onLateHeaders = onLateHeaders;
    this.#askBy = now + this.#deadlines.connectTimeoutMs / 2;
    this.#connectBy = now + this.#deadlines.connectTimeoutMs;
    this.#arm(now);
  }

  /** The endpoint is there, or this try to reach it is over. */
  connected(): void {
    this.#askBy = Infinity;
    this.#connectBy = Infinity;
  }

  /** A piece was given to the reader. Until `waiting` the pause is the reader's own and costs nothing. */
  progressed(): void {
    this.#firstTokenBy = Infinity;
    this.#idleBy = Infinity;
  }

  /** The reader wants the next piece. */
  waiting(): void {
    const now = performance.now();
    this.#idleBy = now + this.#deadlines.idleTimeoutMs;
    this.#arm(now);
  }

  /** How long a pause before another try may be without missing a deadline. */
  spareMs(): number {
    return Math.min(this.#firstTokenBy, this.#totalBy) - performance.now();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #earliest(): number {
    return Math.min(this.#askBy, this.#connectBy, this.#firstTokenBy, this.#idleBy, this.#totalBy);
  }

  /** A timer that fires too early looks again, so only an earlier deadline needs a new one. */
  #arm(now: number): void {
    const earliest = this.#earliest();
    if (this.#stopped || earliest >= this.#firesAt) return;
    clearTimeout(this.#timer);
    this.#firesAt = earliest;
    this.#timer = setTimeout(() => this.#look(), Math.min(MAX_TIMER_MS, Math.ceil(earliest - now)));
  }

  #look(): void {
    const now = performance.now();
    this.#firesAt = Infinity;
    const earliest = this.#earliest();
    if (earliest <= now && earliest !== this.#askBy) {
      this.#stopped = true;
      this.#onExpired(this.#expired(earliest));
      return;
    }
    if (this.#askBy <= now) {
      this.#askBy = Infinity;
      this.#onLateHeaders();
    }
    this.#arm(now);
  }

  #expired(deadline: number): TurnFailure {
    const { connectTimeoutMs, firstTokenTimeoutMs, idleTimeoutMs, totalTimeoutMs } = this.#deadlines;
    switch (deadline) {
      case this.#connectBy:
        return expiry('connect_timeout', 'The endpoint did not answer within', connectTimeoutMs);
      case this.#firstTokenBy:
        return expiry('first_token_timeout', 'The model did not begin to answer within', firstTokenTimeoutMs);
      case this.#idleBy:
        return expiry('idle_timeout', 'In the middle of the answer the model was silent for', idleTimeoutMs);
      default:
        return expiry('total_timeout', 'The answer was not complete within', totalTimeoutMs);
    }
  }
}

function expiry(code: TurnErrorCode, sentence: string, timeoutMs: number): TurnFailure {
  const seconds = timeoutMs / 1_000;
  return new TurnFailure(code, `${sentence} ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`);
}
