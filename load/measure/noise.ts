/** Other work on the machine: above little, times are those of the other work, too. */
import type { Usage } from './usage.ts';

/** A quiet machine has less than this to do besides, in percent of one core. */
export const NOISY_PERCENT = 20;
/** With these words a result says so, and the report finds it. */
export const NOT_QUIET = 'THE MACHINE WAS NOT QUIET';

/** In percent of one core; null where it cannot be known. */
export function otherPercent({ otherProcessor, seconds }: Usage): number | null {
  return otherProcessor === null ? null : (otherProcessor / seconds) * 100;
}

/** Nothing where it was quiet. `advice`: what the figures are still good for. */
export function noiseNotes(percents: readonly (number | null)[], advice: string): string[] {
  const most = Math.max(0, ...percents.filter((percent) => percent !== null));
  if (most < NOISY_PERCENT) return [];
  return [`${NOT_QUIET}: other work took up to ${Math.round(most)} % of a core. ${advice}`];
}
