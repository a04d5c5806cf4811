/** Headers that every response carries, and those of pages on other origins that are allowed here. */

const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
/** What the API answers is data: a browser that is made to show it as a page runs nothing. */
const DATA_CSP = "default-src 'none'; frame-ancestors 'none'";
const HSTS_SECONDS = 180 * 24 * 60 * 60;
/** Where the build puts files named by their content. */
const HASHED_ASSETS = '/assets/';
const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60;
const PREFLIGHT_CACHE_SECONDS = 600;

/** Adds to `headers` what belongs on a response to `request`. */
export function addSecurityHeaders(headers: Headers, request: Request, isData: boolean): void {
  headers.set('content-security-policy', isData ? DATA_CSP : PAGE_CSP);
  headers.set('x-content-type-options', 'nosniff');
  headers.set('referrer-policy', 'no-referrer');
  headers.set('x-frame-options', 'DENY');
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-resource-policy', 'same-origin');
  headers.set('permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=()');
  if (new URL(request.url).protocol === 'https:') {
    headers.set('strict-transport-security', `max-age=${HSTS_SECONDS}`);
  }
  // Conversations are private: no cache on the way may keep them.
  if (isData && !headers.has('cache-control')) headers.set('cache-control', 'no-store');
}

/** A link that was passed on is not for everybody: a search engine that meets it keeps it to itself. */
export function keepFromSearchEngines(headers: Headers): void {
  headers.set('x-robots-tag', 'noindex, nofollow');
  headers.set('cache-control', 'no-store');
}

/** A file whose name changes with its content need never be asked for again. */
export function addAssetCaching(headers: Headers, path: string): void {
  if (path.startsWith(HASHED_ASSETS)) headers.set('cache-control', `public, max-age=${ONE_YEAR_SECONDS}, immutable`);
}

/** Lets pages of allowed origins read answers, with their user's cookie. */
export function addCorsHeaders(headers: Headers, request: Request, allowedOrigins: readonly string[]): void {
  if (allowedOrigins.length === 0) return;
  headers.append('vary', 'origin');
  const origin = request.headers.get('origin');
  if (origin === null || !allowedOrigins.includes(origin)) return;
  headers.set('access-control-allow-origin', origin);
  headers.set('access-control-allow-credentials', 'true');
  headers.set('access-control-expose-headers', 'location, preference-applied, retry-after, x-request-id');
}

/** The answer to a browser that asks first whether an allowed origin's page may send a request; else null. */
export function preflight(request: Request, allowedOrigins: readonly string[]): Response | null {
  const origin = request.headers.get('origin');
  if (request.method !== 'OPTIONS' || origin === null || !allowedOrigins.includes(origin)) return null;
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
      'access-control-allow-headers': 'content-type, prefer',
      'access-control-max-age': String(PREFLIGHT_CACHE_SECONDS),
    },
  });
}
