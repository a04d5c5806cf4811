/** Virtual time: milliseconds since the run began, and everything that waits for a moment. */
export interface Timer {
  at: number;
  callback: () => void;
  owner: object;
}

export class Timeline {
  now = 0;
  #timers: Timer[] = [];

  /** Calls back once, `delayMs` from now; returns what cancels it. */
  after(delayMs: number, owner: object, callback: () => void): () => void {
    // Clocks count whole milliseconds; nothing fires before its time.
    const timer = { at: this.now + Math.max(0, Math.ceil(delayMs)), callback, owner };
    this.#timers.push(timer);
    return () => this.#remove(timer);
  }

  /** The timer that is due first; of two at the same moment the one that was set first. */
  next(): Timer | null {
    let first: Timer | null = null;
    for (const timer of this.#timers) if (!first || timer.at < first.at) first = timer;
    return first;
  }

  fire(timer: Timer): void {
    this.#remove(timer);
    this.now = Math.max(this.now, timer.at);
    timer.callback();
  }

  /** How many timers are set for `owner`. */
  countOf(owner: object): number {
    return this.#timers.reduce((count, timer) => (timer.owner === owner ? count + 1 : count), 0);
  }

  /** Whether a timer of `owner` is due just then. */
  hasAt(owner: object, at: number): boolean {
    return this.#timers.some((timer) => timer.owner === owner && timer.at === at);
  }

  drop(owner: object): void {
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner);
  }

  #remove(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }
}
