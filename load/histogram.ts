/** Latencies in an HDR histogram: percentiles to three digits, however many values. */
import { build, type Histogram } from 'hdr-histogram-js';

const MICROSECONDS_PER_MS = 1_000;
/** Longer than any wait that a driver allows. */
const HIGHEST_MICROSECONDS = 120 * 1_000_000;

/** Upper bounds of the classes that distributions are shown in; what is above the last is a class of its own. */
export const CLASS_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000];

export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
  });
  readonly #classes = Array.from({ length: CLASS_BOUNDS_MS.length + 1 }, () => 0);
  #min = Infinity;

  static of(values: Iterable<number>): Latencies {
    const latencies = new Latencies();
    for (const ms of values) latencies.record(ms);
    return latencies;
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** @param ms what is above the histogram's range counts as its highest value; NaN is none */
  record(ms: number): void {
    if (Number.isNaN(ms)) return;
    const microseconds = Math.max(1, Math.round(ms * MICROSECONDS_PER_MS));
    this.#histogram.recordValue(Math.min(HIGHEST_MICROSECONDS, microseconds));
    const bound = CLASS_BOUNDS_MS.findIndex((upper) => ms < upper);
    const index = bound === -1 ? CLASS_BOUNDS_MS.length : bound;
    this.#classes[index] = (this.#classes[index] ?? 0) + 1;
    this.#min = Math.min(this.#min, ms);
  }

  /** In ms, as the others below; null while nothing was recorded. */
  percentile(percent: number): number | null {
    return this.count === 0 ? null : this.#histogram.getValueAtPercentile(percent) / MICROSECONDS_PER_MS;
  }

  get mean(): number | null {
    return this.count === 0 ? null : this.#histogram.mean / MICROSECONDS_PER_MS;
  }

  get min(): number | null {
    return this.count === 0 ? null : this.#min;
  }

  get max(): number | null {
    return this.count === 0 ? null : this.#histogram.maxValue / MICROSECONDS_PER_MS;
  }

  /** The share, 0 to 1, of each class of `CLASS_BOUNDS_MS`, and of what is above. */
  get shares(): number[] {
    return this.#classes.map((count) => (this.count === 0 ? 0 : count / this.count));
  }
}
