/**
 * What a bot keeps in its object: what it is, who stands in its line, who is connected, what it counted.
 * Everything is synchronous: what is written between two awaits becomes durable together.
 */
import * as z from 'zod/mini';
import type { LineEntry, LineKeep } from '../bots/line.ts';
import type { BotSpec } from '../bots/spec.ts';
import type { SqlPort } from '../log/sql.ts';
import { botRef } from '../protocol/values.ts';

/**
 * A definition that was accepted once. The rules may be others by now (a newer version's, or an older one's
 * that is back): whether it may be used is asked where it is used, and no rule keeps the bot from being read.
 */
const acceptedSpec = z.custom<BotSpec>((value) => acceptedShape.safeParse(value).success);
const acceptedShape = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  options: z.record(z.string(), z.unknown()),
});

const botRecord = z.object({
  id: z.string(),
  /** Where configuration or the endpoint's list defines the bot: as a session knew it. Null: an operator made it. */
  ref: z.nullable(botRef),
  /** The definition that an operator gave; null: as configuration says. */
  spec: z.nullable(acceptedSpec),
  deleted: z.boolean(),
  revision: z.int(),
  desired: z.enum(['running', 'paused', 'stopped']),
  /** Who stopped or paused it, for people. */
  because: z.nullable(z.string()),
  /** Since when it is launched, and since when its line moves; ms since 1970, 0 while it does not. */
  launchedAt: z.int(),
  openSince: z.int(),
  stoppedAt: z.int(),
  /** It was launched, and its endpoint has not been asked yet. */
  starting: z.boolean(),
  /** The last entry of the log that D1 has. */
  copied: z.int(),
});
export type BotRecord = z.infer<typeof botRecord>;

const lineEntry = z.object({
  session: z.string(),
  user: z.string(),
  turn: z.int(),
  attempt: z.int(),
  priority: z.int(),
  since: z.number(),
  grant: z.int(),
});

export interface Connections {
  session: string;
  user: string;
  count: number;
  /** When the session said so, ms since 1970. */
  at: number;
}

// Keys are texts, so WITHOUT ROWID: each write is one row, not one and its index.
const TABLES = [
  `CREATE TABLE bot (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL)`,
  `CREATE TABLE log (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     body TEXT NOT NULL,
     digest BLOB NOT NULL,
     hash BLOB NOT NULL
   )`,
  `CREATE TABLE line (session TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE connections (
     session TEXT PRIMARY KEY,
     user TEXT NOT NULL,
     count INTEGER NOT NULL,
     at INTEGER NOT NULL
   ) WITHOUT ROWID`,
  `CREATE TABLE counters (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL)`,
  `CREATE TABLE alerts (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL)`,
];

export class BotStore implements LineKeep {
  readonly sql: SqlPort;
  #exists: boolean;

  /** Writes nothing, so that a wrong id leaves no trace. */
  constructor(sql: SqlPort) {
    this.sql = sql;
    this.#exists = sql.exec(`SELECT name FROM sqlite_master WHERE name = 'bot'`).toArray().length > 0;
  }

  record(): BotRecord | null {
    const [row] = this.#read<{ body: string }>('SELECT body FROM bot');
    return row ? botRecord.parse(JSON.parse(row.body)) : null;
  }

  save(record: BotRecord): void {
    this.#create();
    this.sql.exec('INSERT OR REPLACE INTO bot (one, body) VALUES (1, ?)', JSON.stringify(record));
  }

  line(): LineEntry[] {
    return this.#read<{ body: string }>('SELECT body FROM line').map(({ body }) => lineEntry.parse(JSON.parse(body)));
  }

  put(entry: LineEntry): void {
    this.sql.exec('INSERT OR REPLACE INTO line (session, body) VALUES (?, ?)', entry.session, JSON.stringify(entry));
  }

  remove(session: string): void {
    this.sql.exec('DELETE FROM line WHERE session = ?', session);
  }

  connections(): Connections[] {
    return this.#read<{ session: string; user: string; count: number; at: number }>(
      'SELECT session, user, count, at FROM connections',
    );
  }

  saveConnections({ session, user, count, at }: Connections): void {
    if (count === 0) this.sql.exec('DELETE FROM connections WHERE session = ?', session);
    else {
      this.sql.exec(
        'INSERT OR REPLACE INTO connections (session, user, count, at) VALUES (?, ?, ?, ?)',
        session,
        user,
        count,
        at,
      );
    }
  }

  counters(): unknown {
    const [row] = this.#read<{ body: string }>('SELECT body FROM counters');
    return row ? JSON.parse(row.body) : null;
  }

  saveCounters(counters: unknown): void {
    this.sql.exec('INSERT OR REPLACE INTO counters (one, body) VALUES (1, ?)', JSON.stringify(counters));
  }

  alerts(): unknown {
    const [row] = this.#read<{ body: string }>('SELECT body FROM alerts');
    return row ? JSON.parse(row.body) : null;
  }

  saveAlerts(kept: unknown): void {
    this.sql.exec('INSERT OR REPLACE INTO alerts (one, body) VALUES (1, ?)', JSON.stringify(kept));
  }

  #create(): void {
    if (this.#exists) return;
    for (const table of TABLES) this.sql.exec(table);
    this.#exists = true;
  }

  #read<Row extends Record<string, string | number>>(query: string): Row[] {
    return this.#exists ? this.sql.exec<Row>(query).toArray() : [];
  }
}
