/** A session's messages without a socket: read by pages, or send one, if wanted until it is answered. */
import { Hono } from 'hono';
import * as z from 'zod/mini';
import { textProblem } from '../protocol/text.ts';
import { messageId, priority } from '../protocol/values.ts';
import { checkSessionId, requireUser } from './access.ts';
import { askSession } from './backends.ts';
import { readJson, readQuery } from './body.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { integerParameter, limitParameter } from './parameters.ts';
import { waitSeconds } from './prefer.ts';
import { RequestRefused } from './problem.ts';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

const sendBody = z.strictObject({ id: messageId, text: z.string(), priority: z.optional(priority) });
export const pageQuery = z.object({
  before: z.optional(integerParameter(1, Number.MAX_SAFE_INTEGER)),
  limit: limitParameter(DEFAULT_PAGE, MAX_PAGE),
});

export function messageRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:id/messages', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const id = checkSessionId(c.req.param('id'));
    const { before, limit } = readQuery(c.req.raw, pageQuery);
    const page = { limit, ...(before === undefined ? {} : { before }) };
    const result = await askSession(deps, c.var.requestId, () => deps.session(id).messages(user, page));
    return c.json({ messages: result.messages, nextCursor: result.nextBefore });
  });

  app.post('/:id/messages', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const session = checkSessionId(c.req.param('id'));
    const { id, text, priority: given } = await readJson(c.req.raw, sendBody);
    const problem = textProblem(text, id);
    if (problem) throw new RequestRefused(problem);
    const wait = waitSeconds(c.req.header('prefer'));
    const message = { id, text, ...(given === undefined ? {} : { priority: given }) };
    const { seq, position, reply } = await askSession(deps, c.var.requestId, () =>
      deps.session(session).send(user, message, wait * 1_000),
    );
    c.set('turn', seq);
    if (wait > 0) c.header('preference-applied', `wait=${wait}`);
    // Without a reply (not waited for, or not long enough) the message is durable all the same.
    return reply === null ? c.json({ id, seq, position }, 202) : c.json({ id, seq, reply });
  });

  return app;
}
