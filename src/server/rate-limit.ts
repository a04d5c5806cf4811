/** Bounds per address, kept by the platform. Sessions and bots have bounds of their own. */
import type { RateLimiter } from './deps.ts';
import { refusedForNow } from './problem.ts';

/** The platform does not say when there is room again; its counters run over a minute. */
const RETRY_AFTER_MS = 10_000;

/** @throws RequestRefused `rate_limited` */
export async function enforceLimit(limiter: RateLimiter | null, request: Request): Promise<void> {
  const key = addressKey(request.headers.get('cf-connecting-ip'));
  if (limiter === null || key === null) return;
  // A counter that fails must not close the house.
  const { success } = await limiter.limit({ key }).catch(() => ({ success: true }));
  if (!success) throw refusedForNow('rate_limited', 'Too many requests from this address.', RETRY_AFTER_MS);
}

/**
 * Whom an address stands for: an IPv6 network hands 2^64 addresses to one customer. Null for
 * loopback, which Cloudflare never sees: a server on one's own machine, or behind a proxy where
 * everybody would share one count.
 */
export function addressKey(address: string | null): string | null {
  if (address === null || address === '::1' || address.startsWith('127.')) return null;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  const network = [...front, ...zeros, ...back].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
