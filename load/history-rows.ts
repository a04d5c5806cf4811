/** How many message rows D1 has, so that a run can tell whether the history is complete. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { D1Database } from '@cloudflare/workers-types';

const POLL_MS = 100;
/** Longer than the longest lag that a busy session allows itself, and a retry. */
const DRAIN_TIMEOUT_MS = 60_000;

export class HistoryRows {
  readonly #db: D1Database;
  /** Rows with a higher id are of sessions made after the last look. */
  #after = 0;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Forgets the rows that are there: only later sessions' rows count. */
  async skip(): Promise<void> {
    const row = await this.#db.prepare('SELECT coalesce(max(id), 0) AS id FROM messages').first<{ id: number }>();
    this.#after = row?.id ?? 0;
  }

  /** Waits until D1 has `expected` rows, or more; returns how many it has then, or after too long a time. */
  async reach(expected: number, signal: AbortSignal): Promise<number> {
    const until = performance.now() + DRAIN_TIMEOUT_MS;
    for (;;) {
      const rows = await this.#count();
      if (rows >= expected || performance.now() >= until) return rows;
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  async #count(): Promise<number> {
    const statement = this.#db.prepare('SELECT count(*) AS rows FROM messages WHERE id > ?').bind(this.#after);
    return (await statement.first<{ rows: number }>())?.rows ?? 0;
  }
}
