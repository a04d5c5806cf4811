/**
 * The cookie of an operator's login. Nothing is stored for it: it says until when it holds, and is
 * signed together with the present operator token, so that changing the token ends every login.
 * A logout takes the cookie from the browser; a copy of it would hold until its time is over.
 */
import { createHash } from 'node:crypto';
import { serialize } from 'hono/utils/cookie';
import { cookieValue } from './cookie.ts';
import { isSameSecret, signatureOf } from './signing.ts';

const OPERATOR_COOKIE = 'sb_operator';
const LOGIN_SECONDS = 12 * 60 * 60;
const PURPOSE = 'switchboard operator login v1';
/** Until when (seconds since 1970), a dot, the signature. */
const SIGNED_LOGIN = /^(\d{10})\.([A-Za-z0-9_-]{43})$/;

/** What makes and judges logins. */
interface LoginSecrets {
  sessionSecret: string;
  operatorToken: string;
}

/** A Set-Cookie header for a login that begins now (ms since 1970). `secure` on https. */
export function loginCookie(secrets: LoginSecrets, now: number, secure: boolean): string {
  const until = String(Math.floor(now / 1_000) + LOGIN_SECONDS);
  return withAttributes(`${until}.${signatureOf(signedText(until, secrets), PURPOSE, secrets.sessionSecret)}`, {
    secure,
    maxAge: LOGIN_SECONDS,
  });
}

/** A Set-Cookie header that takes the login away. */
export function logoutCookie(secure: boolean): string {
  return withAttributes('', { secure, maxAge: 0 });
}

/** Whether the Cookie header holds a login that goes on. */
export function isLoggedIn(header: string | null, secrets: LoginSecrets, now: number): boolean {
  const [, until, signature] = SIGNED_LOGIN.exec(cookieValue(header, OPERATOR_COOKIE) ?? '') ?? [];
  if (until === undefined || signature === undefined) return false;
  if (Number(until) * 1_000 <= now) return false;
  return isSameSecret(signature, signatureOf(signedText(until, secrets), PURPOSE, secrets.sessionSecret));
}

function signedText(until: string, { operatorToken }: LoginSecrets): string {
  return `${until}:${createHash('sha256').update(operatorToken).digest('base64url')}`;
}

/** Strict: no other site's link or form comes with it, whatever it asks for. */
function withAttributes(value: string, options: { secure: boolean; maxAge: number }): string {
  return serialize(OPERATOR_COOKIE, value, { path: '/', httpOnly: true, sameSite: 'Strict', ...options });
}
