/** What operators did: read from D1, checked against the bots' own hash-chained logs. */
import { Hono } from 'hono';
import * as z from 'zod/mini';
import { BOT_ID_PATTERN } from '../protocol/ids.ts';
import type { AuditHead } from '../history/bots.ts';
import { describeError } from '../metrics/describe-error.ts';
import { requireOperator } from './access.ts';
import { askHistory } from './backends.ts';
import { readQuery } from './body.ts';
import type { AppEnv, ServerDeps } from './deps.ts';
import { limitParameter } from './parameters.ts';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;
/** Bots whose chains are walked by one call, each by a call to its object, a few at a time. */
const DEFAULT_VERIFIED_BOTS = 200;
const MAX_VERIFIED_BOTS = 500;
const VERIFIED_AT_ONCE = 8;

const botId = z.string().check(z.regex(BOT_ID_PATTERN));
const auditQuery = z.object({
  bot: z.optional(botId),
  cursor: z.optional(z.string()),
  limit: limitParameter(DEFAULT_PAGE, MAX_PAGE),
});
const verifyQuery = z.object({
  bot: z.optional(botId),
  cursor: z.optional(botId),
  limit: limitParameter(DEFAULT_VERIFIED_BOTS, MAX_VERIFIED_BOTS),
});

interface Broken {
  bot: string;
  seq: number;
  reason: string;
}

export function auditRoutes(deps: ServerDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/', async (c) => {
    await requireOperator(c.req.raw, deps);
    const { bot, cursor, limit } = readQuery(c.req.raw, auditQuery);
    const page = { limit, ...(bot === undefined ? {} : { bot }), ...(cursor === undefined ? {} : { cursor }) };
    return c.json(await askHistory(deps, c.var.requestId, () => deps.history.listAudit(page)));
  });

  app.get('/verify', async (c) => {
    await requireOperator(c.req.raw, deps);
    const { bot, cursor = '', limit } = readQuery(c.req.raw, verifyQuery);
    const heads = await askHistory(deps, c.var.requestId, () =>
      bot === undefined ? deps.history.auditHeads(cursor, limit + 1) : deps.history.auditHead(bot),
    );
    // A bot whose entries never came to D1 has its chain all the same.
    const asked = bot === undefined || heads.length > 0 ? heads.slice(0, limit) : [{ bot, seq: 0, hash: '' }];
    const results = await inTurns(asked, (head) => verifyBot(deps, head));
    const broken = results.flatMap((result) => result.broken ?? []);
    const nextCursor = heads.length > limit ? (asked.at(-1)?.bot ?? null) : null;
    return c.json({
      ok: broken.length === 0,
      bots: asked.length,
      entries: results.reduce((sum, { entries }) => sum + entries, 0),
      broken,
      nextCursor,
    });
  });

  return app;
}

/** Walks one bot's chain, and holds what D1 has against it. */
async function verifyBot(
  deps: ServerDeps,
  { bot, seq, hash }: AuditHead,
): Promise<{ entries: number; broken: Broken | null }> {
  try {
    const { entries, head, brokenAt } = await deps.control(bot).verify();
    if (brokenAt) return { entries, broken: { bot, ...brokenAt } };
    if (seq > entries) {
      return { entries, broken: { bot, seq: entries + 1, reason: 'D1 has an entry that the log has not' } };
    }
    if (seq === entries && seq > 0 && hash !== head) {
      return { entries, broken: { bot, seq, reason: 'the last entry in D1 is not the one in the log' } };
    }
    return { entries, broken: null };
  } catch (error) {
    deps.report('audit_verify_failed', { bot, ...describeError(error) });
    return { entries: 0, broken: { bot, seq: 0, reason: 'the bot did not answer: nothing is known of its log' } };
  }
}

async function inTurns<In, Out>(inputs: readonly In[], work: (input: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (let at = 0; at < inputs.length; at += VERIFIED_AT_ONCE) {
    results.push(...(await Promise.all(inputs.slice(at, at + VERIFIED_AT_ONCE).map(work))));
  }
  return results;
}
