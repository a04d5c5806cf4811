/**
 * What a stopped server has kept, read from its files: past the Worker, its objects and its cache.
 * The server was killed without a warning, so this is also what a crash would have left.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod/mini';
import { recordBody, type LogRecord } from '../../src/protocol/records.ts';
import { historyRow, SESSION_SPAN, type HistoryRow } from '../../test/support/history-model.ts';

/** The first to open a file after a crash repairs it; others, in other processes too, wait so long. */
const LOCK_TIMEOUT_MS = 20_000;
/** The platform's own books lie beside the databases. */
const METADATA = 'metadata.sqlite';

const logRow = z.object({ seq: z.int(), at: z.int(), body: z.string() });
const sessionName = z.object({ id: z.string() });
const sessionNumber = z.object({ num: z.int() });
export class StoredSessions {
  readonly #files = new Map<string, string>();
  readonly #history: DatabaseSync | null;

  /** @param folder a server's state folder; its server has to be stopped */
  constructor(folder: string) {
    for (const path of databases(join(folder, 'v3/do'))) {
      const id = idIn(path);
      if (id !== null) this.#files.set(id, path);
    }
    const [history] = databases(join(folder, 'v3/d1'));
    this.#history = history === undefined ? null : open(history);
  }

  /** The database of a session's object; null where there is no such session. */
  file(session: string): string | null {
    return this.#files.get(session) ?? null;
  }

  /** The whole log of a session; null where there is no such session. */
  log(session: string): LogRecord[] | null {
    const path = this.#files.get(session);
    if (path === undefined) return null;
    const database = open(path);
    try {
      return database
        .prepare('SELECT seq, at, body FROM log ORDER BY seq')
        .all()
        .map((row) => {
          const { seq, at, body } = logRow.parse(row);
          return { ...recordBody.parse(JSON.parse(body)), seq, at };
        });
    } finally {
      database.close();
    }
  }

  /** The session's rows in D1; null where there is no D1. */
  rows(session: string): HistoryRow[] | null {
    if (!this.#history) return null;
    const found = this.#history.prepare('SELECT num FROM sessions WHERE id = ?').get(session);
    if (found === undefined) return [];
    const { num } = sessionNumber.parse(found);
    return this.#history
      .prepare(
        `SELECT id % ${SESSION_SPAN} AS seq, turn, rev, role, status, at, client_id AS clientId, priority,
           attempt, model, finish, usage, error, text, thinking
         FROM messages WHERE id >= ? AND id < ? ORDER BY id`,
      )
      .all(num * SESSION_SPAN, (num + 1) * SESSION_SPAN)
      .map((row) => historyRow.parse({ ...row }));
  }

  close(): void {
    this.#history?.close();
  }
}

function open(path: string): DatabaseSync {
  return new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS });
}

function databases(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.sqlite') && entry.name !== METADATA)
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** The session whose object this file is of; null for an object without one. */
function idIn(path: string): string | null {
  const database = open(path);
  try {
    const [known] = database.prepare(`SELECT name FROM sqlite_master WHERE name = 'session'`).all();
    const row = known && database.prepare('SELECT id FROM session').get();
    return row ? sessionName.parse(row).id : null;
  } finally {
    database.close();
  }
}
