/**
 * The numbered log of one session, the truth about it, and the position up to which the outside
 * (D1) has it. Everything is synchronous: what is written between two awaits becomes durable together.
 */
import { recordBody, type LogRecord } from '../protocol/records.ts';
import { isReviser } from '../protocol/transcript.ts';
import { bufferOf, GENESIS, nextLink, verifyChain } from './chain.ts';
import { createRevisionsIndex, createTables, hasTables, readBoot, type Boot } from './schema.ts';
import type { SqlPort } from './sql.ts';

export interface SessionRow {
  id: string;
  owner: string;
  /** D1 has the records up to here; for all that a new process knows. */
  delivered: number;
  /** The session is being erased; only the erasing itself goes on. */
  removed: boolean;
}

interface RecordRow extends Record<string, string | number> {
  seq: number;
  at: number;
  body: string;
}

/** A record, and how long its body is as stored. */
interface Decoded {
  record: LogRecord;
  length: number;
}

/** D1's position is noted once in so many records: a row costs more than to deliver fewer again after a sleep. */
const NOTE_EVERY = 8;
/** Records kept decoded: those that D1 lacks, and those that catching-up tabs and prompts read again and again. */
const CACHED_RECORDS = 128;
/** A longer body is read anew each time, so that what is kept stays small. UTF-16 code units of JSON. */
const CACHED_BODY_LENGTH = 4 * 1024;

/** Rows read by one statement where a length ends the reading: what is read in vain is no more than these. */
const ROWS_AT_ONCE = 32;
/** Clients' ids kept in memory; a session with more messages looks each new one up. */
const KEPT_CLIENT_IDS = 512;
/** So many messages are looked up before ids are kept: most objects sleep again after one or two. */
const LOOK_UPS_FIRST = 4;

export class SessionLog {
  readonly #sql: SqlPort;
  /** By `seq`; never stale, since records are never rewritten. */
  readonly #decoded = new Map<number, Decoded>();
  /** All clients' ids in the log; null until first needed, and `many` where they are too many to keep. */
  #clientIds: Set<string> | 'many' | null = null;
  #lookUps = 0;
  readonly #session: SessionRow;
  /** `delivered` as it is stored. */
  #noted: number;
  #last: Uint8Array;
  /** The last record's place; 0 without any. */
  #head: number;
  #lastState: string | null;
  /** Something was changed after it was written, and there is an index of what was. */
  #revised: boolean;

  private constructor(sql: SqlPort, { revised, seq, hash, state, ...session }: Boot) {
    this.#sql = sql;
    this.#session = session;
    this.#noted = session.delivered;
    this.#revised = revised;
    this.#head = seq ?? 0;
    this.#last = hash === null ? GENESIS : new Uint8Array(hash);
    this.#lastState = state;
  }

  /** The log in this storage, or null where there is none. Writes nothing. */
  static open(sql: SqlPort): SessionLog | null {
    if (!hasTables(sql)) return null;
    return new SessionLog(sql, readBoot(sql));
  }

  static create(sql: SqlPort, id: string, owner: string): SessionLog {
    return sql.transaction(() => {
      createTables(sql);
      sql.exec('INSERT INTO session (one, id, owner) VALUES (1, ?, ?)', id, owner);
      const session = { id, owner, delivered: 0, removed: false };
      const log = new SessionLog(sql, { ...session, revised: false, seq: null, hash: null, state: null });
      log.#clientIds = new Set();
      return log;
    });
  }

  session(): SessionRow {
    return { ...this.#session };
  }

  /** The state stored beside the last record, as JSON text; null for an empty log. */
  lastState(): string | null {
    return this.#lastState;
  }

  /** Appends the records of one decision, all or none. `state` is the session's state after the last of them. */
  append(records: readonly LogRecord[], state: string): void {
    const decoded =
      records.length === 1
        ? this.#insertAll(records, state)
        : this.#sql.transaction(() => this.#insertAll(records, state));
    // What was just written is what tabs and D1 are sent next.
    for (const one of decoded) this.#keep(one);
  }

  #insertAll(records: readonly LogRecord[], state: string): Decoded[] {
    let last = this.#last;
    const decoded = records.map((record) => {
      const { seq, at, ...body } = record;
      const text = JSON.stringify(body);
      const link = nextLink(last, seq, at, text);
      if ('id' in record) this.#knowClientId(record.id);
      if (isReviser(record) && !this.#revised) createRevisionsIndex(this.#sql);
      this.#sql.exec(
        'INSERT INTO log (seq, at, kind, turn, client_id, body, state, digest, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        seq,
        at,
        record.kind,
        'turn' in record ? record.turn : null,
        'id' in record ? record.id : null,
        text,
        state,
        bufferOf(link.digest),
        bufferOf(link.hash),
      );
      last = link.hash;
      return { record, length: text.length };
    });
    this.#last = last;
    this.#head = records.at(-1)?.seq ?? this.#head;
    this.#lastState = state;
    this.#revised ||= records.some(isReviser);
    return decoded;
  }

  /** The message that was first sent under a client's id. */
  findMessage(clientId: string): { seq: number; text: string } | null {
    this.#lookUps += 1;
    if (this.#lookUps > LOOK_UPS_FIRST) this.#clientIds ??= this.#readClientIds();
    // Nearly every message of a busy session is new: asking the database each time is a fifteenth of a short answer.
    if (this.#clientIds instanceof Set && !this.#clientIds.has(clientId)) return null;
    const [row] = this.#records('WHERE client_id = ?', clientId);
    return row?.kind === 'message' ? { seq: row.seq, text: row.text } : null;
  }

  #readClientIds(): Set<string> | 'many' {
    const query = 'SELECT client_id FROM log WHERE client_id IS NOT NULL LIMIT ?';
    const rows = this.#sql.exec<{ client_id: string }>(query, KEPT_CLIENT_IDS + 1).toArray();
    return rows.length > KEPT_CLIENT_IDS ? 'many' : new Set(rows.map((row) => row.client_id));
  }

  /**
   * To be called before its record is written. An id here whose record was not written after all costs a look; a
   * record whose id is not here would be taken for new when it comes again.
   */
  #knowClientId(clientId: string): void {
    if (!(this.#clientIds instanceof Set)) return;
    this.#clientIds.add(clientId);
    if (this.#clientIds.size > KEPT_CLIENT_IDS) this.#clientIds = 'many';
  }

  /** The clients' ids of the messages at these places, by place. */
  messageIds(turns: readonly number[]): Map<number, string> {
    if (turns.length === 0) return new Map();
    const query = `SELECT seq, client_id FROM log
      WHERE seq IN (SELECT value FROM json_each(?)) AND client_id IS NOT NULL`;
    const rows = this.#sql.exec<{ seq: number; client_id: string }>(query, JSON.stringify(turns)).toArray();
    return new Map(rows.map((row) => [row.seq, row.client_id]));
  }

  /** Records after `seq`, in order: at most `limit`, and no more once their bodies pass `maxLength` characters. */
  after(seq: number, limit: number, maxLength: number): LogRecord[] {
    const kept = this.#keptAfter(seq, limit, maxLength);
    if (kept) return kept;
    const query = 'SELECT seq, at, body FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2';
    return this.#upTo(query, seq, limit, maxLength);
  }

  /** The same from memory; null where it does not have them all. */
  #keptAfter(seq: number, limit: number, maxLength: number): LogRecord[] | null {
    const records: LogRecord[] = [];
    let length = 0;
    for (let next = seq + 1; next <= this.#head && records.length < limit && length < maxLength; next += 1) {
      const kept = this.#decoded.get(next);
      if (!kept) return null;
      records.push(kept.record);
      length += kept.length;
    }
    return records;
  }

  /** Messages and outcomes before `seq`, newest first: at most `limit`, and no more once their bodies pass `maxLength` characters. */
  conversationBefore(seq: number, limit: number, maxLength: number): LogRecord[] {
    const query = `SELECT seq, at, body FROM log
      WHERE seq < ?1 AND kind IN ('message', 'reply', 'stopped', 'failed') ORDER BY seq DESC LIMIT ?2`;
    return this.#upTo(query, seq, limit, maxLength);
  }

  /** Everything that changed the given turns after they were written, in order. */
  revisionsOf(turns: readonly number[]): LogRecord[] {
    if (!this.#revised) return [];
    return this.#records(
      `WHERE kind IN ('edited', 'cancelled', 'regenerated') AND turn IN (SELECT value FROM json_each(?)) ORDER BY seq`,
      JSON.stringify(turns),
    );
  }

  /** How a turn ended last, or null while it has not. */
  outcomeOf(turn: number): LogRecord | null {
    const where = `WHERE seq > ?1 AND turn = ?1 AND kind IN ('reply', 'stopped', 'failed') ORDER BY seq DESC LIMIT 1`;
    return this.#records(where, turn)[0] ?? null;
  }

  record(seq: number): LogRecord | null {
    return this.#records('WHERE seq = ?', seq)[0] ?? null;
  }

  markDelivered(seq: number): void {
    if (seq - this.#noted >= NOTE_EVERY) {
      this.#sql.exec('UPDATE session SET delivered = ?', seq);
      this.#noted = seq;
    }
    // Tabs have long had them, and the prompts' turns are kept elsewhere: a thousand quiet sessions would keep them in vain.
    for (let sent = this.#session.delivered + 1; sent <= seq; sent += 1) this.#decoded.delete(sent);
    this.#session.delivered = seq;
  }

  /** Erases every record at once and leaves the note that the rest of the world has yet to follow. */
  erase(): void {
    this.#sql.transaction(() => {
      this.#sql.exec('UPDATE session SET removed = 1');
      this.#sql.exec('DELETE FROM log');
    });
    this.#session.removed = true;
    this.#decoded.clear();
    this.#clientIds = null;
    this.#head = 0;
    this.#lastState = null;
  }

  /**
   * Checks every link; null when the chain holds. Only tests call it, on purpose: nothing at work has to walk a whole
   * log, and a chain that nobody can check would be written in vain.
   */
  verify(): { seq: number; reason: string } | null {
    const rows = this.#sql
      .exec<{ seq: number; at: number; body: string | null; digest: ArrayBuffer; hash: ArrayBuffer }>(
        'SELECT seq, at, body, digest, hash FROM log ORDER BY seq',
      )
      .toArray();
    return verifyChain(
      rows.map((row) => ({ ...row, digest: new Uint8Array(row.digest), hash: new Uint8Array(row.hash) })),
    );
  }

  /**
   * Reads at most `limit` rows from `from` on, and no more once their bodies pass `maxLength` characters. A few at a
   * time, each few to their end: a cursor that is left in the middle stays open in the database.
   * `query`: rows before or after ?1, no more than ?2.
   */
  #upTo(query: string, from: number, limit: number, maxLength: number): LogRecord[] {
    const records: LogRecord[] = [];
    let length = 0;
    for (let last = from; ;) {
      const most = Math.min(ROWS_AT_ONCE, limit - records.length);
      const rows = this.#sql.exec<RecordRow>(query, last, most).toArray();
      for (const row of rows) {
        if (length >= maxLength) return records;
        length += row.body.length;
        records.push(this.#toRecord(row));
        last = row.seq;
      }
      if (rows.length < most || records.length >= limit) return records;
    }
  }

  #records(where: string, ...bindings: (string | number)[]): LogRecord[] {
    return this.#sql
      .exec<RecordRow>(`SELECT seq, at, body FROM log ${where}`, ...bindings)
      .toArray()
      .map((row) => this.#toRecord(row));
  }

  /** A stored record. It was validated before it was written; one that does not parse is damage, and says so. */
  #toRecord({ seq, at, body }: RecordRow): LogRecord {
    const known = this.#decoded.get(seq);
    if (known) return known.record;
    const record = { ...recordBody.parse(JSON.parse(body)), seq, at };
    this.#keep({ record, length: body.length });
    return record;
  }

  /** Those that were kept first go first. */
  #keep(decoded: Decoded): void {
    if (decoded.length > CACHED_BODY_LENGTH) return;
    this.#decoded.set(decoded.record.seq, decoded);
    for (const first of this.#decoded.keys()) {
      if (this.#decoded.size <= CACHED_RECORDS) break;
      this.#decoded.delete(first);
    }
  }
}
