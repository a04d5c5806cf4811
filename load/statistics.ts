/** Small statistics over measured values. */

/** The middle of the values; of an even number of them the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

export interface LinearFit {
  slope: number;
  intercept: number;
  /** Half of the interval in which the slope lies with 95 %: 1.96 standard errors. */
  slopeError: number;
}

/** The straight line that fits the points best (least squares); null for fewer than three, or all at one x. */
export function linearFit(points: readonly (readonly [x: number, y: number])[]): LinearFit | null {
  const count = points.length;
  if (count < 3) return null;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spreadX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (spreadX === 0) return null;
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
  const intercept = meanY - slope * meanX;
  const residual = points.reduce((sum, [x, y]) => sum + (y - intercept - slope * x) ** 2, 0);
  return { slope, intercept, slopeError: 1.96 * Math.sqrt(residual / (count - 2) / spreadX) };
}
