/** The bots one may talk to. What they generate with stays inside: users see no addresses, no prompts. */
import { Hono } from 'hono';
import type { BotDefinition } from '../bots/definition.ts';
import { modelAvailable, type EndpointState } from '../bots/directory.ts';
import { BOT_ID_PATTERN } from '../bots/spec.ts';
import { isOperator } from './access.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { RequestRefused, refused } from './problem.ts';

export function botRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { config } = deps;

  app.get('/', async (c) => {
    const { bots, endpoint } = await deps.bots.list();
    const url = (await isOperator(c.req.raw, deps)) ? { url: config.endpoint.baseUrl } : {};
    return c.json({
      bots: bots.map((bot) => view(deps, bot, endpoint)),
      nextCursor: null,
      source: { kind: config.modelSource, ...url },
      endpoint: endpoint.reachable ? { reachable: true } : endpoint,
    });
  });

  app.get('/:bot', async (c) => {
    const bot = await findBot(deps, c.req.param('bot'));
    const { endpoint } = await deps.bots.list();
    return c.json(view(deps, bot, endpoint));
  });

  app.get('/:bot/status', async (c) => {
    const { id, name, settings } = await findBot(deps, c.req.param('bot'));
    return c.json({ id, name, state: 'running', model: settings.model });
  });

  return app;
}

/** @throws RequestRefused `bot_not_found`; `unavailable` when only the endpoint could tell and it does not answer */
export async function findBot(deps: ServerDeps, id: string): Promise<BotDefinition> {
  if (!BOT_ID_PATTERN.test(id)) throw refused('bot_not_found', 'There is no such bot.');
  const found = await deps.bots.find(id);
  if (!found.ok) throw new RequestRefused(found.error);
  return found.value;
}

/** `available`: whether the model is there; null where nobody can tell. */
function view(deps: ServerDeps, bot: BotDefinition, endpoint: EndpointState) {
  const { id, name, settings } = bot;
  const available = modelAvailable(bot, deps.config, endpoint);
  return { id, name, model: settings.model, state: 'running', available };
}
