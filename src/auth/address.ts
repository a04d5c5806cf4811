/** Where requests come from, for counting them. */

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

/** The address of a request as the platform says it. */
export function addressOf(request: Request): string | null {
  return addressKey(request.headers.get('cf-connecting-ip'));
}
