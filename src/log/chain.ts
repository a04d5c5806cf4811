/**
 * The hash chain over a session's log. Each link covers the digest of a record's body, not the body,
 * so that a text can be erased later and the chain still verifies.
 */
import { createHash } from 'node:crypto';

/** The link before the first record. */
export const GENESIS = new Uint8Array(32);

export interface Link {
  /** SHA-256 of the record's body as stored. */
  digest: Uint8Array;
  /** SHA-256 over the previous link, the record's place and time, and the digest. */
  hash: Uint8Array;
}

/** Hashes synchronously: between reading the last link and writing the next one nothing may happen. */
export function nextLink(previous: Uint8Array, seq: number, at: number, body: string): Link {
  const digest = sha256(body);
  return { digest, hash: linkHash(previous, seq, at, digest) };
}

export interface ChainRow {
  seq: number;
  at: number;
  /** Null where the text was erased. */
  body: string | null;
  digest: Uint8Array;
  hash: Uint8Array;
}

/** The first place where the chain does not hold, or null when it holds throughout. */
export function verifyChain(rows: Iterable<ChainRow>): { seq: number; reason: string } | null {
  let previous: Uint8Array = GENESIS;
  let expected = 1;
  for (const { seq, at, body, digest, hash } of rows) {
    if (seq !== expected) return { seq, reason: `record ${expected} is missing` };
    if (body !== null && !equal(sha256(body), digest))
      return { seq, reason: 'the body is not the one that was written' };
    if (!equal(linkHash(previous, seq, at, digest), hash))
      return { seq, reason: 'the link does not follow from the one before' };
    previous = hash;
    expected += 1;
  }
  return null;
}

/** As storage takes it. Just the digest's own bytes: a Buffer may be a window on a larger pool. */
export function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

function linkHash(previous: Uint8Array, seq: number, at: number, digest: Uint8Array): Uint8Array {
  return createHash('sha256').update(previous).update(`${seq}:${at}:`).update(digest).digest();
}

function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
