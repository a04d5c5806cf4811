/**
 * Full-text search over one's own messages, the newest first: people look for something they
 * remember having talked about, and know roughly when. Relevance by word statistics would put
 * the shortest message first, shuffles with every new one, and cannot be paged stably.
 */
import type { D1Database } from '@cloudflare/workers-types';
import type { BotRef } from '../protocol/values.ts';
import { decodeCursor, pageLimit, pageOf, type Place } from './cursor.ts';
import { excerptOf, type Excerpt } from './excerpt.ts';
import { PREVIEW_LENGTH, previewOf, type MessagePreview, type PreviewRow } from './preview.ts';
import { matchExpression, parseQuery, type Phrase } from './query.ts';
import { SESSION_SPAN } from './row-id.ts';

/** Hits of one page: a hit's whole text, up to 768 KB, is read to find the matches in it. */
const MAX_SEARCH_LIMIT = 20;
/** Messages shown before and after each hit. */
const CONTEXT_MESSAGES = 2;

export interface SearchFilter {
  /** The bot that the session belongs to. */
  bot?: string;
  /** Messages at or after this time, ms since 1970. */
  from?: number;
  /** Messages before this time, ms since 1970. */
  to?: number;
}

export interface SearchHit {
  session: { id: string; title: string; bot: BotRef };
  message: MessagePreview;
  excerpt: Excerpt;
  /** Up to CONTEXT_MESSAGES of the same session on each side, in order; withdrawn and replaced ones left out. */
  before: MessagePreview[];
  after: MessagePreview[];
}

export interface SearchPage {
  hits: SearchHit[];
  nextCursor: string | null;
}

/**
 * The user's messages that hold all of the query's words; any text is a valid query.
 * @throws HistoryError `bad_request` for a cursor that is not from a search
 */
export async function searchMessages(
  db: D1Database,
  user: string,
  search: SearchFilter & { query: string; cursor?: string; limit: number },
): Promise<SearchPage> {
  const limit = pageLimit(search.limit, MAX_SEARCH_LIMIT);
  const place = search.cursor === undefined ? null : decodeCursor('search', search.cursor);
  const phrases = parseQuery(search.query);
  if (phrases.length === 0) return { hits: [], nextCursor: null };
  const rows = await findHits(db, user, phrases, search, place, limit + 1);
  const { shown, nextCursor } = pageOf('search', rows, limit, ({ at, id: key }) => ({ at, key }));
  const context = shown.length === 0 ? [] : await findContext(db, shown);
  return {
    hits: shown.map((row) => {
      const around = context.filter(({ hit }) => hit === row.id);
      return {
        session: { id: row.session, title: row.title, bot: { id: row.botId, name: row.botName, model: row.botModel } },
        message: previewOf(row),
        excerpt: excerptOf(row.text, phrases),
        before: around.filter(({ id }) => id < row.id).map(previewOf),
        after: around.filter(({ id }) => id > row.id).map(previewOf),
      };
    }),
    nextCursor,
  };
}

interface HitRow extends PreviewRow {
  session: string;
  title: string;
  botId: string;
  botName: string;
  botModel: string;
}

/** Times and keys first, texts only for the page. CROSS JOIN: the index must be what is walked. */
async function findHits(
  db: D1Database,
  user: string,
  phrases: readonly Phrase[],
  filter: SearchFilter,
  place: Place | null,
  limit: number,
): Promise<HitRow[]> {
  const { results } = await db
    .prepare(
      `WITH hits AS MATERIALIZED (
         SELECT m.id, m.at, s.num
         FROM messages_fts CROSS JOIN messages m ON m.id = messages_fts.rowid
           CROSS JOIN sessions s ON s.num = m.id / ${SESSION_SPAN}
         WHERE messages_fts MATCH ?1 AND s.user_id = ?2 AND (?3 IS NULL OR s.bot_id = ?3)
           AND m.at >= ?4 AND m.at < ?5 AND (m.at, m.id) < (?6, ?7)
         ORDER BY m.at DESC, m.id DESC LIMIT ?8
       )
       SELECT m.id, m.turn, m.role, m.status, m.at, m.client_id AS clientId, m.attempt, m.text,
         s.id AS session, s.title, s.bot_id AS botId, s.bot_name AS botName, s.bot_model AS botModel
       FROM hits CROSS JOIN messages m ON m.id = hits.id CROSS JOIN sessions s ON s.num = hits.num
       ORDER BY m.at DESC, m.id DESC`,
    )
    .bind(
      matchExpression(user, phrases),
      user,
      filter.bot ?? null,
      filter.from ?? 0,
      filter.to ?? Number.MAX_SAFE_INTEGER,
      place?.at ?? Number.MAX_SAFE_INTEGER,
      place?.key ?? 0,
      limit,
    )
    .all<HitRow>();
  return results;
}

interface ContextRow extends PreviewRow {
  hit: number;
}

async function findContext(db: D1Database, hits: readonly HitRow[]): Promise<ContextRow[]> {
  const beside = (condition: string, order: string) =>
    `SELECT id FROM (SELECT n.id FROM messages n WHERE ${condition} AND n.status NOT IN ('cancelled', 'superseded')
       ORDER BY n.id ${order} LIMIT ${CONTEXT_MESSAGES})`;
  const first = `j.value / ${SESSION_SPAN} * ${SESSION_SPAN}`;
  const { results } = await db
    .prepare(
      `SELECT j.value AS hit, m.id, m.turn, m.role, m.status, m.at, m.client_id AS clientId, m.attempt,
         substr(m.text, 1, ${PREVIEW_LENGTH + 1}) AS text
       FROM json_each(?1) j CROSS JOIN messages m ON m.id IN (
         ${beside(`n.id >= ${first} AND n.id < j.value`, 'DESC')}
         UNION ALL ${beside(`n.id > j.value AND n.id < ${first} + ${SESSION_SPAN}`, 'ASC')})
       ORDER BY j.key, m.id`,
    )
    .bind(JSON.stringify(hits.map(({ id }) => id)))
    .all<ContextRow>();
  return results;
}
