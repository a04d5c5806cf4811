/** One line of what the reports claim, and the measurement that it is held against. */
import { FAST_MODEL, heldRate } from './rates.ts';
import type { Runs, Wanted } from './runs.ts';

export type Measure = (runs: Runs) => number | null;

export interface Claim {
  section: string;
  name: string;
  unit: string;
  /** The report's own requirement, and its figure, as it writes them. */
  target: string;
  claim: string;
  /** What the measured value is held against: the report's figure, or the target where there is none. */
  limit: { atMost: number } | { atLeast: number } | null;
  measure: Measure | null;
  /** With what it was measured, or why it was not. */
  by: string;
}

/** In place of a claim, where the reports say nothing and the line is asked for by us. */
export const OURS = 'ours';

export function isOurs({ claim }: Claim): boolean {
  return claim === OURS;
}

export type Verdict = 'held' | 'missed' | 'not measured' | 'no claim';

export interface Judged extends Claim {
  value: number | null;
  verdict: Verdict;
}

export function judge(claims: readonly Claim[], runs: Runs): Judged[] {
  return claims.map((claim) => {
    const value = claim.measure?.(runs) ?? null;
    return { ...claim, value, verdict: verdictOf(value, claim.limit) };
  });
}

export function verdictOf(value: number | null, limit: Claim['limit']): Verdict {
  if (value === null) return 'not measured';
  if (limit === null) return 'no claim';
  const isHeld = 'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast;
  return isHeld ? 'held' : 'missed';
}

export const atMost = (limit: number) => ({ atMost: limit });
export const atLeast = (limit: number) => ({ atLeast: limit });
export const of =
  (run: string, wanted: Wanted, times = 1): Measure =>
  (runs) => {
    const value = runs.value(run, wanted);
    return value === null ? null : value * times;
  };

/** Of steps that are groups by their numbers (“5000 idle connections”) that with the highest. */
export const ofLargest =
  (run: string, wanted: Wanted, times = 1): Measure =>
  (runs) => {
    const steps = runs.figures(run, wanted);
    const [largest] = steps.toSorted((one, other) => Number.parseInt(other.group, 10) - Number.parseInt(one.group, 10));
    return largest?.value == null ? null : largest.value * times;
  };

/** One over the other. */
export const quotient =
  (part: Measure, whole: Measure): Measure =>
  (runs) => {
    const [one, all] = [part(runs), whole(runs)];
    return one === null || !all ? null : one / all;
  };

/** The worst of several; one that is not known may have been it. */
export const mostOf =
  (...measures: readonly Measure[]): Measure =>
  (runs) => {
    const values = measures.map((measure) => measure(runs));
    return values.length > 0 && values.every((value) => value !== null) ? Math.max(...values) : null;
  };

export const leastOfAll =
  (run: string, wanted: Wanted): Measure =>
  (runs) => {
    const values = runs.figures(run, wanted).map(({ value }) => value);
    return values.length > 0 && values.every((value) => value !== null) ? Math.min(...values) : null;
  };

/** The worst of all groups and subjects that have the figure. */
export const mostOfAll =
  (run: string, wanted: Wanted): Measure =>
  (runs) =>
    mostOf(
      ...runs.figures(run, wanted).map(
        ({ value }) =>
          () =>
            value,
      ),
    )(runs);

/**
 * How many percent of `whole` a figure is, where that is least: over all groups and subjects that have the figure. One
 * that is not known may have been the least.
 */
export const leastShare =
  (run: string, part: Wanted, whole: string): Measure =>
  (runs) => {
    const shares = runs.figures(run, part).map(({ group, subject, value }) => {
      const all = runs.value(run, { group, subject, name: whole });
      return value === null || !all ? null : Math.min(100, (value / all) * 100);
    });
    return shares.length > 0 && shares.every((share) => share !== null) ? Math.min(...shares) : null;
  };

export const highestRate: Measure = (runs) => heldRate(runs, 'stress', FAST_MODEL);
