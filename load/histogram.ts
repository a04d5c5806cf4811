/** Latencies in an HDR histogram: percentiles to three digits, however many values. */
import { build, type Histogram } from 'hdr-histogram-js';

const MICROSECONDS_PER_MS = 1_000;
/** Longer than any wait that a driver allows. */
const HIGHEST_MICROSECONDS = 120 * 1_000_000;

export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
  });

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** @param ms what is above the histogram's range counts as its highest value */
  record(ms: number): void {
    const microseconds = Math.max(1, Math.round(ms * MICROSECONDS_PER_MS));
    this.#histogram.recordValue(Math.min(HIGHEST_MICROSECONDS, microseconds));
  }

  /** In ms; null while nothing was recorded. */
  percentile(percent: number): number | null {
    return this.count === 0 ? null : this.#histogram.getValueAtPercentile(percent) / MICROSECONDS_PER_MS;
  }
}
