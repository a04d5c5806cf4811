/**
 * Brings D1 up to a session's log. Whatever is delivered again, in part or as a whole, changes
 * nothing; nothing is retried here and nothing is left half done: a run that fails is delivered again.
 */
import type { D1Database, D1Result } from '@cloudflare/workers-types';
import type { LogRecord } from '../protocol/records.ts';
import { isReviser, type BotStatus, type Message } from '../protocol/transcript.ts';
import { HistoryError } from './error.ts';
import { project, type Projection, type Stored } from './projection.ts';
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

/** What one session brings: a run of its log, in order and without gaps. */
export interface Delivery {
  session: SessionKey;
  records: readonly LogRecord[];
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
): Promise<void> {
  for (const run of runsOf(records)) await projectRun(db, session, run);
}

/**
 * Writes what several sessions bring as one batch: all of it or nothing. No record may change messages before it
 * (`isReviser`), no session may come twice, and all of it must be within the bounds of one run.
 * @throws whatever D1 throws
 */
export async function projectTogether(db: D1Database, deliveries: readonly Delivery[]): Promise<void> {
  const parts = deliveries.map(({ session, records }) => {
    checkSeqs(records);
    return { key: session, changes: project(records, []) };
  });
  await write(db, parts);
}

async function projectRun(db: D1Database, key: SessionKey, run: readonly LogRecord[]): Promise<void> {
  checkSeqs(run);
  const changes = project(run, run.some(isReviser) ? await readRevised(db, key, run) : []);
  const { inserts, revisions } = changes;
  const results = await write(db, [{ key, changes }]);
  const revised = revisions.length > 0 ? results.at(-1)?.results.length : 0;
  const changed = inserts.filter(({ message, rev }) => rev !== message.seq);
  if (revised !== revisions.length || (changed.length > 0 && (await isOlderThere(db, key, run, changed)))) {
    // The rows were read before the batch; in between an older delivery arrived, or the session was
    // deleted. What was not written is found out by reading again.
    throw new HistoryError('unavailable', 'The messages changed while they were being written.');
  }
}

/** Whether one of the rows that were to be there as `changed` from the first is there as an older delivery brought it. */
async function isOlderThere(
  db: D1Database,
  key: SessionKey,
  run: readonly LogRecord[],
  changed: readonly Stored[],
): Promise<boolean> {
  const revs = new Map(changed.map(({ message, rev }) => [message.seq, rev]));
  return (await readRevised(db, key, run)).some(({ message, rev }) => rev < (revs.get(message.seq) ?? 0));
}

function checkSeqs(records: readonly LogRecord[]): void {
  for (const { seq } of records) checkSeq(seq);
}

/** What one session's run changes. */
interface Part {
  key: SessionKey;
  changes: Projection;
}

/** All parts as one batch. Returns its results, those of the last part's revisions at the end. */
async function write(db: D1Database, parts: readonly Part[]): Promise<D1Result[]> {
  // The sessions first: the other statements find them by then.
  const sessions = parts.flatMap(({ key, changes: { created, settings } }) => [
    ...(created ? [insertSession(db, key, created)] : []),
    ...(settings ? [updateSettings(db, key, settings)] : []),
  ]);
  const inserts = parts
    .map(({ key, changes }) => ({ key, rows: changes.inserts }))
    .filter(({ rows }) => rows.length > 0);
  const revising = parts.filter(({ changes }) => changes.revisions.length > 0);
  const indexed = inserts.length > 0 ? indexInserts(db, inserts) : null;
  // Index statements look at the rows as they were, so they come before those that write them.
  const index = [
    ...(indexed ? [indexed] : []),
    ...revising.flatMap(({ key, changes }) => reindex(db, key, changes.revisions)),
  ];
  const tables = [
    ...(inserts.length > 0 ? [insertMessages(db, inserts)] : []),
    ...revising.map(({ key, changes }) => reviseMessages(db, key, changes.revisions)),
  ];
  const statements = [...sessions, ...index, ...tables];
  return statements.length === 0 ? [] : db.batch(statements);
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
