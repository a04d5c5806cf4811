/** A WebSocket to a session: checked here, then handed to the session's object. */
import { Hono } from 'hono';
import type { Identity } from '../auth/identity.ts';
import { isTrustedOrigin } from '../auth/origin.ts';
import { UNTIL_HEADER, USER_HEADER } from '../objects/session-rpc.ts';
import { CLOSE } from '../protocol/codes.ts';
import { isSessionId, requireUser } from './access.ts';
import { guardSession } from './backends.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { refused, RequestRefused } from './problem.ts';
import { limitAddress } from './rate-limit.ts';

export function connectRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:id/connect', async (c) => {
    const request = c.req.raw;
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
      throw refused('upgrade_required', 'Connect with a WebSocket.', { upgrade: 'websocket', connection: 'Upgrade' });
    }
    if (!isTrustedOrigin(request, deps.config.allowedOrigins)) {
      throw refused('origin_forbidden', 'Pages of this origin may not connect.');
    }
    await limitAddress(deps.connectLimit, request);
    // From here on a refusal is said on an accepted socket: browsers hide the status of a refused
    // upgrade from scripts, which would see a broken network and try again for ever.
    const identity = await requireUser(request, deps, deps.connectLimit).catch((error: unknown) => {
      if (error instanceof RequestRefused && error.error.code === 'unauthorized') return error.error;
      // What passes is left to the status: the reader connects again.
      throw error;
    });
    if ('code' in identity) return deps.refuseUpgrade(identity, CLOSE.unauthorized);
    const id = c.req.param('id');
    if (!isSessionId(id)) {
      const message = 'There is no such session.';
      return deps.refuseUpgrade({ code: 'session_not_found', message, retryable: false }, CLOSE.sessionNotFound);
    }
    const upgrade = new Request(request.url, { headers: upgradeHeaders(request, identity) });
    return guardSession(deps, c.var.requestId, () => deps.session(id).fetch(upgrade));
  });

  return app;
}

/** What the object needs and nothing that a client made up: above all no other user's name, no cookie. */
function upgradeHeaders(request: Request, { user, validUntil }: Identity): Headers {
  const headers = new Headers({ upgrade: 'websocket', [USER_HEADER]: user, [UNTIL_HEADER]: String(validUntil) });
  for (const [name, value] of request.headers) {
    if (name.startsWith('sec-websocket-')) headers.set(name, value);
  }
  return headers;
}
