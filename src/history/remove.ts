/**
 * Deletes a session from D1: its row, its messages, and their terms in the index, which the index
 * is set to erase at once (`secure-delete`) instead of marking them as gone.
 *
 * First the row goes and a tombstone comes, in one step: from then on nothing lists, finds or
 * writes the session. Then the messages, in bounded batches. The tombstone knows the number
 * under which they lie, so that a call that was interrupted can be made again. It is cleared over an empty
 * range alone, however many calls erase at once.
 */
import type { D1Database } from '@cloudflare/workers-types';
import { searchableText } from './projection.ts';
import { SESSION_SPAN } from './row-id.ts';
import type { SessionKey } from './statements.ts';
import { indexedTerms } from './terms.ts';

/** How long a deleted session's late records are expected; far longer than anything retries. */
export const TOMBSTONE_KEEP_MS = 7 * 24 * 60 * 60 * 1000;

/** Messages erased in one batch: about 1 ms each, nearly all of it the index. */
const BATCH_MESSAGES = 100;
/** Text erased in one batch, in bytes: the terms of it travel as one value, at most 2 MB. */
const BATCH_BYTES = 256 * 1024;

/**
 * @param now ms since 1970
 * @throws whatever D1 throws: call again to go on from there; again for a session that is gone is harmless
 */
export async function removeSession(db: D1Database, session: SessionKey, now: number): Promise<void> {
  await db.batch([
    db
      .prepare(
        `INSERT INTO removed_sessions (id, num, user_id, at)
         SELECT ?1, (SELECT num FROM sessions WHERE id = ?1), ?2, ?3
         WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE id = ?1 AND user_id <> ?2)
         ON CONFLICT (id) DO NOTHING`,
      )
      .bind(session.id, session.user, now),
    db.prepare(`DELETE FROM sessions WHERE id = ?1 AND user_id = ?2`).bind(session.id, session.user),
    db.prepare(`DELETE FROM removed_sessions WHERE at < ?1 AND user_id IS NULL`).bind(now - TOMBSTONE_KEEP_MS),
  ]);
  const tombstone = await db
    .prepare(`SELECT num FROM removed_sessions WHERE id = ?1 AND user_id = ?2`)
    .bind(session.id, session.user)
    .first<{ num: number | null }>();
  if (!tombstone) return;
  if (tombstone.num !== null) {
    let found: number;
    do {
      found = await eraseBatch(db, tombstone.num, session.user);
    } while (found > 0);
  }
  await db.prepare(`UPDATE removed_sessions SET num = NULL, user_id = NULL WHERE id = ?1`).bind(session.id).run();
}

interface ErasedRow {
  id: number;
  rev: number;
  status: 'accepted' | 'cancelled' | 'superseded';
  text: string;
}

/**
 * Erases the next messages of the session with this number. Returns how many it found; 0 when there are none. How many
 * were written says less: another call may have erased the same ones meanwhile, and more may be left.
 */
async function eraseBatch(db: D1Database, num: number, user: string): Promise<number> {
  const { results } = await db
    .prepare(
      `SELECT id, rev, status, text FROM (
         SELECT id, rev, status, text, sum(octet_length(text)) OVER (ORDER BY id) - octet_length(text) AS bytes_before
         FROM (SELECT id, rev, status, text FROM messages WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ${BATCH_MESSAGES})
       ) WHERE bytes_before < ${BATCH_BYTES}`,
    )
    .bind(num * SESSION_SPAN, num * SESSION_SPAN + SESSION_SPAN - 1)
    .all<ErasedRow>();
  if (results.length === 0) return 0;
  const terms = results.flatMap((row) => {
    const text = searchableText(row);
    const indexed = text === null ? '' : indexedTerms(user, text);
    return indexed === '' ? [] : [[row.id, indexed]];
  });
  await db.batch([
    // Only where the row is still there: taking terms out twice would spoil the index.
    db
      .prepare(
        `INSERT INTO messages_fts (messages_fts, rowid, terms)
         SELECT 'delete', m.id, j.value ->> 1 FROM json_each(?1) j JOIN messages m ON m.id = (j.value ->> 0)`,
      )
      .bind(JSON.stringify(terms)),
    db
      .prepare(`DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?1))`)
      .bind(JSON.stringify(results.map(({ id }) => id))),
  ]);
  return results.length;
}
