/**
 * A user's sessions, the one that was used last first. When that was is read from each session's
 * newest message instead of being kept in its row: a read of one row costs a thousandth of the
 * write that every turn would need, and nothing can disagree.
 */
import type { D1Database } from '@cloudflare/workers-types';
import { and, desc, eq, sql, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { BotRef } from '../protocol/values.ts';
import { decodeCursor, pageLimit, pageOf } from './cursor.ts';
import { PREVIEW_LENGTH, previewOf, type MessagePreview } from './preview.ts';
import { SESSION_SPAN } from './row-id.ts';
import { messages, sessions } from './schema.ts';

const MAX_LIST_LIMIT = 100;

export interface SessionFilter {
  /** Only archived ones, or only the others; absent: both. */
  archived?: boolean;
  folder?: string;
  bot?: string;
}

/** Times in ms since 1970. */
export interface ListedSession {
  id: string;
  bot: BotRef;
  title: string;
  archived: boolean;
  folder: string;
  createdAt: number;
  /** When the newest message came; `createdAt` while there is none. */
  lastAt: number;
  /** The newest message that counts: not withdrawn, not replaced. */
  lastMessage: MessagePreview | null;
}

export interface SessionPage {
  sessions: ListedSession[];
  nextCursor: string | null;
}

/** @throws HistoryError `bad_request` for a cursor that is not from this list */
export async function listSessions(
  d1: D1Database,
  user: string,
  page: SessionFilter & { cursor?: string; limit: number },
): Promise<SessionPage> {
  const limit = pageLimit(page.limit, MAX_LIST_LIMIT);
  const rows = await pageQuery(d1, user, page, limit + 1);
  const { shown, nextCursor } = pageOf('sessions', rows, limit, ({ session }) => {
    return { at: session.lastAt, key: session.num };
  });
  return {
    sessions: shown.map(({ session, message }) => ({
      id: session.id,
      bot: { id: session.botId, name: session.botName, model: session.botModel },
      title: session.title,
      archived: session.archived,
      folder: session.folder,
      createdAt: session.createdAt,
      lastAt: session.lastAt,
      lastMessage: message ? previewOf(message) : null,
    })),
    nextCursor,
  };
}

/** The rows of a session's messages, for an alias of `messages` and a column that holds the session's number. */
function rowsOf(alias: string, num: string): SQL {
  return sql.raw(`${alias}.id BETWEEN ${num} * ${SESSION_SPAN} AND ${num} * ${SESSION_SPAN} + ${SESSION_SPAN - 1}`);
}

function pageQuery(d1: D1Database, user: string, page: SessionFilter & { cursor?: string }, limit: number) {
  const db = drizzle(d1);
  const wanted: SQL[] = [eq(sessions.userId, user)];
  if (page.archived !== undefined) wanted.push(eq(sessions.archived, page.archived));
  if (page.folder !== undefined) wanted.push(eq(sessions.folder, page.folder));
  if (page.bot !== undefined) wanted.push(eq(sessions.botId, page.bot));
  const newest = sql<number>`coalesce((SELECT m.at FROM messages m WHERE ${rowsOf('m', 'sessions.num')}
    ORDER BY m.id DESC LIMIT 1), sessions.created_at)`;
  const mine = db
    .select({
      num: sessions.num,
      id: sessions.id,
      botId: sessions.botId,
      botName: sessions.botName,
      botModel: sessions.botModel,
      title: sessions.title,
      archived: sessions.archived,
      folder: sessions.folder,
      createdAt: sessions.createdAt,
      lastAt: newest.as('last_at'),
    })
    .from(sessions)
    .where(and(...wanted))
    .as('mine');
  const place = page.cursor === undefined ? undefined : decodeCursor('sessions', page.cursor);
  const shown = db
    .select()
    .from(mine)
    .where(place && sql`(${mine.lastAt}, ${mine.num}) < (${place.at}, ${place.key})`)
    .orderBy(desc(mine.lastAt), desc(mine.num))
    .limit(limit)
    .as('shown');
  return db
    .select({
      session: {
        num: shown.num,
        id: shown.id,
        botId: shown.botId,
        botName: shown.botName,
        botModel: shown.botModel,
        title: shown.title,
        archived: shown.archived,
        folder: shown.folder,
        createdAt: shown.createdAt,
        lastAt: shown.lastAt,
      },
      message: {
        id: messages.id,
        turn: messages.turn,
        role: messages.role,
        status: messages.status,
        at: messages.at,
        clientId: messages.clientId,
        attempt: messages.attempt,
        text: sql<string>`substr(${messages.text}, 1, ${PREVIEW_LENGTH + 1})`,
      },
    })
    .from(shown)
    .leftJoin(
      messages,
      sql`${messages.id} = (SELECT p.id FROM messages p WHERE ${rowsOf('p', 'shown.num')}
        AND p.status NOT IN ('cancelled', 'superseded') ORDER BY p.id DESC LIMIT 1)`,
    )
    .orderBy(desc(shown.lastAt), desc(shown.num));
}
