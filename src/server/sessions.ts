/** A user's sessions: made, listed, looked at, changed, deleted. The objects are the truth, D1 lists them. */
import { Hono } from 'hono';
import * as z from 'zod/mini';
import { newUser, userCookie } from '../auth/cookie.ts';
import { DEFAULT_BOT_ID } from '../bots/definition.ts';
import type { ListedSession } from '../history/list.ts';
import type { SessionPatch, SessionSummary } from '../objects/session-rpc.ts';
import { folder, title } from '../protocol/values.ts';
import { checkSessionId, knownUser, newSessionId, requireUser } from './access.ts';
import { askHistory, askSession } from './backends.ts';
import { readJson, readQuery, wellFormed } from './body.ts';
import { findBot } from './bots.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { limitParameter } from './parameters.ts';
import { refused } from './problem.ts';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 100;

const createBody = z._default(
  z.strictObject({ bot: z.optional(z.string()), title: z.optional(title.check(wellFormed)) }),
  {},
);
const patchBody = z.strictObject({
  title: z.optional(title.check(wellFormed)),
  bot: z.optional(z.string()),
  archived: z.optional(z.boolean()),
  folder: z.optional(folder.check(wellFormed)),
});
const listQuery = z.object({
  cursor: z.optional(z.string()),
  limit: limitParameter(DEFAULT_PAGE, MAX_PAGE),
  archived: z.optional(
    z.pipe(
      z.enum(['true', 'false']),
      z.transform((text) => text === 'true'),
    ),
  ),
  folder: z.optional(z.string()),
  bot: z.optional(z.string()),
});

export function sessionRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const cookieFor = (user: string, request: Request) =>
    userCookie(user, deps.config.sessionSecret, new URL(request.url).protocol === 'https:');

  app.post('/', async (c) => {
    const settings = await readJson(c.req.raw, createBody);
    const known = await knownUser(c.req.raw, deps);
    const bot = await findBot(deps, settings.bot ?? DEFAULT_BOT_ID);
    const user = known?.user ?? newUser();
    const id = newSessionId();
    const create = { bot, title: settings.title ?? '' };
    const session = await askSession(deps, c.var.requestId, () => deps.session(id).create(user, id, create));
    // Only who owns something needs a name: merely looking around sets no cookie.
    if (known === null) c.header('set-cookie', cookieFor(user, c.req.raw));
    c.header('location', `/api/sessions/${id}`);
    return c.json(view(session), 201);
  });

  app.get('/', async (c) => {
    const { cursor, limit, archived, folder: inFolder, bot } = readQuery(c.req.raw, listQuery);
    const identity = await knownUser(c.req.raw, deps);
    if (identity === null) return c.json({ sessions: [], nextCursor: null });
    const page = {
      limit,
      ...(cursor === undefined ? {} : { cursor }),
      ...(archived === undefined ? {} : { archived }),
      ...(inFolder === undefined ? {} : { folder: inFolder }),
      ...(bot === undefined ? {} : { bot }),
    };
    // Browsers forget every cookie after 400 days; whoever comes back meanwhile keeps theirs.
    if (identity.kind === 'anonymous') c.header('set-cookie', cookieFor(identity.user, c.req.raw));
    const listed = await askHistory(deps, c.var.requestId, () => deps.history.listSessions(identity.user, page));
    return c.json({ sessions: listed.sessions.map(listedView), nextCursor: listed.nextCursor });
  });

  app.get('/:id', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const id = checkSessionId(c.req.param('id'));
    return c.json(view(await askSession(deps, c.var.requestId, () => deps.session(id).describe(user))));
  });

  app.patch('/:id', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const id = checkSessionId(c.req.param('id'));
    const patch = await patchOf(deps, await readJson(c.req.raw, patchBody));
    return c.json(view(await askSession(deps, c.var.requestId, () => deps.session(id).update(user, patch))));
  });

  app.delete('/:id', async (c) => {
    const { user } = await requireUser(c.req.raw, deps);
    const id = checkSessionId(c.req.param('id'));
    await askSession(deps, c.var.requestId, () => deps.session(id).remove(user));
    return c.body(null, 204);
  });

  return app;
}

async function patchOf(deps: ServerDeps, body: z.infer<typeof patchBody>): Promise<SessionPatch> {
  const { bot, ...rest } = body;
  const patch: SessionPatch = {};
  if (rest.title !== undefined) patch.title = rest.title;
  if (rest.archived !== undefined) patch.archived = rest.archived;
  if (rest.folder !== undefined) patch.folder = rest.folder;
  if (bot !== undefined) patch.bot = await findBot(deps, bot);
  if (Object.keys(patch).length === 0) {
    throw refused('bad_request', 'The body names nothing to change: title, bot, archived or folder.');
  }
  return patch;
}

function view({ id, bot, title: name, archived, folder: inFolder, createdAt }: SessionSummary) {
  return { id, bot: bot.id, botRef: bot, title: name, archived, folder: inFolder, createdAt };
}

function listedView(session: ListedSession) {
  return { ...view(session), lastAt: session.lastAt, preview: session.lastMessage?.text ?? null };
}
