/** What a deployment would be billed for, at Cloudflare's prices for Workers Paid (2026), in dollars a million. */

const PRICE = {
  rowsWritten: 1,
  rowsRead: 0.001,
  objectRequests: 0.15,
  /** Incoming frames are a twentieth of a request. */
  frames: 0.15 / 20,
  /** $12.50 a million GB-s, at 128 MB. */
  objectSeconds: 1.6,
  workerRequests: 0.3,
} as const;

/** Of one answer. */
export interface Billed extends Record<keyof typeof PRICE, number> {}

/** Dollars for a million answers. */
export function pricePerMillion(billed: Billed): number {
  return (
    billed.rowsWritten * PRICE.rowsWritten +
    billed.rowsRead * PRICE.rowsRead +
    billed.objectRequests * PRICE.objectRequests +
    billed.frames * PRICE.frames +
    billed.objectSeconds * PRICE.objectSeconds +
    billed.workerRequests * PRICE.workerRequests
  );
}
