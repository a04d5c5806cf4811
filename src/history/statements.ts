/**
 * The writes of projections as D1 statements. Many rows, of many sessions, travel as one JSON parameter (a
 * statement takes 100 parameters, and one statement costs one parse). Every statement finds its sessions
 * by id and user, so that nothing is written for one that was deleted meanwhile.
 *
 * Each statement changes nothing where its effect is already there, and index and row change
 * under the same condition in the same transaction: the index holds exactly the terms of the row.
 */
import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types';
import type { Message } from '../protocol/transcript.ts';
import { searchableText, type Projection, type Revision, type Settings, type Stored } from './projection.ts';
import { SESSION_SPAN } from './row-id.ts';
import { indexedTerms } from './terms.ts';

/** Whose log is being written. */
export interface SessionKey {
  id: string;
  user: string;
}

/** Rows that belong to one session's messages, each led by the record's `seq`. */
export interface SessionRows<Row> {
  key: SessionKey;
  rows: readonly Row[];
}

// No CROSS JOIN: an UPDATE from it would walk through all messages there are.
const ROWS = `json_each(?1) d JOIN sessions s ON s.id = (d.value ->> 0) AND s.user_id = (d.value ->> 1)
  JOIN json_each(d.value, '$[2]') j`;
const ROW_ID = `s.num * ${SESSION_SPAN} + (j.value ->> 0)`;

/** Not by ON CONFLICT: a refused insert would still write the AUTOINCREMENT counter. */
export function insertSession(db: D1Database, key: SessionKey, created: NonNullable<Projection['created']>) {
  const { bot, title, at, seq } = created;
  return db
    .prepare(
      `INSERT INTO sessions (id, user_id, bot_id, bot_name, bot_model, title, created_at, settings_seq)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
       WHERE NOT EXISTS (SELECT 1 FROM removed_sessions WHERE id = ?1)
         AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = ?1)`,
    )
    .bind(key.id, key.user, bot.id, bot.name, bot.model, title, at, seq);
}

export function updateSettings(db: D1Database, key: SessionKey, settings: Settings) {
  const { bot, title, archived, folder, seq } = settings;
  return db
    .prepare(
      `UPDATE sessions SET title = coalesce(?4, title), archived = coalesce(?5, archived),
         folder = coalesce(?6, folder), bot_id = coalesce(?7, bot_id), bot_name = coalesce(?8, bot_name),
         bot_model = coalesce(?9, bot_model), settings_seq = ?3
       WHERE id = ?1 AND user_id = ?2 AND settings_seq < ?3`,
    )
    .bind(
      key.id,
      key.user,
      seq,
      title ?? null,
      archived === undefined ? null : Number(archived),
      folder ?? null,
      bot?.id ?? null,
      bot?.name ?? null,
      bot?.model ?? null,
    );
}

/** Indexes messages whose rows are not there yet; to be followed by `insertMessages` in the same batch. */
export function indexInserts(db: D1Database, inserts: readonly SessionRows<Stored>[]): D1PreparedStatement | null {
  const terms = inserts.map(({ key, rows }) => ({
    key,
    rows: rows.flatMap(({ message }) => {
      const indexed = termsOfMessage(key, message);
      return indexed === '' ? [] : [[message.seq, indexed]];
    }),
  }));
  if (terms.every(({ rows }) => rows.length === 0)) return null;
  return db
    .prepare(
      `INSERT INTO messages_fts (rowid, terms) SELECT ${ROW_ID}, j.value ->> 1 FROM ${ROWS}
       WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = ${ROW_ID})`,
    )
    .bind(rowsJson(terms));
}

export function insertMessages(db: D1Database, inserts: readonly SessionRows<Stored>[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO messages (id, turn, rev, role, status, at, client_id, priority, attempt, model, finish,
         usage, error, text, thinking)
       SELECT ${ROW_ID}, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6,
         j.value ->> 7, j.value ->> 8, j.value ->> 9, j.value ->> 10, j.value ->> 11, j.value ->> 12,
         j.value ->> 13, j.value ->> 14
       FROM ${ROWS} WHERE true ON CONFLICT (id) DO NOTHING`,
    )
    .bind(rowsJson(inserts.map(({ key, rows }) => ({ key, rows: rows.map(columnsOf) }))));
}

/**
 * Takes the old terms out of the index and puts the new ones in, where the rows are still as they
 * were read; to be followed by `reviseMessages` in the same batch.
 */
export function reindex(db: D1Database, key: SessionKey, revisions: readonly Revision[]): D1PreparedStatement[] {
  const statement = (into: string, first: string, side: 'before' | 'after') => {
    const rows = revisions.flatMap((revision) => {
      const terms = termsOfMessage(key, revision[side].message);
      return terms === '' ? [] : [[revision.after.message.seq, revision.before.rev, terms]];
    });
    if (rows.length === 0) return [];
    const sql = `INSERT INTO messages_fts (${into}) SELECT ${first}${ROW_ID}, j.value ->> 2
      FROM ${ROWS} JOIN messages m ON m.id = ${ROW_ID} AND m.rev = (j.value ->> 1)`;
    return [db.prepare(sql).bind(rowsJson([{ key, rows }]))];
  };
  return [
    ...statement('messages_fts, rowid, terms', `'delete', `, 'before'),
    ...statement('rowid, terms', '', 'after'),
  ];
}

/** Returns one row for each that was written: the count of changes in D1's answer includes the index's own. */
export function reviseMessages(db: D1Database, key: SessionKey, revisions: readonly Revision[]): D1PreparedStatement {
  const rows = revisions.map(({ before, after: { message, rev } }) => {
    return [message.seq, before.rev, rev, message.status, message.text];
  });
  return db
    .prepare(
      `UPDATE messages SET rev = j.value ->> 2, status = j.value ->> 3, text = j.value ->> 4
       FROM ${ROWS} WHERE messages.id = ${ROW_ID} AND messages.rev = (j.value ->> 1) RETURNING messages.id`,
    )
    .bind(rowsJson([{ key, rows }]));
}

/** As `ROWS` reads them. */
function rowsJson(sessions: readonly SessionRows<readonly unknown[]>[]): string {
  return JSON.stringify(sessions.map(({ key, rows }) => [key.id, key.user, rows]));
}

function termsOfMessage(key: SessionKey, message: Message): string {
  const text = searchableText(message);
  return text === null ? '' : indexedTerms(key.user, text);
}

/** The parameters of a row, in the order of `insertMessages`. */
function columnsOf({ message, rev }: Stored): (string | number | null)[] {
  const { seq, turn, role, status, at } = message;
  const common = [seq, turn, rev, role, status, at];
  if (message.role === 'user') {
    return [...common, message.id, message.priority, null, null, null, null, null, message.text, null];
  }
  const { attempt, model, finish, usage, error, thinking } = message;
  return [
    ...common,
    null,
    null,
    attempt,
    model ?? null,
    finish ?? null,
    usage ? JSON.stringify(usage) : null,
    error ? JSON.stringify(error) : null,
    // A model's stream may break in the middle of a character; half of one has no UTF-8 form.
    message.text.toWellFormed(),
    thinking?.toWellFormed() ?? null,
  ];
}
