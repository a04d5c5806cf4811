/** Which pages may act for a user. Browsers attach cookies to what foreign pages send, too. */

/**
 * Whether the request may change something or open a socket: it comes from a page of this server
 * or of an allowed origin, or from no page at all (scripts send neither header, browsers do).
 */
export function isTrustedOrigin(request: Request, allowedOrigins: readonly string[]): boolean {
  const origin = request.headers.get('origin');
  if (origin !== null) return origin === new URL(request.url).origin || allowedOrigins.includes(origin);
  const site = request.headers.get('sec-fetch-site');
  return site === null || site === 'same-origin' || site === 'none';
}
