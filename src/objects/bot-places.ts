/** Places in the line. Sorting a long line for everybody who asks would cost more than the line is worth: it is looked at now and then. */
import type { FairLine } from '../bots/line.ts';

/** Up to so many turns the order is always exact. */
const SHORT_LINE = 100;
const STALE_AFTER_MS = 500;

export class Places {
  readonly #line: FairLine;
  #places = new Map<string, number>();
  #version = -1;
  #at = 0;

  constructor(line: FairLine) {
    this.#line = line;
  }

  /** From 1; 0 for who does not wait. */
  of(session: string, now: number): number {
    if (!this.#line.waits(session)) return 0;
    const isStale = this.#version !== this.#line.version;
    if (isStale && (this.#line.waiting <= SHORT_LINE || now - this.#at >= STALE_AFTER_MS)) {
      this.#places = new Map(this.#line.order().map((entry, index) => [entry.session, index + 1]));
      this.#version = this.#line.version;
      this.#at = now;
    }
    return this.#places.get(session) ?? this.#line.waiting;
  }
}
