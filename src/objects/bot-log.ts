/** What operators did to a bot: numbered, hash-chained, never rewritten. It outlives the bot. */
import * as z from 'zod/mini';
import { bufferOf, GENESIS, nextLink, verifyChain, type ChainRow } from '../log/chain.ts';
import type { SqlPort } from '../log/sql.ts';
import type { AuditEntry } from './bot-rpc.ts';

/** Entries read at once while verifying. */
const VERIFY_ROWS = 500;

const ACTIONS = ['create', 'update', 'delete', 'launch', 'stop', 'pause', 'resume'] as const;
const entryBody = z.object({
  actor: z.string(),
  action: z.enum(ACTIONS),
  detail: z.record(z.string(), z.unknown()),
});
type EntryBody = z.infer<typeof entryBody>;

interface Row extends Record<string, string | number | ArrayBuffer> {
  seq: number;
  at: number;
  body: string;
  digest: ArrayBuffer;
  hash: ArrayBuffer;
}

export class BotLog {
  readonly #sql: SqlPort;
  #last: { seq: number; hash: Uint8Array } | null = null;

  /** The table must be there by the first call. */
  constructor(sql: SqlPort) {
    this.#sql = sql;
  }

  get head(): number {
    return this.#end().seq;
  }

  append(entry: EntryBody, at: number): void {
    const { seq: last, hash: previous } = this.#end();
    const seq = last + 1;
    const body = JSON.stringify(entry);
    const { digest, hash } = nextLink(previous, seq, at, body);
    this.#sql.exec(
      'INSERT INTO log (seq, at, body, digest, hash) VALUES (?, ?, ?, ?, ?)',
      seq,
      at,
      body,
      bufferOf(digest),
      bufferOf(hash),
    );
    this.#last = { seq, hash };
  }

  /** Entries after `seq`, in order. */
  after(bot: string, seq: number, limit: number): AuditEntry[] {
    return this.#rows(seq, limit).map((row) => ({
      bot,
      seq: row.seq,
      at: row.at,
      ...entryBody.parse(JSON.parse(row.body)),
      hash: hexOf(new Uint8Array(row.hash)),
    }));
  }

  /** Walks the whole chain, a stretch at a time. */
  verify(): { entries: number; head: string; brokenAt: { seq: number; reason: string } | null } {
    const walked = { entries: 0, head: hexOf(GENESIS) };
    const brokenAt = verifyChain(this.#chain(walked));
    return { ...walked, brokenAt };
  }

  *#chain(walked: { entries: number; head: string }): Generator<ChainRow> {
    for (let seq = 0; ;) {
      const rows = this.#rows(seq, VERIFY_ROWS);
      for (const row of rows) {
        const hash = new Uint8Array(row.hash);
        yield { seq: row.seq, at: row.at, body: row.body, digest: new Uint8Array(row.digest), hash };
        walked.entries += 1;
        walked.head = hexOf(hash);
      }
      const last = rows.at(-1);
      if (!last) return;
      seq = last.seq;
    }
  }

  #rows(after: number, limit: number): Row[] {
    return this.#sql
      .exec<Row>('SELECT seq, at, body, digest, hash FROM log WHERE seq > ? ORDER BY seq LIMIT ?', after, limit)
      .toArray();
  }

  #end(): { seq: number; hash: Uint8Array } {
    if (this.#last === null) {
      const [row] = this.#sql
        .exec<{ seq: number; hash: ArrayBuffer }>('SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1')
        .toArray();
      this.#last = row ? { seq: row.seq, hash: new Uint8Array(row.hash) } : { seq: 0, hash: GENESIS };
    }
    return this.#last;
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
