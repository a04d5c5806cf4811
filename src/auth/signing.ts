/** Signatures with the server's secret, and the comparison of secrets. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The signature of `text`, base64url. `purpose` keeps what is signed for one thing from being used for another. */
export function signatureOf(text: string, purpose: string, secret: string): string {
  return createHmac('sha256', secret).update(`${purpose}:${text}`).digest('base64url');
}

/** Whether two texts are the same, in a time that tells nothing about them. */
export function isSameSecret(one: string, other: string): boolean {
  // Digests have one length whatever was given.
  return timingSafeEqual(createHash('sha256').update(one).digest(), createHash('sha256').update(other).digest());
}

/** 128 bits that stand for `parts` and do not give them away, base64url. */
export function nameOf(...parts: readonly string[]): string {
  // As JSON, since no separator could be told from what the parts hold.
  return createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16).toString('base64url');
}
