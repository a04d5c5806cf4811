/**
 * The signed cookie by which an anonymous user is known again. Nothing is stored for it on the
 * server: who can show the signature was given the name.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { parse, serialize } from 'hono/utils/cookie';

const USER_COOKIE = 'sb_user';
/** The longest that browsers keep a cookie; renewed whenever the user's sessions are listed. */
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;
const USER_ID_BYTES = 16;
/** A user's name, a dot, the signature; base64url, so that nothing needs escaping. */
const SIGNED_USER = /^(u_[A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;
/** Keeps these signatures apart from anything else that may be signed with the same secret. */
const PURPOSE = 'switchboard user cookie v1:';

/** A name for a new user: 128 random bits. */
export function newUser(): string {
  return `u_${randomBytes(USER_ID_BYTES).toString('base64url')}`;
}

/** A Set-Cookie header that lets `user` be known again. `secure` on https. */
export function userCookie(user: string, secret: string, secure: boolean): string {
  const value = `${user}.${sign(user, secret).toString('base64url')}`;
  return serialize(USER_COOKIE, value, { path: '/', httpOnly: true, sameSite: 'Lax', secure, maxAge: MAX_AGE_SECONDS });
}

/** The user of a Cookie header, or null: without a cookie, and with one that this secret did not sign. */
export function userOfCookie(header: string | null, secret: string): string | null {
  if (header === null) return null;
  const [, user, signature] = SIGNED_USER.exec(parse(header, USER_COOKIE)[USER_COOKIE] ?? '') ?? [];
  if (user === undefined || signature === undefined) return null;
  const expected = sign(user, secret);
  const given = Buffer.from(signature, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected) ? user : null;
}

function sign(user: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`${PURPOSE}${user}`).digest();
}
