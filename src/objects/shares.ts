/** The session's share links. Of a link's secret only a digest is kept: who reads this storage can open none. */
import type { SqlPort } from '../log/sql.ts';
import type { WireError } from '../protocol/server-frames.ts';
import type { Result, ShareRow } from './session-rpc.ts';

/** Links that one session may have at once. */
export const MAX_SHARES = 20;

// Made with the first link: most sessions never have one. WITHOUT ROWID: a link costs one row.
const TABLE = `CREATE TABLE IF NOT EXISTS shares (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID`;
const TOO_MANY: WireError = {
  code: 'too_many_shares',
  message: `A session has at most ${MAX_SHARES} share links: revoke one first.`,
  retryable: false,
};

interface StoredShare extends Record<string, string | number> {
  id: string;
  created_at: number;
  expires_at: number;
}

export class Shares {
  readonly #sql: SqlPort;

  constructor(sql: SqlPort) {
    this.#sql = sql;
  }

  /** Adds a link that holds until `expiresAt`; times in ms since 1970. */
  add(share: { id: string; digest: string; expiresAt: number }, now: number): Result<ShareRow> {
    return this.#sql.transaction(() => {
      this.#sql.exec(TABLE);
      this.#sql.exec('DELETE FROM shares WHERE expires_at <= ?', now);
      if (this.list(now).length >= MAX_SHARES) return { ok: false, error: TOO_MANY };
      const { id, digest, expiresAt } = share;
      this.#sql.exec(
        'INSERT INTO shares (id, digest, created_at, expires_at) VALUES (?, ?, ?, ?)',
        id,
        digest,
        now,
        expiresAt,
      );
      return { ok: true, value: { id, createdAt: now, expiresAt } };
    });
  }

  /** Links that still open something, oldest first. */
  list(now: number): ShareRow[] {
    if (!this.#hasTable()) return [];
    const query = 'SELECT id, created_at, expires_at FROM shares WHERE expires_at > ? ORDER BY created_at, id';
    return this.#sql.exec<StoredShare>(query, now).toArray().map(rowOf);
  }

  /** Whether there was such a link. */
  revoke(id: string): boolean {
    if (!this.#hasTable()) return false;
    const known = this.#sql.exec('SELECT id FROM shares WHERE id = ?', id).toArray().length > 0;
    if (known) this.#sql.exec('DELETE FROM shares WHERE id = ?', id);
    return known;
  }

  /** The link whose secret has this digest; null for one that expired or was revoked. */
  find(digest: string, now: number): ShareRow | null {
    if (!this.#hasTable()) return null;
    const query = 'SELECT id, created_at, expires_at FROM shares WHERE digest = ? AND expires_at > ?';
    const [row] = this.#sql.exec<StoredShare>(query, digest, now).toArray();
    return row ? rowOf(row) : null;
  }

  /** Looking must not write: a token for a session that is gone would otherwise leave a trace. */
  #hasTable(): boolean {
    return this.#sql.exec(`SELECT name FROM sqlite_master WHERE name = 'shares'`).toArray().length > 0;
  }
}

function rowOf({ id, created_at: createdAt, expires_at: expiresAt }: StoredShare): ShareRow {
  return { id, createdAt, expiresAt };
}
