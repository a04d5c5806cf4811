import type { Clock } from '../../../src/client/types.ts';

/** Lets everything that waits on resolved promises run. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 30; round += 1) await Promise.resolve();
}

/** Time that moves when the test says so. */
export class VirtualClock implements Clock {
  time = 1_000_000;
  /** What `random` answers. */
  chance = 0.5;
  timersSet = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  random(): number {
    return this.chance;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.time + delayMs, callback };
    this.timersSet += 1;
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  get armed(): number {
    return this.#timers.length;
  }

  /** Moves time on, firing timers in their order. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    await settle();
    for (;;) {
      const timer = this.#timers.toSorted((one, other) => one.at - other.at)[0];
      if (!timer || timer.at > until) break;
      this.time = Math.max(this.time, timer.at);
      this.#timers = this.#timers.filter((other) => other !== timer);
      timer.callback();
      await settle();
    }
    this.time = until;
  }

  /** Time passes while timers do not run, as in a sleeping laptop or a throttled tab; then all that are due run. */
  async sleep(ms: number): Promise<void> {
    this.time += ms;
    await this.advance(0);
  }
}
