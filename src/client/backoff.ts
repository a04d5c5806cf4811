/** How long to wait before another try. */

/** The first try after a loss comes within this time: most losses are a moment's. */
export const FIRST_RETRY_MS = 250;
/** From the second try on: twice this, doubled every time. */
const BASE_RETRY_MS = 500;
export const MAX_RETRY_MS = 10_000;

/**
 * Delay before try number `failures` (0 is the first), in ms. `random` is from [0, 1). Full
 * jitter: clients that lost the same server must not come back as one wave.
 */
export function retryDelayMs(failures: number, random: number): number {
  const ceilingMs = failures === 0 ? FIRST_RETRY_MS : Math.min(MAX_RETRY_MS, BASE_RETRY_MS * 2 ** failures);
  return random * ceilingMs;
}
