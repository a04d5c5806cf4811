import { removals } from './removal.ts';

const APP = 'server/app.ts';
const ORIGIN = 'auth/origin.ts';

export const origins = removals('origins.ts', [
  [
    'a state-changing call from a page of another origin is refused',
    APP,
    '!isRead(c.req.raw) && !isTrustedOrigin(c.req.raw, allowedOrigins)',
    'false',
  ],
  [
    'near misses of an allowed origin are refused: calls',
    ORIGIN,
    'allowedOrigins.includes(origin)',
    'allowedOrigins.some((allowed) => origin.startsWith(allowed))',
  ],
  [
    'near misses of an allowed origin are refused: calls',
    ORIGIN,
    'origin === new URL(request.url).origin',
    `origin.toLowerCase() === new URL(request.url).origin`,
  ],
  [
    'near misses of an allowed origin are refused: sockets',
    'server/connect.ts',
    '!isTrustedOrigin(request, deps.config.allowedOrigins)',
    'false',
  ],
  [
    'a browser that leaves the origin out says where the page is from',
    ORIGIN,
    `return site === null || site === 'same-origin' || site === 'none';`,
    'return true;',
  ],
  [
    'a local server answers to loopback and to the names it was given, and to no other',
    APP,
    'localServer && !isTrustedHost(c.req.raw, allowedOrigins)',
    'false',
  ],
  [
    'a local server answers to loopback and to the names it was given, and to no other',
    'auth/host.ts',
    'new URL(origin).host === host',
    'new URL(origin).hostname === hostname',
  ],
  [
    'a rebound name does not get a session, although its page and the server are of one origin',
    APP,
    'localServer && !isTrustedHost(c.req.raw, allowedOrigins)',
    'false',
  ],
  [
    'a deployed server goes by the names that Cloudflare routes to it',
    APP,
    'localServer && !isTrustedHost',
    '!isTrustedHost',
  ],
  [
    'every answer says what browsers may do with it',
    APP,
    '  addSecurityHeaders(response.headers, c.req.raw, isData);\n',
    '',
  ],
  [
    'pages of other origins may not read answers',
    'server/headers.ts',
    'if (origin === null || !allowedOrigins.includes(origin)) return;\n  headers',
    'if (origin === null) return;\n  headers',
  ],
]);
