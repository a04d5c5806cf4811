/**
 * One ticker for all paced streams: at 1,000 streams of 10 ms a token, timers of their own
 * would cost more than the writes. A tick writes all that is due, several tokens at once if
 * need be; when ticks themselves become the load they are spread out, so that the simulator
 * slows down in smoothness, never in tokens a second.
 */

const TICK_MS = 5;
const MAX_TICK_MS = 50;
/** Ticks may take at most a third of the time. */
const REST_PER_WORK = 2;

export interface Paced {
  /** `performance.now()` at which `advance` has something to do. */
  readonly dueAtMs: number;
  advance(nowMs: number): void;
}

export class Pace {
  readonly #waiting = new Set<Paced>();
  /** Set from the moment a tick is planned until its work is done. */
  #timer: ReturnType<typeof setTimeout> | null = null;

  add(paced: Paced): void {
    this.#waiting.add(paced);
    if (this.#timer === null) this.#schedule(TICK_MS);
  }

  remove(paced: Paced): void {
    this.#waiting.delete(paced);
  }

  stop(): void {
    this.#waiting.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => this.#tick(), delayMs);
  }

  #tick(): void {
    const startMs = performance.now();
    for (const paced of this.#waiting) {
      if (paced.dueAtMs > startMs) continue;
      // It adds itself again when it has to wait again.
      this.#waiting.delete(paced);
      paced.advance(startMs);
    }
    // The sockets are written to after this function: the work is over one turn later.
    setImmediate(() => {
      this.#timer = null;
      const workMs = performance.now() - startMs;
      if (this.#waiting.size > 0) this.#schedule(Math.min(MAX_TICK_MS, Math.max(TICK_MS, workMs * REST_PER_WORK)));
    });
  }
}
