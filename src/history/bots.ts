/** The bots' rows and their operators' actions in D1: written by the bots' objects, read by lists. */
import type { D1Database } from '@cloudflare/workers-types';
import { and, asc, desc, eq, gt, isNotNull, max, sql, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { decodeCursor, pageLimit, pageOf } from './cursor.ts';
import { audit, bots } from './schema.ts';

/** A bot as its object wrote it last. Times in ms since 1970. */
export interface StoredBot {
  id: string;
  name: string;
  model: string;
  state: string;
  /** JSON; null where configuration defines the bot. */
  spec: string | null;
  revision: number;
  deleted: boolean;
  /** JSON. */
  status: string;
  version: number;
  updatedAt: number;
}

/** A row as lists read it: without definitions, which may be long. */
export interface ListedBot extends Omit<StoredBot, 'deleted' | 'version' | 'spec'> {
  /** An operator defined it, or changed what configuration says. */
  hasSpec: boolean;
}

export interface StoredAction {
  bot: string;
  seq: number;
  at: number;
  actor: string;
  action: string;
  detail: Readonly<Record<string, unknown>>;
  /** Hex. */
  hash: string;
}

/** The same again changes nothing; an older row that arrives late loses. */
export async function publishBot(db: D1Database, bot: StoredBot, actions: readonly StoredAction[]): Promise<void> {
  const { id, name, model, state, spec, revision, deleted, status, version, updatedAt } = bot;
  const row = db
    .prepare(
      `INSERT INTO bots (id, name, model, state, spec, revision, deleted, status, version, updated_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
       ON CONFLICT (id) DO UPDATE SET name = ?2, model = ?3, state = ?4, spec = ?5, revision = ?6, deleted = ?7,
         status = ?8, version = ?9, updated_at = ?10 WHERE version < ?9`,
    )
    .bind(id, name, model, state, spec, revision, Number(deleted), status, version, updatedAt);
  if (actions.length === 0) {
    await row.run();
    return;
  }
  const entries = actions.map(({ bot: of, seq, at, actor, action, detail, hash }) => {
    return [of, seq, at, actor, action, JSON.stringify(detail), hash];
  });
  const log = db
    .prepare(
      `INSERT INTO audit (bot, seq, at, actor, action, detail, hash)
       SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6
       FROM json_each(?1) j WHERE true ON CONFLICT (bot, seq) DO NOTHING`,
    )
    .bind(JSON.stringify(entries));
  await db.batch([row, log]);
}

const listed = {
  id: bots.id,
  name: bots.name,
  model: bots.model,
  state: bots.state,
  hasSpec: isNotNull(bots.spec).mapWith(Boolean),
  revision: bots.revision,
  status: bots.status,
  updatedAt: bots.updatedAt,
};

export interface BotRows {
  /** In no order; without those that have no row. */
  named: ListedBot[];
  /** By id. */
  others: ListedBot[];
}

/** The rows of the bots in `ids`, and of up to `limit` others, by id after `after`; deleted ones are left out. */
export async function readBots(
  d1: D1Database,
  page: { ids: readonly string[]; except: readonly string[]; after: string; limit: number },
): Promise<BotRows> {
  const db = drizzle(d1);
  const isOther = sql`${bots.id} NOT IN (SELECT value FROM json_each(${JSON.stringify(page.except)}))`;
  const [named, others] = await db.batch([
    db.select(listed).from(bots).where(isNamed(page.ids)),
    db
      .select(listed)
      .from(bots)
      .where(and(gt(bots.id, page.after), eq(bots.deleted, false), isOther))
      .orderBy(asc(bots.id))
      .limit(page.limit),
  ]);
  return { named, others };
}

function isNamed(ids: readonly string[]): SQL | undefined {
  return and(sql`${bots.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`, eq(bots.deleted, false));
}

/** What operators defined or changed, as JSON, by id. */
export async function listDefinitions(d1: D1Database, limit: number): Promise<string[]> {
  const rows = await drizzle(d1)
    .select({ spec: bots.spec })
    .from(bots)
    .where(and(isNotNull(bots.spec), eq(bots.deleted, false)))
    .orderBy(asc(bots.id))
    .limit(limit);
  return rows.flatMap(({ spec }) => spec ?? []);
}

/** How a bot is called whose row is here; null where there is none, or where it was deleted. */
export async function findStoredBot(
  d1: D1Database,
  id: string,
): Promise<{ id: string; name: string; model: string } | null> {
  const columns = { id: bots.id, name: bots.name, model: bots.model };
  const [found] = await drizzle(d1)
    .select(columns)
    .from(bots)
    .where(isNamed([id]));
  return found ?? null;
}

export interface AuditPage {
  entries: StoredAction[];
  nextCursor: string | null;
}

const MAX_AUDIT_LIMIT = 200;

/** Newest first. @throws HistoryError `bad_request` for a cursor that is not from this list */
export async function listAudit(
  d1: D1Database,
  page: { bot?: string; cursor?: string; limit: number },
): Promise<AuditPage> {
  const limit = pageLimit(page.limit, MAX_AUDIT_LIMIT);
  const row = sql<number>`${audit}.rowid`;
  const wanted: SQL[] = [];
  if (page.bot !== undefined) wanted.push(eq(audit.bot, page.bot));
  if (page.cursor !== undefined) {
    const { at, key } = decodeCursor('audit', page.cursor);
    wanted.push(sql`(${audit.at}, ${row}) < (${at}, ${key})`);
  }
  const rows = await drizzle(d1)
    .select({
      row: row.as('row'),
      bot: audit.bot,
      seq: audit.seq,
      at: audit.at,
      actor: audit.actor,
      action: audit.action,
      detail: audit.detail,
      hash: audit.hash,
    })
    .from(audit)
    .where(and(...wanted))
    .orderBy(desc(audit.at), desc(row))
    .limit(limit + 1);
  const { shown, nextCursor } = pageOf('audit', rows, limit, ({ at, row: key }) => ({ at, key }));
  return {
    entries: shown.map(({ bot, seq, at, actor, action, detail, hash }) => {
      return { bot, seq, at, actor, action, detail: storedObject(detail), hash };
    }),
    nextCursor,
  };
}

export interface AuditHead {
  bot: string;
  /** The last entry that D1 has, and its hash (hex). */
  seq: number;
  hash: string;
}

/** Bots that have a log, by id, after `after`: how far D1 has it. */
export async function auditHeads(d1: D1Database, after: string, limit: number): Promise<AuditHead[]> {
  const heads = await drizzle(d1)
    // SQLite takes the other columns from the row that has the maximum.
    .select({ bot: audit.bot, seq: max(audit.seq), hash: audit.hash })
    .from(audit)
    .where(gt(audit.bot, after))
    .groupBy(audit.bot)
    .orderBy(asc(audit.bot))
    .limit(limit);
  return heads.map(({ bot, seq, hash }) => ({ bot, seq: seq ?? 0, hash }));
}

/** The same of one bot; none where D1 has nothing of its log. */
export async function auditHead(d1: D1Database, bot: string): Promise<AuditHead[]> {
  return drizzle(d1)
    .select({ bot: audit.bot, seq: audit.seq, hash: audit.hash })
    .from(audit)
    .where(eq(audit.bot, bot))
    .orderBy(desc(audit.seq))
    .limit(1);
}

/** What was stored as an object; empty where it is none. */
export function storedObject(json: string): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
