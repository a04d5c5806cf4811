/** At most `parallel` generations at a time; the others wait in the order they came. */

interface Ticket {
  /** Leaves the queue, or frees the slot for the next in line. Harmless when repeated. */
  release(): void;
}

export class Slots {
  readonly #parallel: number;
  readonly #maxQueue: number;
  /** A Set keeps the order of arrival and forgets from the middle at no cost. */
  readonly #queue = new Set<Waiting>();
  #running = 0;

  constructor(parallel: number, maxQueue: number) {
    this.#parallel = parallel;
    this.#maxQueue = maxQueue;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Calls `start` now or when it is its turn; null when the queue is full. */
  take(start: () => void): Ticket | null {
    const waiting: Waiting = { start, state: 'queued' };
    if (this.#running < this.#parallel) {
      this.#run(waiting);
    } else if (this.#queue.size < this.#maxQueue) {
      this.#queue.add(waiting);
    } else {
      return null;
    }
    return { release: () => this.#release(waiting) };
  }

  #run(waiting: Waiting): void {
    waiting.state = 'running';
    this.#running += 1;
    waiting.start();
  }

  #release(waiting: Waiting): void {
    const { state } = waiting;
    waiting.state = 'released';
    if (state === 'queued') this.#queue.delete(waiting);
    if (state !== 'running') return;
    this.#running -= 1;
    this.#next();
  }

  #next(): void {
    const [next] = this.#queue;
    if (next === undefined || this.#running >= this.#parallel) return;
    this.#queue.delete(next);
    this.#run(next);
  }
}

interface Waiting {
  readonly start: () => void;
  state: 'queued' | 'running' | 'released';
}
