/** Alerts that fire or fired, for operators to read: written by the bots' objects, newest first in lists. */
import type { D1Database } from '@cloudflare/workers-types';
import { and, desc, eq, isNotNull, isNull, lt, sql, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { decodeCursor, pageLimit, pageOf } from './cursor.ts';
import { alerts } from './schema.ts';

const MAX_LIST_LIMIT = 100;
/** Alerts that are over are kept this long. */
const KEEP_RESOLVED_MS = 90 * 24 * 60 * 60_000;

/** See AlertView. Times in ms since 1970. */
export interface ListedAlert {
  bot: string;
  rule: string;
  severity: 'warning' | 'critical';
  startedAt: number;
  resolvedAt: number | null;
  value: number;
  threshold: number;
}

export interface AlertFilter {
  /** Only those that fire, or only those that are over; absent: both. */
  firing?: boolean;
  bot?: string;
}

export interface AlertPage {
  alerts: ListedAlert[];
  nextCursor: string | null;
}

/** @throws HistoryError `bad_request` for a cursor that is not from this list */
export async function listAlerts(
  d1: D1Database,
  page: AlertFilter & { cursor?: string; limit: number },
): Promise<AlertPage> {
  const limit = pageLimit(page.limit, MAX_LIST_LIMIT);
  const place = page.cursor === undefined ? undefined : decodeCursor('alerts', page.cursor);
  const row = sql<number>`${alerts}.rowid`;
  const wanted: SQL[] = [];
  if (page.bot !== undefined) wanted.push(eq(alerts.bot, page.bot));
  if (page.firing !== undefined) wanted.push(page.firing ? isNull(alerts.resolvedAt) : isNotNull(alerts.resolvedAt));
  if (place) wanted.push(sql`(${alerts.startedAt}, ${row}) < (${place.at}, ${place.key})`);
  const rows = await drizzle(d1)
    .select({
      row: row.as('row'),
      alert: {
        bot: alerts.bot,
        rule: alerts.rule,
        severity: alerts.severity,
        startedAt: alerts.startedAt,
        resolvedAt: alerts.resolvedAt,
        value: alerts.value,
        threshold: alerts.threshold,
      },
    })
    .from(alerts)
    .where(and(...wanted))
    .orderBy(desc(alerts.startedAt), desc(row))
    .limit(limit + 1);
  const { shown, nextCursor } = pageOf('alerts', rows, limit, ({ alert, row: key }) => ({ at: alert.startedAt, key }));
  return { alerts: shown.map(({ alert }) => alert), nextCursor };
}

/**
 * Writes what became of alerts; the same again is harmless, and an alert that is over stays over
 * when its beginning is delivered late. Forgets what was over long ago. One statement for each and one more, of which
 * D1 counts 50 an invocation on the free plan.
 */
export async function writeAlerts(d1: D1Database, changed: readonly ListedAlert[], now: number): Promise<void> {
  const db = drizzle(d1);
  const forget = db
    .delete(alerts)
    .where(and(lt(alerts.startedAt, now - KEEP_RESOLVED_MS), isNotNull(alerts.resolvedAt)));
  const writes = changed.map((alert) =>
    db
      .insert(alerts)
      .values(alert)
      .onConflictDoUpdate({
        target: [alerts.bot, alerts.rule, alerts.severity, alerts.startedAt],
        set: {
          resolvedAt: sql`coalesce(excluded.resolved_at, ${alerts.resolvedAt})`,
          value: sql`max(excluded.value, ${alerts.value})`,
        },
      }),
  );
  await db.batch([forget, ...writes]);
}
