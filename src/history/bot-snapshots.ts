/** The bots' own rows as metrics are made from them. */
import type { D1Database } from '@cloudflare/workers-types';
import { asc, count, desc, eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { bots } from './schema.ts';

export interface BotSnapshotRow {
  id: string;
  model: string;
  state: string;
  /** JSON, as the bot's object wrote it. */
  status: string;
  /** ms since 1970 */
  updatedAt: number;
}

export interface BotSnapshots {
  rows: BotSnapshotRow[];
  /** Bots there are, with those beyond `limit`. */
  known: number;
}

/** At most `limit` bots: those that wrote last, since the others' numbers do not move. */
export async function listBotSnapshots(d1: D1Database, limit: number): Promise<BotSnapshots> {
  const db = drizzle(d1);
  const [rows, [total]] = await db.batch([
    db
      .select({ id: bots.id, model: bots.model, state: bots.state, status: bots.status, updatedAt: bots.updatedAt })
      .from(bots)
      .where(eq(bots.deleted, false))
      .orderBy(desc(bots.updatedAt), asc(bots.id))
      .limit(limit),
    db.select({ known: count() }).from(bots).where(eq(bots.deleted, false)),
  ]);
  return { rows, known: total?.known ?? rows.length };
}
