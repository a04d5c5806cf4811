/**
 * Times in buckets, as Prometheus counts them: cheap to add to, to keep as JSON, and to add up over
 * bots. Percentiles are read by interpolating within a bucket, so they are as exact as the bounds are near.
 */

/** Upper bounds in ms; one more bucket holds everything beyond the last. */
export const BUCKET_BOUNDS_MS = [
  1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 250, 350, 500, 750, 1_000, 1_500, 2_500, 5_000, 10_000, 20_000, 40_000, 60_000,
  120_000, 300_000, 600_000,
] as const;

export interface Histogram {
  /** How many values fell into each bucket; one longer than BUCKET_BOUNDS_MS. Not cumulative. */
  counts: number[];
  sumMs: number;
}

export function emptyHistogram(): Histogram {
  return { counts: Array.from({ length: BUCKET_BOUNDS_MS.length + 1 }, () => 0), sumMs: 0 };
}

/** Adds a value in place. */
export function observe(histogram: Histogram, valueMs: number): void {
  const at = BUCKET_BOUNDS_MS.findIndex((bound) => valueMs <= bound);
  const bucket = at === -1 ? BUCKET_BOUNDS_MS.length : at;
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.sumMs += valueMs;
}

export function countOf({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The value below which `share` (0 to 1) of all values lie, in ms; null of an empty histogram. */
export function percentile(histogram: Histogram, share: number): number | null {
  const total = countOf(histogram);
  if (total === 0) return null;
  let left = share * total;
  for (const [bucket, count] of histogram.counts.entries()) {
    if (count > 0 && left <= count) {
      const from = BUCKET_BOUNDS_MS[bucket - 1] ?? 0;
      const to = BUCKET_BOUNDS_MS[bucket] ?? from;
      return from + (to - from) * (left / count);
    }
    left -= count;
  }
  return BUCKET_BOUNDS_MS.at(-1) ?? null;
}
