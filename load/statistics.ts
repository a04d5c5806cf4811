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
  /** Half of the interval in which the slope lies with 95 %. */
  slopeError: number;
  /** Half of the interval in which a further point at `x` lies with 95 %. */
  errorAt(x: number): number;
}

/** Student's t for 95 % with 1 to 10 degrees of freedom: a line through few points is known badly. */
const STUDENT_T = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

/** With more it comes close to that of the normal distribution, within 0.01. */
function studentT(freedom: number): number {
  return STUDENT_T[freedom - 1] ?? 1.96 + 2.5 / freedom;
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
  const scatter = studentT(count - 2) * Math.sqrt(residual / (count - 2));
  return {
    slope,
    intercept,
    slopeError: scatter / Math.sqrt(spreadX),
    errorAt: (x) => scatter * Math.sqrt(1 + 1 / count + (x - meanX) ** 2 / spreadX),
  };
}
