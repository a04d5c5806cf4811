/**
 * What a session's log means, worked out a second time from SPEC.md and PROTOCOL.md alone: the
 * checker must not believe the code that it checks, so nothing here calls it (types apart).
 */
import * as z from 'zod/mini';
import type { LogRecord } from '../../src/protocol/records.ts';

export interface Violation {
  /** The rule of SPEC.md that is broken; `wire` for what PROTOCOL.md alone says. */
  rule: string;
  detail: string;
}

export type Report = (rule: string, detail: string) => void;

/** SPEC.md S14: restarts of one turn before it is given up. */
const MAX_RESTARTS = 4;
/** SPEC.md S3. */
const MAX_QUEUE_LENGTH = 100;

type Outcome = Extract<LogRecord, { kind: 'reply' | 'failed' | 'stopped' }>;

interface Turn {
  turn: number;
  id: string;
  priority: number;
  attempt: number;
  restarts: number;
  state: 'waiting' | 'running' | 'ended';
}

/** A session's turns while its log is read, and every rule that a record can break. */
export class LogModel {
  readonly turns = new Map<number, Turn>();
  readonly ids = new Map<string, number>();
  /** Outcomes by `<turn>.<attempt>`. */
  readonly outcomes = new Map<string, Outcome>();
  running: Turn | null = null;
  waiting: Turn[] = [];
  /** The turn that ended last with an outcome. */
  last: Turn | null = null;
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  apply(record: LogRecord): void {
    switch (record.kind) {
      case 'created':
        if (record.seq !== 1) this.#report('S5', `record ${record.seq}: created twice`);
        break;
      case 'message':
        this.#message(record);
        break;
      case 'edited':
      case 'cancelled':
        this.#revised(record);
        break;
      case 'restarted':
        this.#restarted(record);
        break;
      case 'regenerated':
        this.#regenerated(record);
        break;
      case 'reply':
      case 'failed':
      case 'stopped':
        this.#ended(record);
        break;
      case 'updated':
        break;
    }
    this.#promote();
  }

  #message({ seq, id, priority }: Extract<LogRecord, { kind: 'message' }>): void {
    const before = this.ids.get(id);
    if (before !== undefined) this.#report('S2', `record ${seq}: the id ${id} is record ${before} already`);
    this.ids.set(id, seq);
    const turn: Turn = { turn: seq, id, priority, attempt: 1, restarts: 0, state: 'waiting' };
    this.turns.set(seq, turn);
    const behind = this.waiting.findIndex((other) => other.priority < priority);
    this.waiting.splice(behind === -1 ? this.waiting.length : behind, 0, turn);
    const waiting = this.waiting.length - (this.running ? 0 : 1);
    if (waiting > MAX_QUEUE_LENGTH) this.#report('S3', `record ${seq}: ${waiting} messages wait`);
  }

  #revised({ seq, turn, kind }: Extract<LogRecord, { kind: 'edited' | 'cancelled' }>): void {
    const index = this.waiting.findIndex((waiting) => waiting.turn === turn);
    const found = this.waiting[index];
    if (!found) return this.#report('S10', `record ${seq}: ${kind}, but turn ${turn} does not wait`);
    if (kind === 'edited') return;
    found.state = 'ended';
    this.waiting.splice(index, 1);
  }

  #restarted({ seq, turn, attempt }: Extract<LogRecord, { kind: 'restarted' }>): void {
    const { running } = this;
    if (running?.turn !== turn) return this.#report('S14', `record ${seq}: restarts turn ${turn}, which does not run`);
    if (attempt !== running.attempt + 1) {
      this.#report('S11', `record ${seq}: attempt ${attempt} follows attempt ${running.attempt}`);
    }
    running.attempt = attempt;
    running.restarts += 1;
    if (running.restarts > MAX_RESTARTS) this.#report('S14', `record ${seq}: restart ${running.restarts}`);
  }

  #regenerated({ seq, turn, attempt }: Extract<LogRecord, { kind: 'regenerated' }>): void {
    const { last } = this;
    if (this.running || last?.turn !== turn) {
      return this.#report('S13', `record ${seq}: regenerates turn ${turn}, which did not end last, or something runs`);
    }
    if (attempt !== last.attempt + 1) this.#report('S11', `record ${seq}: attempt ${attempt} follows ${last.attempt}`);
    Object.assign(last, { attempt, restarts: 0, priority: 0, state: 'running' });
    this.running = last;
    this.last = null;
  }

  #ended(record: Outcome): void {
    const { seq, turn, attempt, kind } = record;
    const { running } = this;
    if (running?.turn !== turn) {
      const ended = this.turns.get(turn)?.state === 'ended';
      // A turn that ended already is answered twice; one that waits is answered before its time.
      return this.#report(ended ? 'S8' : 'S9', `record ${seq}: ${kind} for turn ${turn}, which does not run`);
    }
    if (attempt !== running.attempt) {
      this.#report('S11', `record ${seq}: ${kind} of attempt ${attempt}, while ${running.attempt} runs`);
    }
    if (kind === 'failed' && record.code === 'interrupted' && running.restarts < MAX_RESTARTS) {
      this.#report('S14', `record ${seq}: given up after ${running.restarts} restarts`);
    }
    this.outcomes.set(`${turn}.${attempt}`, record);
    running.state = 'ended';
    this.last = running;
    this.running = null;
  }

  #promote(): void {
    if (this.running) return;
    const next = this.waiting.shift();
    if (!next) return;
    next.state = 'running';
    this.running = next;
  }
}

/** Row ids reserved for each session in D1. Its own: what is read from outside is not read with the house's numbers. */
export const SESSION_SPAN = 4_194_304;

/** A message as a row of the history; columns that do not apply are null. */
export const historyRow = z.object({
  seq: z.int(),
  turn: z.int(),
  /** The record that changed it last. */
  rev: z.int(),
  role: z.enum(['user', 'bot']),
  status: z.string(),
  at: z.int(),
  clientId: z.nullable(z.string()),
  priority: z.nullable(z.int()),
  attempt: z.nullable(z.int()),
  model: z.nullable(z.string()),
  finish: z.nullable(z.string()),
  usage: z.nullable(z.string()),
  error: z.nullable(z.string()),
  text: z.string(),
  thinking: z.nullable(z.string()),
});
export type HistoryRow = z.infer<typeof historyRow>;

const NO_ANSWER = { attempt: null, model: null, finish: null, usage: null, error: null, thinking: null };

/** The rows that D1 has to hold for a log, in order. */
export function expectedRows(log: readonly LogRecord[]): HistoryRow[] {
  const rows: HistoryRow[] = [];
  const ofTurn = (turn: number): HistoryRow[] => rows.filter((row) => row.turn === turn);
  for (const record of log) {
    const { seq, at } = record;
    switch (record.kind) {
      case 'message': {
        const { id: clientId, text, priority } = record;
        const common = { seq, turn: seq, rev: seq, role: 'user' as const, at, clientId, priority, text };
        rows.push({ ...NO_ANSWER, ...common, status: 'accepted' });
        break;
      }
      case 'reply':
      case 'stopped':
      case 'failed':
        rows.push(answerRow(record));
        break;
      case 'edited':
        for (const row of ofTurn(record.turn)) Object.assign(row, { text: record.text, rev: seq });
        break;
      case 'cancelled':
        for (const row of ofTurn(record.turn)) Object.assign(row, { status: 'cancelled', rev: seq });
        break;
      case 'regenerated':
        for (const row of ofTurn(record.turn)) {
          if (row.role === 'bot' && row.status !== 'superseded') Object.assign(row, { status: 'superseded', rev: seq });
        }
        break;
      case 'created':
      case 'restarted':
      case 'updated':
        break;
    }
  }
  return rows;
}

function answerRow(record: Outcome): HistoryRow {
  const { seq, at, turn, attempt, text, kind } = record;
  const isReply = record.kind === 'reply';
  return {
    seq,
    turn,
    rev: seq,
    role: 'bot',
    status: isReply ? 'complete' : kind,
    at,
    clientId: null,
    priority: null,
    attempt,
    model: isReply ? record.model : null,
    finish: isReply ? record.finish : null,
    usage: isReply ? JSON.stringify(record.usage) : null,
    error: record.kind === 'failed' ? JSON.stringify({ code: record.code, message: record.message }) : null,
    text: text.toWellFormed(),
    thinking: record.thinking?.toWellFormed() ?? null,
  };
}
