/** What bots' retention asks of D1: which bots forget, and which sessions nobody has said anything in for too long. */
import type { D1Database } from '@cloudflare/workers-types';
import { SESSION_SPAN } from './row-id.ts';

/** Every bot that an operator defined; `days` null where its sessions are kept. Deleted ones go on forgetting. */
export async function storedRetention(db: D1Database): Promise<{ bot: string; days: number | null }[]> {
  const { results } = await db
    .prepare(`SELECT id AS bot, spec ->> 'retentionDays' AS days FROM bots WHERE spec IS NOT NULL`)
    .all<{ bot: string; days: number | null }>();
  return results;
}

export interface QuietSession {
  num: number;
  id: string;
  user: string;
  bot: string;
  /** Nothing was said since then (ms since 1970), as far as D1 knows. */
  before: number;
}

/**
 * Sessions of these bots in which nothing was said since `before`, in the order of their numbers, after
 * `after`. One walk over the sessions for all bots together.
 */
export async function quietSessions(
  db: D1Database,
  rules: readonly { bot: string; before: number }[],
  { after, limit }: { after: number; limit: number },
): Promise<QuietSession[]> {
  const { results } = await db
    .prepare(
      `SELECT s.num, s.id, s.user_id AS user, s.bot_id AS bot, r.value ->> 1 AS before
       FROM sessions s JOIN json_each(?1) r ON r.value ->> 0 = s.bot_id
       WHERE s.num > ?2 AND s.created_at < r.value ->> 1
         AND coalesce((SELECT m.at FROM messages m
           WHERE m.id BETWEEN s.num * ${SESSION_SPAN} AND s.num * ${SESSION_SPAN} + ${SESSION_SPAN - 1}
           ORDER BY m.id DESC LIMIT 1), 0) < r.value ->> 1
       ORDER BY s.num LIMIT ?3`,
    )
    .bind(JSON.stringify(rules.map(({ bot, before }) => [bot, before])), after, limit)
    .all<QuietSession>();
  return results;
}
