/** Memory over time, without the garbage that the server's runtime has not collected yet. */
import type { Isolates } from '../lab/isolates.ts';

/** After so long everything that runs has collected its garbage, and the runtime has given it back. */
const COLLECTED_MS = 3_000;

export class InUseWatch {
  readonly #isolates: Pick<Isolates, 'collect'>;
  readonly #residentBytes: () => number | null;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #samples: [second: number, bytes: number][] = [];

  constructor(isolates: Pick<Isolates, 'collect'>, residentBytes: () => number | null, everySeconds: number) {
    this.#isolates = isolates;
    this.#residentBytes = residentBytes;
    this.#timer = setInterval(() => this.#collect(), everySeconds * 1_000);
    this.#timer.unref();
  }

  /** Bytes by the seconds since it began. */
  end(): readonly (readonly [second: number, bytes: number])[] {
    clearInterval(this.#timer);
    return this.#samples;
  }

  #collect(): void {
    this.#isolates.collect();
    const timer = setTimeout(() => {
      const bytes = this.#residentBytes();
      if (bytes !== null) this.#samples.push([(performance.now() - this.#startedAt) / 1_000, bytes]);
    }, COLLECTED_MS);
    timer.unref();
  }
}
