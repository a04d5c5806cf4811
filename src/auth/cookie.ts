/**
 * The signed cookie by which an anonymous user is known again. Nothing is stored for it on the
 * server: who can show the signature was given the name.
 */
import { randomBytes } from 'node:crypto';
import { serialize } from 'hono/utils/cookie';
import { isSameSecret, signatureOf } from './signing.ts';

const USER_COOKIE = 'sb_user';
/** The longest that browsers keep a cookie; renewed whenever the user's sessions are listed. */
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;
export const USER_COOKIE_AGE_MS = MAX_AGE_SECONDS * 1_000;
const USER_ID_BYTES = 16;
/** A user's name, a dot, the signature; base64url, so that nothing needs escaping. */
const SIGNED_USER = /^(u_[A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;
const PURPOSE = 'switchboard user cookie v1';

/** A name for a new user: 128 random bits. */
export function newUser(): string {
  return `u_${randomBytes(USER_ID_BYTES).toString('base64url')}`;
}

/** A Set-Cookie header that lets `user` be known again. `secure` on https. */
export function userCookie(user: string, secret: string, secure: boolean): string {
  const value = `${user}.${signatureOf(user, PURPOSE, secret)}`;
  return serialize(USER_COOKIE, value, { path: '/', httpOnly: true, sameSite: 'Lax', secure, maxAge: MAX_AGE_SECONDS });
}

/** The user of a Cookie header, or null: without a cookie, and with one that this secret did not sign. */
export function userOfCookie(header: string | null, secret: string): string | null {
  const [, user, signature] = SIGNED_USER.exec(cookieValue(header, USER_COOKIE) ?? '') ?? [];
  if (user === undefined || signature === undefined) return null;
  return isSameSecret(signature, signatureOf(user, PURPOSE, secret)) ? user : null;
}

/**
 * The value of a cookie as it was sent; null without one, and with several of its name: a
 * neighbouring host of the same site can add one of its own, and nobody can tell them apart.
 */
export function cookieValue(header: string | null, name: string): string | null {
  const values = (header ?? '').split(';').flatMap((pair) => {
    const [key = '', ...rest] = pair.split('=');
    return key.trim() === name ? [rest.join('=').trim()] : [];
  });
  return values.length === 1 ? (values[0] ?? null) : null;
}
