/** Alerts that fire or fired, newest first. */
import { Hono } from 'hono';
import * as z from 'zod/mini';
import { ALERT_RULES } from '../metrics/alert-rules.ts';
import { requireOperator } from './access.ts';
import { askHistory } from './backends.ts';
import { readQuery } from './body.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { limitParameter } from './parameters.ts';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 100;

const alertQuery = z.object({
  state: z.optional(z.enum(['firing', 'resolved'])),
  bot: z.optional(z.string()),
  cursor: z.optional(z.string()),
  limit: limitParameter(DEFAULT_PAGE, MAX_PAGE),
});

export function alertRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/', async (c) => {
    await requireOperator(c.req.raw, deps);
    const { state, bot, cursor, limit } = readQuery(c.req.raw, alertQuery);
    const page = {
      limit,
      ...(state === undefined ? {} : { firing: state === 'firing' }),
      ...(bot === undefined ? {} : { bot }),
      ...(cursor === undefined ? {} : { cursor }),
    };
    const { alerts, nextCursor } = await askHistory(deps, c.var.requestId, () => deps.history.listAlerts(page));
    return c.json({ alerts: alerts.map((alert) => ({ ...alert, summary: summaryOf(alert.rule) })), nextCursor });
  });

  return app;
}

/** Null for a rule that an older version had. */
function summaryOf(rule: string): string | null {
  return ALERT_RULES.find(({ name }) => name === rule)?.summary ?? null;
}
