/**
 * The name by which a local server is addressed. Any page can give its own name the address
 * 127.0.0.1 (DNS rebinding); to the browser it is then of one origin with this server, and may read
 * what nobody proved a right to. Its requests still say the name.
 */
const LOOPBACK_NAME = /^(?:localhost|.+\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** Whether a request to a local server names it: loopback, or the host of an allowed origin. */
export function isTrustedHost(request: Request, allowedOrigins: readonly string[]): boolean {
  const { hostname, host } = new URL(request.url);
  return LOOPBACK_NAME.test(hostname) || allowedOrigins.some((origin) => new URL(origin).host === host);
}

/**
 * The request as the browser made it: a tunnel or a proxy before a local server ends the encryption, and says so.
 * Who says it without one makes their own cookie useless to themselves.
 */
export function asMade(request: Request): Request {
  if (request.headers.get('x-forwarded-proto') !== 'https') return request;
  const url = new URL(request.url);
  url.protocol = 'https:';
  return new Request(url, request);
}
