/** Full-text search over the caller's own history. */
import { Hono } from 'hono';
import * as z from 'zod/mini';
import { knownUser } from './access.ts';
import { askHistory } from './backends.ts';
import { readQuery } from './body.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { limitParameter, timeParameter } from './parameters.ts';

const DEFAULT_PAGE = 10;
const MAX_PAGE = 20;
const MAX_QUERY_LENGTH = 500;

const searchQuery = z.object({
  q: z.string().check(z.minLength(1), z.maxLength(MAX_QUERY_LENGTH)),
  bot: z.optional(z.string()),
  from: z.optional(timeParameter(false)),
  to: z.optional(timeParameter(true)),
  cursor: z.optional(z.string()),
  limit: limitParameter(DEFAULT_PAGE, MAX_PAGE),
});

export function searchRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/', async (c) => {
    const { q, bot, from, to, cursor, limit } = readQuery(c.req.raw, searchQuery);
    const identity = await knownUser(c.req.raw, deps);
    if (identity === null) return c.json({ hits: [], nextCursor: null });
    const search = {
      query: q,
      limit,
      ...(bot === undefined ? {} : { bot }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(cursor === undefined ? {} : { cursor }),
    };
    const page = await askHistory(deps, c.var.requestId, () => deps.history.searchMessages(identity.user, search));
    return c.json(page);
  });

  return app;
}
