/** The HTTP side of the house: every request comes in here, every error leaves as a problem. */
import { Hono, type Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { isTrustedHost } from '../auth/host.ts';
import { isTrustedOrigin } from '../auth/origin.ts';
import type { RequestErrorCode } from '../protocol/codes.ts';
import type { WireError } from '../protocol/server-frames.ts';
import { describeError } from '../metrics/describe-error.ts';
import { alertRoutes } from './alerts.ts';
import { auditRoutes } from './audit.ts';
import { botRoutes } from './bots.ts';
import { connectRoutes } from './connect.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { exportRoutes } from './export.ts';
import { addAssetCaching, addCorsHeaders, addSecurityHeaders, keepFromSearchEngines, preflight } from './headers.ts';
import { healthRoutes } from './health.ts';
import { messageRoutes } from './messages.ts';
import { metricsRoutes } from './metrics.ts';
import { problemResponse, refused, RequestRefused } from './problem.ts';
import { isRead, limitAddress, limiterOf } from './rate-limit.ts';
import { operatorRoutes } from './operator-login.ts';
import { requestLine } from './request-log.ts';
import { searchRoutes } from './search.ts';
import { sessionRoutes } from './sessions.ts';
import { sharedRoutes, shareRoutes } from './shares.ts';

/** Paths that are never a page's: what is not found under them is a problem, not a file. */
const DATA_PATHS = /^\/(?:api|webhooks|ollama|v1|metrics|openapi\.json)(?:\/|$)/;
/** A shared conversation: the page, which asks for it by the token in its own path. */
const SHARED_PAGE = /^\/shared\/[^/]+$/;

/** One app serves an isolate; it keeps nothing of a request. */
export function createApp(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.use(async (c, next) => {
    // Our own, always: an id that a client chose could be another request's.
    c.set('requestId', crypto.randomUUID());
    const startedAt = deps.now();
    const early = preflight(c.req.raw, deps.config.allowedOrigins);
    if (early) c.res = early;
    else await next();
    const line = requestLine(c, DATA_PATHS.test(c.req.path), startedAt, deps.now());
    if (line !== null) deps.note('request', line);
    finish(c, deps);
  });

  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => notAllowed(c, methods),
    }),
  );

  app.use(async (c, next) => {
    const { allowedOrigins, localServer } = deps.config;
    if (localServer && !isTrustedHost(c.req.raw, allowedOrigins)) {
      const message = 'This server does not go by that name. ALLOWED_ORIGINS can give it one.';
      throw refused('origin_forbidden', message);
    }
    if (!isRead(c.req.raw) && !isTrustedOrigin(c.req.raw, allowedOrigins)) {
      throw refused('origin_forbidden', 'Pages of this origin may not do this.');
    }
    // The page and its parts are static: whoever overloads those overloads Cloudflare.
    if (!isRead(c.req.raw) || DATA_PATHS.test(c.req.path)) await limitAddress(limiterOf(deps, c.req.raw), c.req.raw);
    await next();
  });

  app.route('/api/health', healthRoutes(deps));
  app.route('/api/bots', botRoutes(deps));
  app.route('/api/sessions', sessionRoutes(deps));
  app.route('/api/sessions', messageRoutes(deps));
  app.route('/api/sessions', connectRoutes(deps));
  app.route('/api/sessions', exportRoutes(deps));
  app.route('/api/sessions', shareRoutes(deps));
  app.route('/api/shared', sharedRoutes(deps));
  app.route('/api/operator', operatorRoutes(deps));
  app.route('/api/search', searchRoutes(deps));
  app.route('/api/alerts', alertRoutes(deps));
  app.route('/api/audit', auditRoutes(deps));
  app.route('/metrics', metricsRoutes(deps));

  app.notFound((c) => {
    if (DATA_PATHS.test(c.req.path)) return problem(c, simple('not_found', 'There is nothing under this path.'));
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return deps.fetchAsset(pageRequest(c.req.raw));
    return notAllowed(c, ['GET', 'HEAD']);
  });

  app.onError((error, c) => {
    if (error instanceof RequestRefused) return problem(c, error.error, error.headers);
    if (error instanceof HTTPException && error.status < 500) {
      return problem(c, simple('bad_request', 'The request is not one that this server understands.'));
    }
    deps.report('request_failed', { requestId: c.var.requestId, method: c.req.method, ...describeError(error) });
    return problem(c, simple('internal', 'Something went wrong here; the request id tells operators where to look.'));
  });

  return app;
}

/** The request for the file behind a path: the page itself where the path only names what it shows. */
function pageRequest(request: Request): Request {
  const url = new URL(request.url);
  return SHARED_PAGE.test(url.pathname) ? new Request(new URL('/', url), request) : request;
}

/** What every response carries. Upgrades pass untouched: a copy of one would have lost its socket. */
function finish(c: Context<AppEnv>, { config }: ServerDeps): void {
  const answer = c.res;
  if (answer.status === 101) return;
  // Copied because the headers of what objects and assets answer cannot be changed.
  const response = new Response(answer.body, answer);
  const isData = DATA_PATHS.test(c.req.path);
  addSecurityHeaders(response.headers, c.req.raw, isData);
  if (SHARED_PAGE.test(c.req.path)) keepFromSearchEngines(response.headers);
  if (response.ok) addAssetCaching(response.headers, c.req.path);
  if (isData) {
    response.headers.set('x-request-id', c.var.requestId);
    addCorsHeaders(response.headers, c.req.raw, config.allowedOrigins);
  }
  // Hono would merge the new response into the one before.
  c.res = undefined;
  c.res = response;
}

function simple(code: RequestErrorCode, message: string): WireError {
  return { code, message, retryable: false };
}

function problem(c: Context<AppEnv>, error: WireError, headers?: Readonly<Record<string, string>>): Response {
  c.set('problem', error.code);
  return problemResponse(error, c.var.requestId, headers);
}

function notAllowed(c: Context, methods: readonly string[]): Response {
  const error = simple('method_not_allowed', `This path answers ${methods.join(', ')}.`);
  c.set('problem', error.code);
  return problemResponse(error, String(c.get('requestId')), { allow: methods.join(', ') });
}
