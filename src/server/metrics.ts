/** What Prometheus reads. Everything comes from D1, where each bot keeps its own row: no object is woken. */
import { Hono } from 'hono';
import { botFamilies } from '../metrics/bot-metrics.ts';
import { readSnapshot } from '../metrics/bot-sample.ts';
import { EXPOSITION_TYPE, renderExposition } from '../metrics/exposition.ts';
import { requireOperator } from './access.ts';
import { askHistory } from './backends.ts';
import type { AppEnv, ServerDeps } from './deps.ts';

/** A bot is about 130 lines: so many are 5 MB, as much as a scrape should be. */
const MAX_BOTS_PER_SCRAPE = 500;

export function metricsRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/', async (c) => {
    await requireOperator(c.req.raw, deps);
    const { rows, known } = await askHistory(deps, c.var.requestId, () =>
      deps.history.listBotSnapshots(MAX_BOTS_PER_SCRAPE),
    );
    const bots = rows.flatMap(({ status, ...row }) => {
      const snapshot = readSnapshot(status);
      return snapshot === null ? [] : [{ ...row, snapshot }];
    });
    const leftOut = known - rows.length;
    const families = botFamilies({ bots, known, leftOut, unreadable: rows.length - bots.length, now: deps.now() });
    return c.body(renderExposition(families), 200, { 'content-type': EXPOSITION_TYPE });
  });

  return app;
}
