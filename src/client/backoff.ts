/** How long to wait before another try. */

/** The first try after a loss comes within this time: most losses are a moment's. */
export const FIRST_RETRY_MS = 250;
/** The second try; doubled from then on. */
const SECOND_RETRY_MS = 1_000;
/** So many tries come quickly: about a quarter of a minute, which most restarts and deployments need. */
export const EARLY_TRIES = 16;
export const MAX_EARLY_RETRY_MS = 2_000;
export const MAX_RETRY_MS = 10_000;

/**
 * Delay before try number `failures` (0 is the first), in ms. `random` is from [0, 1). Full
 * jitter: clients that lost the same server must not come back as one wave.
 */
export function retryDelayMs(failures: number, random: number): number {
  return random * ceilingMs(failures);
}

function ceilingMs(failures: number): number {
  if (failures === 0) return FIRST_RETRY_MS;
  if (failures < EARLY_TRIES) return Math.min(MAX_EARLY_RETRY_MS, SECOND_RETRY_MS * 2 ** (failures - 1));
  return Math.min(MAX_RETRY_MS, MAX_EARLY_RETRY_MS * 2 ** (failures - EARLY_TRIES + 1));
}
