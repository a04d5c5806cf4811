/** The Prefer header (RFC 7240), of which `wait` is understood. */

/** Longest that a request waits for its reply; longer answers are read from the history. */
const MAX_WAIT_SECONDS = 120;

/** Whole seconds to wait for the outcome, 0 to MAX_WAIT_SECONDS; a preference nobody understands is none. */
export function waitSeconds(prefer: string | undefined): number {
  for (const preference of (prefer ?? '').split(',')) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?$/i.exec(preference) ?? [];
    // Of a preference given twice the first counts.
    if (seconds !== undefined) return Math.min(Number(seconds), MAX_WAIT_SECONDS);
  }
  return 0;
}
