/** The bots one may talk to, and for operators their definitions and their launching and stopping. */
import { Hono, type Context } from 'hono';
import * as z from 'zod/mini';
import { BOT_ACTIONS } from '../bots/bot-state.ts';
import { checkedSpec } from '../bots/checked-spec.ts';
import { configuredBots, refOf } from '../bots/definition.ts';
import { listPage } from '../bots/listing.ts';
import type { BotSpecPatch } from '../bots/spec.ts';
import type { BotView } from '../objects/bot-rpc.ts';
import { BOT_ID_PATTERN } from '../protocol/ids.ts';
import type { BotRef } from '../protocol/values.ts';
import { isOperator, requireOperator } from './access.ts';
import { askBot } from './backends.ts';
import { readJson, readQuery } from './body.ts';
import { listedOperatorView, listedView, operatorStatus, publicStatus } from './bot-views.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { limitParameter } from './parameters.ts';
import { RequestRefused, refused } from './problem.ts';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 500;
/** An entity tag as this server gives it: the revision. */
const ENTITY_TAG = /^(?:W\/)?"(\d{1,15})"$/;

const listQuery = z.object({
  cursor: z.optional(z.string().check(z.regex(BOT_ID_PATTERN))),
  limit: limitParameter(DEFAULT_PAGE, MAX_PAGE),
});
const fields = z.record(z.string(), z.unknown());

export function botRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { config } = deps;

  app.get('/', async (c) => {
    const { cursor: after = '', limit } = readQuery(c.req.raw, listQuery);
    const operator = await isOperator(c.req.raw, deps);
    const page = await listPage(config, { after, limit }, { directory: deps.bots, readBots: deps.history.readBots });
    const { entries, next: nextCursor, endpoint, complete } = page;
    const reachable = { reachable: endpoint.reachable };
    const source = { kind: config.modelSource };
    if (!operator) {
      return c.json({ bots: entries.map(listedView), nextCursor, source, endpoint: reachable, complete });
    }
    const now = deps.now();
    return c.json({
      bots: entries.map((entry) => listedOperatorView(entry, now)),
      nextCursor,
      source: { ...source, url: config.endpoint.baseUrl },
      endpoint: endpoint.reachable ? reachable : endpoint,
      complete,
    });
  });

  app.post('/', async (c) => {
    const { actor } = await requireOperator(c.req.raw, deps);
    const checked = checkedSpec(await readJson(c.req.raw, fields), config);
    if (!checked.ok) throw new RequestRefused(checked.error);
    const { id } = checked.value;
    if (await givenRef(deps, id)) throw refused('bot_exists', 'There is a bot with this id; change that one.');
    const bot = await askBot(deps, c.var.requestId, () => deps.control(id).create(actor, checked.value));
    c.header('location', `/api/bots/${id}`);
    return tagged(c, bot, 201);
  });

  app.get('/:bot', async (c) => {
    const id = checkId(c.req.param('bot'));
    if (await isOperator(c.req.raw, deps)) return tagged(c, await viewFor(deps, c, id));
    const { state, model, name } = await viewFor(deps, c, id, await findBot(deps, id));
    return c.json({ id, name, model, state });
  });

  app.get('/:bot/status', async (c) => {
    const id = checkId(c.req.param('bot'));
    if (await isOperator(c.req.raw, deps)) return c.json(operatorStatus(await viewFor(deps, c, id)));
    return c.json(publicStatus(await viewFor(deps, c, id, await findBot(deps, id))));
  });

  app.patch('/:bot', async (c) => {
    const { actor } = await requireOperator(c.req.raw, deps);
    const id = checkId(c.req.param('bot'));
    const { patch, revision } = patchOf(await readJson(c.req.raw, fields), c.req.header('if-match'));
    const ref = await givenRef(deps, id);
    return tagged(c, await askBot(deps, c.var.requestId, () => deps.control(id).update(actor, ref, patch, revision)));
  });

  app.delete('/:bot', async (c) => {
    const { actor } = await requireOperator(c.req.raw, deps);
    const id = checkId(c.req.param('bot'));
    const ref = await givenRef(deps, id);
    await askBot(deps, c.var.requestId, () => deps.control(id).remove(actor, ref));
    return c.body(null, 204);
  });

  for (const action of BOT_ACTIONS) {
    app.post(`/:bot/${action}`, async (c) => {
      const { actor } = await requireOperator(c.req.raw, deps);
      const id = checkId(c.req.param('bot'));
      const ref = await givenRef(deps, id);
      return tagged(c, await askBot(deps, c.var.requestId, () => deps.control(id).act(actor, ref, action)));
    });
  }

  return app;
}

/**
 * The bot that somebody wants to talk to. Asks no object unless D1 is down: an id that somebody made up
 * must not bring one into being.
 * @throws RequestRefused `bot_not_found`; `unavailable` when whoever could tell does not answer
 */
export async function findBot(deps: ServerDeps, id: string): Promise<BotRef> {
  const found = await deps.bots.find(checkId(id));
  if (found.ok) return found.value;
  if (found.error.code === 'unavailable') {
    const asked = await deps
      .control(id)
      .view(null)
      .catch(() => null);
    if (asked?.ok) return { id, name: asked.value.name, model: asked.value.model };
  }
  throw new RequestRefused(found.error);
}

/** @throws RequestRefused `bot_not_found` for what cannot be a bot's id */
function checkId(id: string): string {
  if (!BOT_ID_PATTERN.test(id)) throw refused('bot_not_found', 'There is no such bot.');
  return id;
}

/** How configuration or the endpoint's list defines the bot; null where only its object can know it. */
async function givenRef(deps: ServerDeps, id: string): Promise<BotRef | null> {
  const configured = configuredBots(deps.config).find((bot) => bot.id === id);
  if (configured) return refOf(configured);
  const { bots } = await deps.bots.list();
  const model = bots.find((bot) => bot.id === id);
  return model ? refOf(model) : null;
}

/** `known`: what it is called, where that was found out already. */
async function viewFor(deps: ServerDeps, c: Context<AppEnv>, id: string, known?: BotRef): Promise<BotView> {
  const ref = known ?? (await givenRef(deps, id));
  return askBot(deps, c.var.requestId, () => deps.control(id).view(ref));
}

function tagged(c: Context<AppEnv>, bot: BotView, status: 200 | 201 = 200): Response {
  c.header('etag', `"${bot.revision}"`);
  return c.json(bot, status);
}

/** The fields to change, and the revision that they are meant for: from `revision` or If-Match. */
function patchOf(
  body: Readonly<Record<string, unknown>>,
  ifMatch: string | undefined,
): { patch: BotSpecPatch; revision: number | undefined } {
  const { revision: said, ...patch } = body;
  if (said !== undefined && (typeof said !== 'number' || !Number.isSafeInteger(said) || said < 0)) {
    throw refused('bad_request', '"revision" must be the number of a revision.');
  }
  if (Object.keys(patch).length === 0) throw refused('bad_request', 'The body names nothing to change.');
  if (ifMatch === undefined || ifMatch.trim() === '*') return { patch, revision: said };
  const [, tag] = ENTITY_TAG.exec(ifMatch.trim()) ?? [];
  if (tag === undefined) throw refused('bad_request', 'If-Match must be the etag of one revision.');
  if (said !== undefined && said !== Number(tag)) {
    throw refused('bad_request', '"revision" and If-Match name different revisions.');
  }
  return { patch, revision: Number(tag) };
}
