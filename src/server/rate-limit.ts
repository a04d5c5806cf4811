/** Bounds per address and per user, kept by the platform. Sessions and bots have bounds of their own. */
import { addressOf } from '../auth/address.ts';
import type { RateLimiter, ServerDeps } from './deps.ts';
import { refusedForNow } from './problem.ts';

/** The platform does not say when there is room again; its counters run over a minute. */
const RETRY_AFTER_MS = 10_000;
const READ_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether the request changes nothing. */
export function isRead(request: Request): boolean {
  return READ_METHODS.has(request.method);
}

/** What counts such requests: writes cost more. */
export function limiterOf(deps: Pick<ServerDeps, 'readLimit' | 'writeLimit'>, request: Request): RateLimiter | null {
  return isRead(request) ? deps.readLimit : deps.writeLimit;
}

/** @throws RequestRefused `rate_limited` */
export async function limitAddress(limiter: RateLimiter | null, request: Request): Promise<void> {
  const key = addressOf(request);
  if (key !== null) await enforce(limiter, key, 'Too many requests from this address.');
}

/**
 * Addresses are cheap to have many of, and people share them: users are counted by themselves, too.
 * @throws RequestRefused `rate_limited`
 */
export async function limitUser(limiter: RateLimiter | null, user: string): Promise<void> {
  await enforce(limiter, `user:${user}`, 'Too many requests of this user.');
}

async function enforce(limiter: RateLimiter | null, key: string, message: string): Promise<void> {
  if (limiter === null) return;
  // A counter that fails must not close the house.
  const { success } = await limiter.limit({ key }).catch(() => ({ success: true }));
  if (!success) throw refusedForNow('rate_limited', message, RETRY_AFTER_MS);
}
