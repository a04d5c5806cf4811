/** Who may do what, as the handlers ask it. */
import { randomBytes } from 'node:crypto';
import { AccessKeysUnavailable } from '../auth/access-keys.ts';
import type { Identity, OperatorRefusal } from '../auth/identity.ts';
import { SESSION_ID_PATTERN } from '../protocol/ids.ts';
import type { RateLimiter, ServerDeps } from './deps.ts';
import { refused, refusedForNow, RequestRefused } from './problem.ts';
import { limiterOf, limitUser } from './rate-limit.ts';

const SESSION_ID_BYTES = 16;
/** The keys of Access are asked for again about so often while they do not come. */
const KEYS_RETRY_MS = 2_000;

/** What of the server's world decides who somebody is. */
export type AccessDeps = Pick<ServerDeps, 'config' | 'auth' | 'readLimit' | 'writeLimit'>;

/** An id for a new session: 128 random bits, so that a guess never meets an object. */
export function newSessionId(): string {
  return `s_${randomBytes(SESSION_ID_BYTES).toString('hex')}`;
}

/** Asked before an object is touched: any other name would bring an object into being. */
export function isSessionId(id: string): boolean {
  return SESSION_ID_PATTERN.test(id);
}

/** @throws RequestRefused `session_not_found` for what cannot be a session's id */
export function checkSessionId(id: string): string {
  if (!isSessionId(id)) throw refused('session_not_found', 'There is no such session.');
  return id;
}

/**
 * The user who makes the request, counted against their limit; null for nobody yet, who gets a name
 * with their first session. Behind Access there is no nobody: see `requireUser`.
 * @throws RequestRefused `unauthorized` behind Access, `rate_limited`, `unavailable`
 */
export async function knownUser(
  request: Request,
  deps: AccessDeps,
  limiter: RateLimiter | null = limiterOf(deps, request),
): Promise<Identity | null> {
  const identity = await orUnavailable(() => deps.auth.identify(request));
  if (identity !== null) await limitUser(limiter, identity.user);
  else if (deps.config.access !== null) throw noUser(deps);
  return identity;
}

/** @throws RequestRefused `unauthorized`, `rate_limited`, `unavailable` */
export async function requireUser(request: Request, deps: AccessDeps, limiter?: RateLimiter | null): Promise<Identity> {
  const identity = await knownUser(request, deps, limiter);
  if (identity === null) throw noUser(deps);
  return identity;
}

function noUser({ config }: Pick<AccessDeps, 'config'>): RequestRefused {
  const proof = config.access === null ? 'cookie of a user' : 'token of Cloudflare Access';
  return refused('unauthorized', `The request carries no valid ${proof}.`);
}

/**
 * Who the operator is, as the audit log names them.
 * @throws RequestRefused `unauthorized`, `rate_limited` after too many wrong tokens, `unavailable`
 */
export async function requireOperator(request: Request, deps: AccessDeps): Promise<{ actor: string }> {
  const check = await orUnavailable(() => deps.auth.operator(request));
  if (!check.ok) throw notOperator(check, deps);
  return { actor: check.actor };
}

/** Whether an operator asks what others may ask, too. */
export async function isOperator(request: Request, deps: AccessDeps): Promise<boolean> {
  return (await orUnavailable(() => deps.auth.operator(request))).ok;
}

/** The refusal of who did not show that they are an operator. */
export function notOperator(
  { reason, retryAfterMs }: OperatorRefusal,
  { config }: Pick<AccessDeps, 'config'>,
): RequestRefused {
  if (reason === 'blocked') {
    return refusedForNow('rate_limited', 'Too many wrong operator tokens came from this address.', retryAfterMs);
  }
  const isClosed = config.operatorToken === null && (config.access?.operatorGroup ?? null) === null;
  const message = isClosed
    ? 'This is for operators, and no OPERATOR_TOKEN is set.'
    : 'This is for operators: send the operator token as "Authorization: Bearer ...", or log in.';
  return refused('unauthorized', message, { 'www-authenticate': 'Bearer realm="switchboard"' });
}

async function orUnavailable<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AccessKeysUnavailable)) throw error;
    throw refusedForNow('unavailable', error.message, KEYS_RETRY_MS);
  }
}
