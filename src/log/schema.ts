/**
 * Tables inside a session's object. A turn costs three rows here (the message, its id in the index,
 * the answer): see SPEC.md for the budget.
 */
import * as z from 'zod/mini';
import type { SqlPort } from './sql.ts';

const TABLES = [
  // `state` is the session's state after the record: the last row alone is enough to boot from.
  `CREATE TABLE log (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     kind TEXT NOT NULL,
     turn INTEGER,
     client_id TEXT,
     body TEXT,
     state TEXT NOT NULL,
     digest BLOB NOT NULL,
     hash BLOB NOT NULL
   )`,
  // Partial, so that only messages pay for it: an id is unique in its session for ever.
  `CREATE UNIQUE INDEX log_client_id ON log (client_id) WHERE client_id IS NOT NULL`,
  `CREATE TABLE session (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     id TEXT NOT NULL,
     owner TEXT NOT NULL,
     delivered INTEGER NOT NULL DEFAULT 0,
     removed INTEGER NOT NULL DEFAULT 0
   )`,
];

/**
 * Changes to earlier messages are rare: the first one makes their index. Most sessions never have it, nor pay for it
 * with a page and a statement kept in memory. Versions before this one made it at once and do not make it later: what
 * they change in a session that began here is not seen.
 */
const REVISIONS = `CREATE INDEX IF NOT EXISTS log_revisions ON log (turn)
  WHERE kind IN ('edited', 'cancelled', 'regenerated')`;

/** Whether this object holds a session; asking writes nothing, so that a wrong id leaves no trace. */
export function hasTables(sql: SqlPort): boolean {
  return sql.exec(`SELECT name FROM sqlite_master WHERE name = 'session'`).toArray().length > 0;
}

export function createTables(sql: SqlPort): void {
  for (const table of TABLES) sql.exec(table);
}

export function createRevisionsIndex(sql: SqlPort): void {
  sql.exec(REVISIONS);
}

const flag = z.codec(z.int(), z.boolean(), { decode: (value) => value === 1, encode: Number });
const bootRow = z.object({
  id: z.string(),
  owner: z.string(),
  delivered: z.int(),
  removed: flag,
  revised: flag,
  seq: z.nullable(z.int()),
  hash: z.nullable(z.instanceof(ArrayBuffer)),
  state: z.nullable(z.string()),
});

/** Everything that an object needs to know at its start; the last three are null for an empty log. */
export type Boot = z.infer<typeof bootRow>;

const BOOT = `SELECT id, owner, delivered, removed,
    EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'log_revisions') AS revised, seq, hash, state
  FROM session LEFT JOIN (SELECT seq, hash, state FROM log ORDER BY seq DESC LIMIT 1) ON true`;

/** @throws where the row is not as it was written: the storage is damaged */
export function readBoot(sql: SqlPort): Boot {
  return bootRow.parse(sql.exec(BOOT).toArray()[0]);
}
