/**
 * The secret in a share link. It has to lead to the session's object without a table that every
 * link would pass, and without showing the session's id: people copy links to places where ids
 * have no business. So the id is in it, sealed (AES-256-GCM) with a key made from the server's
 * secret; opening costs microseconds, and forged tokens are refused before any object is woken.
 * What the object compares is a digest of the whole, which it alone keeps: a token that this server
 * sealed but whose link was revoked opens nothing. A new SESSION_SECRET ends every link.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { SESSION_ID_PATTERN } from '../protocol/ids.ts';

/** Random, and the nonce of the seal. */
const SECRET_BYTES = 16;
const SESSION_BYTES = 16;
const TAG_BYTES = 16;
const PURPOSE = 'switchboard share link v1';
/** 48 bytes, base64url: no other text stands for the same bytes. */
const TOKEN = /^[A-Za-z0-9_-]{64}$/;

/** A new token for the session with this id. */
export function newShareToken(session: string, secret: string): string {
  const [, hex] = SESSION_ID_PATTERN.exec(session) ?? [];
  if (hex === undefined) throw new TypeError('not the id of a session');
  const nonce = randomBytes(SECRET_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), nonce);
  const sealed = Buffer.concat([cipher.update(Buffer.from(hex, 'hex')), cipher.final()]);
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
}

/** The id of the session that a token was made for; null for what this server did not make. */
export function sessionOfShare(token: string, secret: string): string | null {
  if (!TOKEN.test(token)) return null;
  const bytes = Buffer.from(token, 'base64url');
  const tagAt = SECRET_BYTES + SESSION_BYTES;
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), bytes.subarray(0, SECRET_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(tagAt));
    const opened = Buffer.concat([decipher.update(bytes.subarray(SECRET_BYTES, tagAt)), decipher.final()]);
    return `s_${opened.toString('hex')}`;
  } catch {
    return null;
  }
}

/** What is kept of a token. It has 128 random bits, so a plain digest gives nothing away. */
export function digestOfShare(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function keyOf(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', PURPOSE, 32));
}
