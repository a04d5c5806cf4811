/**
 * Brings D1 up to a session's log. Whatever is delivered again, in part or as a whole, changes
 * nothing; nothing is retried here and nothing is left half done: a run that fails is delivered again.
 */
import type { D1Database, D1PreparedStatement, D1Result } from '@cloudflare/workers-types';
import type { LogRecord } from '../protocol/records.ts';
import type { BotStatus, Message } from '../protocol/transcript.ts';
import { HistoryError } from './error.ts';
import { isReviser, project, type Stored } from './projection.ts';
import { checkSeq, seqOf, SESSION_SPAN } from './row-id.ts';
import { runsOf } from './run.ts';
import {
  indexInserts,
  insertMessages,
  insertSession,
  reindex,
  reviseMessages,
  updateSettings,
  type SessionKey,
} from './statements.ts';

/** Rows written as D1 counts and bills them. */
export interface Written {
  /** In the tables, secondary indexes included. */
  rowsWritten: number;
  /** In the search index. */
  indexRowsWritten: number;
}

/**
 * Writes what `records` mean: a run of the session's log, in order and without gaps, of any length.
 * @throws HistoryError `unavailable` when another delivery of the same session came between
 * @throws whatever D1 throws; runs before the failing one stay written
 */
export async function projectRecords(
  db: D1Database,
  session: SessionKey,
  records: readonly LogRecord[],
): Promise<Written> {
  const written: Written = { rowsWritten: 0, indexRowsWritten: 0 };
  for (const run of runsOf(records)) {
    const part = await projectRun(db, session, run);
    written.rowsWritten += part.rowsWritten;
    written.indexRowsWritten += part.indexRowsWritten;
  }
  return written;
}

async function projectRun(db: D1Database, key: SessionKey, run: readonly LogRecord[]): Promise<Written> {
  for (const record of run) checkSeq(record.seq);
  const stored = run.some(isReviser) ? await readRevised(db, key, run) : [];
  const { created, settings, inserts, revisions } = project(run, stored);
  const tables: D1PreparedStatement[] = [];
  const index: D1PreparedStatement[] = [];
  // The session first: the other statements find it by then.
  if (created) tables.push(insertSession(db, key, created));
  if (settings) tables.push(updateSettings(db, key, settings));
  const before = tables.length;
  const indexed = inserts.length > 0 ? indexInserts(db, key, inserts) : null;
  if (indexed) index.push(indexed);
  if (revisions.length > 0) index.push(...reindex(db, key, revisions));
  if (inserts.length > 0) tables.push(insertMessages(db, key, inserts));
  if (revisions.length > 0) tables.push(reviseMessages(db, key, revisions));
  if (tables.length === 0) return { rowsWritten: 0, indexRowsWritten: 0 };

  // Index statements look at the rows as they were, so they come before those that write them.
  const results = await db.batch([...tables.slice(0, before), ...index, ...tables.slice(before)]);
  const revised = revisions.length > 0 ? results.at(-1)?.results.length : 0;
  if (revised !== revisions.length) {
    // The rows were read before the batch; in between an older delivery arrived, or the session was
    // deleted. What was not written is found out by reading again.
    throw new HistoryError('unavailable', 'The messages changed while they were being written.');
  }
  const count = (part: readonly D1Result[]) => part.reduce((sum, result) => sum + result.meta.rows_written, 0);
  const indexRowsWritten = count(results.slice(before, before + index.length));
  return { rowsWritten: count(results) - indexRowsWritten, indexRowsWritten };
}

interface AnyRow {
  id: number;
  turn: number;
  rev: number;
  at: number;
  text: string;
}
type RevisedRow = AnyRow &
  (
    | { role: 'user'; status: 'accepted' | 'cancelled'; client_id: string; priority: number }
    | { role: 'bot'; status: BotStatus; attempt: number }
  );

/**
 * The rows that the run's revisers are about. The answers of a turn have no index of their own:
 * they lie between their turn and the record that replaces them, and reading is a thousand times
 * cheaper than the row an index would cost with every message.
 */
async function readRevised(db: D1Database, key: SessionKey, run: readonly LogRecord[]): Promise<Stored[]> {
  const ranges = run.filter(isReviser).map(({ turn, seq, kind }) => [turn, kind === 'regenerated' ? seq : turn]);
  const { results } = await db
    .prepare(
      `SELECT DISTINCT m.id, m.turn, m.rev, m.role, m.status, m.at, m.client_id, m.priority, m.attempt, m.text
       FROM json_each(?1) j JOIN sessions s ON s.id = ?2 AND s.user_id = ?3
       JOIN messages m ON m.id BETWEEN s.num * ${SESSION_SPAN} + (j.value ->> 0) AND s.num * ${SESSION_SPAN} + (j.value ->> 1)
         AND m.turn = (j.value ->> 0)`,
    )
    .bind(JSON.stringify(ranges), key.id, key.user)
    .all<RevisedRow>();
  return results.map((row) => ({ message: messageOfRow(row), rev: row.rev }));
}

/** A row as far as revising needs it: without model, usage, error and thinking, which never change. */
function messageOfRow(row: RevisedRow): Message {
  const { turn, at, text } = row;
  const common = { seq: seqOf(row.id), turn, at, text };
  if (row.role === 'user') {
    return { ...common, role: 'user', id: row.client_id, priority: row.priority, status: row.status };
  }
  return { ...common, role: 'bot', id: `${turn}.${row.attempt}`, attempt: row.attempt, status: row.status };
}
