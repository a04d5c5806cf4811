/// <reference types="@cloudflare/vitest-plugin/types" />
/** A migrated D1 for each test file, and small logs to put into it. */
import { applyD1Migrations, type D1Migration } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach } from 'vitest';
import type { LogRecord, RecordBody } from '../../../src/protocol/records.ts';
import { messageOf, revise, type Message } from '../../../src/protocol/transcript.ts';
import { projectRecords } from '../../../src/history/project-records.ts';
import { rowsWritten, sumOfRows, type WrittenRows } from '../support/written-rows.ts';

declare global {
  namespace Cloudflare {
    interface Env {
      DB: D1Database;
      TEST_MIGRATIONS: D1Migration[];
    }
  }
}

export const db = env.DB;

/** The same database but for its batches. */
export function withBatch(batch: (statements: D1PreparedStatement[]) => Promise<D1Result[]>): D1Database {
  return new Proxy(db, {
    get: (target, name) => (name === 'batch' ? batch : Reflect.get(target, name).bind(target)),
  });
}

/** What `work` writes in batches through the database that it is given. */
export async function rowsOf(work: (counted: D1Database) => Promise<void>): Promise<WrittenRows> {
  const written: WrittenRows[] = [];
  const counted = withBatch(async (statements) => {
    const results = await db.batch(statements);
    written.push(rowsWritten(statements, results));
    return results;
  });
  await work(counted);
  return sumOfRows(written);
}

/** Every test begins with empty tables and an empty index. */
export function useEmptyDatabase(): void {
  beforeEach(async () => {
    await applyD1Migrations(db, env.TEST_MIGRATIONS);
    await db.batch([
      db.prepare('DELETE FROM sessions'),
      db.prepare('DELETE FROM messages'),
      db.prepare('DELETE FROM removed_sessions'),
      db.prepare(`INSERT INTO messages_fts (messages_fts) VALUES ('delete-all')`),
    ]);
  });
}

export const bot = { id: 'helper', name: 'Helper', model: 'llama3.2' };
const usage = { promptTokens: 12, answerTokens: 34, firstTokenMs: 56, totalMs: 78 };

/** A session's log as tests write it: `seq` counts by itself, `at` is a second per record. */
export class Log {
  readonly id: string;
  readonly user: string;
  readonly records: LogRecord[] = [];
  at: number;

  constructor(id: string, user: string, { title = `Title of ${id}`, at = 1_000_000, settings = bot } = {}) {
    this.id = id;
    this.user = user;
    this.at = at;
    this.add({ kind: 'created', bot: settings, title });
  }

  add(body: RecordBody): number {
    this.at += 1_000;
    const seq = this.records.length + 1;
    this.records.push({ ...body, seq, at: this.at });
    return seq;
  }

  ask(text: string): number {
    return this.add({ kind: 'message', id: `c${this.records.length + 1}`, text, priority: 0 });
  }

  reply(turn: number, text: string, attempt = 1): number {
    return this.add({ kind: 'reply', turn, attempt, text, model: 'llama3.2', finish: 'stop', usage });
  }

  /** A question and its answer. */
  turn(question: string, answer: string): number {
    const turn = this.ask(question);
    this.reply(turn, answer);
    return turn;
  }

  deliver(from = 1, to = this.records.length, into = db): Promise<void> {
    return projectRecords(into, this, this.records.slice(from - 1, to));
  }
}

/** What protocol/transcript.ts makes of a log: the messages that D1 must show. */
export function fold(records: readonly LogRecord[]): Message[] {
  let messages: Message[] = [];
  for (const record of records) {
    messages = messages.map((message) => revise(message, record));
    const message = messageOf(record);
    if (message) messages.push(message);
  }
  return messages;
}

interface Row {
  id: number;
  turn: number;
  role: 'user' | 'bot';
  status: string;
  at: number;
  client_id: string | null;
  priority: number | null;
  attempt: number | null;
  model: string | null;
  finish: string | null;
  usage: string | null;
  error: string | null;
  text: string;
  thinking: string | null;
}

/** A session's messages as D1 has them, in the shape of `Message`, read without the code under test. */
export async function storedMessages(id: string): Promise<unknown[]> {
  const { results } = await db
    .prepare(`SELECT m.* FROM messages m JOIN sessions s ON m.id / 4194304 = s.num WHERE s.id = ? ORDER BY m.id`)
    .bind(id)
    .all<Row>();
  return results.map((row) => {
    const { turn, role, status, at, text } = row;
    const common = { seq: row.id % 4194304, turn, role, status, at, text };
    if (role === 'user') return { ...common, id: row.client_id, priority: row.priority };
    return {
      ...common,
      id: `${turn}.${row.attempt}`,
      attempt: row.attempt,
      ...(row.thinking === null ? {} : { thinking: row.thinking }),
      ...(row.model === null ? {} : { model: row.model }),
      ...(row.finish === null ? {} : { finish: row.finish }),
      ...(row.usage === null ? {} : { usage: JSON.parse(row.usage) as unknown }),
      ...(row.error === null ? {} : { error: JSON.parse(row.error) as unknown }),
    };
  });
}

export async function count(table: 'sessions' | 'messages' | 'removed_sessions'): Promise<number> {
  return (await db.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>('n')) ?? -1;
}

/** The raw pages of the index, to see whether a word is really gone. */
export async function indexHolds(word: string): Promise<boolean> {
  const { results } = await db.prepare('SELECT block FROM messages_fts_data').all<{ block: number[] | ArrayBuffer }>();
  const decoder = new TextDecoder('latin1');
  return results.some(({ block }) => decoder.decode(new Uint8Array(block)).includes(word));
}
