/** Share links: made, listed and revoked by a session's owner; read by whoever has one. */
import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import * as z from 'zod/mini';
import { digestOfShare, newShareToken, sessionOfShare } from '../auth/share-token.ts';
import { checkSessionId, requireUser } from './access.ts';
import { askSession } from './backends.ts';
import { readJson, readQuery } from './body.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { pageQuery } from './messages.ts';
import { refused, RequestRefused } from './problem.ts';

const HOUR_MS = 60 * 60 * 1_000;
const DEFAULT_HOURS = 7 * 24;
const MAX_HOURS = 90 * 24;
const SHARE_ID_BYTES = 8;

const shareBody = z._default(
  z.strictObject({ expiresInHours: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_HOURS))) }),
  {},
);

/** Under `/api/sessions`. */
export function shareRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.post('/:id/share', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const session = checkSessionId(c.req.param('id'));
    const { expiresInHours = DEFAULT_HOURS } = await readJson(c.req.raw, shareBody);
    const token = newShareToken(session, deps.config.sessionSecret);
    const wanted = {
      id: `l_${randomBytes(SHARE_ID_BYTES).toString('hex')}`,
      digest: digestOfShare(token),
      expiresAt: deps.now() + expiresInHours * HOUR_MS,
    };
    const { id, expiresAt } = await askSession(deps, c.var.requestId, () => deps.session(session).share(user, wanted));
    // The one time that the secret is said.
    return c.json({ id, url: new URL(`/shared/${token}`, c.req.url).href, expiresAt }, 201);
  });

  app.get('/:id/share', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const session = checkSessionId(c.req.param('id'));
    return c.json({ shares: await askSession(deps, c.var.requestId, () => deps.session(session).shares(user)) });
  });

  app.delete('/:id/share/:share', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const session = checkSessionId(c.req.param('id'));
    const share = c.req.param('share');
    const known = await askSession(deps, c.var.requestId, () => deps.session(session).unshare(user, share));
    if (!known) throw refused('not_found', 'This session has no such share link.');
    return c.body(null, 204);
  });

  return app;
}

/** Under `/api/shared`. Whatever is wrong with a link, it is the same 404. */
export function sharedRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:token', async (c) => {
    const token = c.req.param('token');
    const session = sessionOfShare(token, deps.config.sessionSecret);
    if (session === null) throw noShare();
    const { before, limit } = readQuery(c.req.raw, pageQuery);
    const page = { limit, ...(before === undefined ? {} : { before }) };
    const shared = await askSession(deps, c.var.requestId, () =>
      deps.session(session).shared(digestOfShare(token), page),
    ).catch((error: unknown) => {
      throw error instanceof RequestRefused && error.error.code === 'session_not_found' ? noShare() : error;
    });
    const { title, bot, messages, nextBefore, expiresAt } = shared;
    return c.json({ title, bot, messages, nextCursor: nextBefore, expiresAt });
  });

  return app;
}

function noShare(): RequestRefused {
  return refused('not_found', 'There is no such shared conversation, or not any more.');
}
