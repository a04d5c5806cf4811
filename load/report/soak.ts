/** What a soak says: only one that was long enough to judge growth tells any. */
import { GROWTH_GATE, IN_USE } from '../scenarios/soak.ts';
import type { Runs } from './runs.ts';

/** Then the databases' caches were filled before it, which no other run does. */
export function isGrowthJudged(runs: Runs): boolean {
  return runs.run('soak')?.gates.some(({ name }) => name === GROWTH_GATE) ?? false;
}

/** In MB an hour. Chance alone moves the slope of a short run by more than any leak. */
export function soakGrowth(runs: Runs): number | null {
  const value = runs.value('soak', { group: 'growth', name: IN_USE });
  const error = runs.value('soak', { group: 'growth', name: `${IN_USE}, ±` });
  return isGrowthJudged(runs) && error !== null ? value : null;
}
