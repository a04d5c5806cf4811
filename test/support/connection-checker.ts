/** What one connection brought, held against the log: records, deltas, credit (S5, S11, S12, S15, S16, S17). */
import { isDeepStrictEqual } from 'node:util';
import type { ClientFrameOf } from '../../src/protocol/client-frames.ts';
import { CREDIT_STEP_BYTES, CREDIT_WINDOW_BYTES } from '../../src/protocol/limits.ts';
import type { EventFrame, LogRecord } from '../../src/protocol/records.ts';
import type { ServerFrame, ServerFrameOf } from '../../src/protocol/server-frames.ts';
import type { Report } from './history-model.ts';
import type { Connection } from './recording.ts';

type Outcome = Extract<LogRecord, { kind: 'reply' | 'failed' | 'stopped' }>;

/** An answer as a client puts it together. */
export interface AnswerReader {
  turn: number;
  attempt: number;
  text: string;
  thinking: string;
}

export interface ConnectionToCheck {
  name: string;
  connection: Connection;
  log: readonly LogRecord[];
  /** By `<turn>.<attempt>`. */
  outcomes: ReadonlyMap<string, Outcome>;
  /** How far the client had read before this connection. */
  reader: AnswerReader | null;
}

/** More than a delta's frame is longer than its text. */
const FRAME_MARGIN = 200;

/** Frames that are sent only within the credit window; the others answer what a client asked for. */
const CREDITED: ReadonlySet<ServerFrame['type']> = new Set(['event', 'delta', 'queue', 'presence']);

/** Returns how far the client has read when the connection ends. */
export function checkConnection(checked: ConnectionToCheck, report: Report): AnswerReader | null {
  const check = new ConnectionCheck(checked, report);
  for (const text of checked.connection.unreadable) report('wire', `${checked.name}: an unreadable frame: ${text}`);
  for (const recorded of checked.connection.frames) {
    if (recorded.from === 'server') check.received(recorded.frame, recorded.length);
    else if (recorded.frame.type === 'hello') check.hello(recorded.frame);
    else if (recorded.frame.type === 'credit') check.credited(recorded.frame.bytes);
  }
  return check.reader;
}

class ConnectionCheck {
  reader: AnswerReader | null;
  readonly #checked: ConnectionToCheck;
  readonly #report: Report;
  /** The last record received; null before the welcome. */
  #seq: number | null = null;
  /** Attempts whose end this connection has seen, by turn. */
  readonly #over = new Map<number, number>();
  /** Attempts that were under way on this connection; of others only the outcome comes. */
  readonly #followed = new Set<string>();
  #received = 0;
  #unread = 0;

  constructor(checked: ConnectionToCheck, report: Report) {
    this.#checked = checked;
    this.reader = checked.reader;
    this.#report = (rule, detail) => report(rule, `${checked.name}: ${detail}`);
  }

  /** The client says how far it has read: the rest follows from there. */
  hello({ turn, attempt, offset = 0, thinkingOffset = 0 }: ClientFrameOf<'hello'>): void {
    // A second one is refused, and changes nothing.
    if (this.#seq !== null) return;
    const { reader } = this;
    this.reader = null;
    if (reader === null || reader.turn !== turn || reader.attempt !== attempt) return;
    const { text, thinking } = reader;
    if (offset > text.length || thinkingOffset > thinking.length) return;
    this.reader = { turn, attempt, text: text.slice(0, offset), thinking: thinking.slice(0, thinkingOffset) };
  }

  /** Below zero when credit comes late: what the server has forgotten is credited all the same. */
  credited(length: number): void {
    this.#unread -= length;
  }

  received(frame: ServerFrame, length: number): void {
    // The client's count is never above the server's, so what is too much here was too much there.
    if (CREDITED.has(frame.type) && this.#unread >= CREDIT_STEP_BYTES && this.#unread + length > CREDIT_WINDOW_BYTES) {
      this.#report('S17', `${this.#unread + length} characters are unread after a ${frame.type}`);
    }
    this.#unread += length;
    this.#received += length;
    if (frame.type === 'welcome') this.#welcome(frame);
    else if (frame.type === 'event') this.#event(frame);
    else if (frame.type === 'delta') this.#delta(frame);
  }

  #welcome({ seq, from, queue }: ServerFrameOf<'welcome'>): void {
    if (this.#seq !== null) this.#report('wire', 'a connection was welcomed twice');
    this.#seq = from;
    const { running } = queue;
    if (running) this.#followed.add(`${running.turn}.${running.attempt}`);
    // What was read of another attempt is over: of that one only the outcome comes, by its record.
    if (running?.turn !== this.reader?.turn || running?.attempt !== this.reader?.attempt) this.reader = null;
    const { log } = this.#checked;
    if (seq > log.length) this.#report('S1', `welcomed at record ${seq} of a log that ends at ${log.length}`);
    if (from > seq) this.#report('S15', `welcomed from ${from}, beyond the end ${seq}`);
    const waits = queue.waiting.map(({ turn }) => turn);
    const sorted = queue.waiting.toSorted((a, b) => b.priority - a.priority || a.turn - b.turn);
    if (
      !isDeepStrictEqual(
        waits,
        sorted.map(({ turn }) => turn),
      )
    )
      this.#report('S9', `the queue is ${waits.join()}`);
  }

  #event(frame: EventFrame): void {
    const { type: _, ...record } = frame;
    const { seq } = record;
    if (this.#seq === null) this.#report('wire', `record ${seq} before the welcome`);
    else if (seq !== this.#seq + 1) this.#report('S15', `record ${seq} after ${this.#seq}`);
    this.#seq = seq;
    const kept = this.#checked.log[seq - 1];
    if (!kept) this.#report('S1', `record ${seq} (${record.kind}) was shown and is not in the log`);
    else if (!isDeepStrictEqual(kept, record)) this.#report('S5', `record ${seq} was shown otherwise than it is kept`);
    if (record.kind === 'restarted') this.#over.set(record.turn, record.attempt - 1);
    if (record.kind !== 'reply' && record.kind !== 'failed' && record.kind !== 'stopped') return;
    this.#checkWhole(record);
    this.#over.set(record.turn, record.attempt);
  }

  /** S16: what was joined live is the outcome. Only who was never near the window can be sure to have got all. */
  #checkWhole(outcome: Outcome): void {
    const { turn, attempt, text, thinking = '' } = outcome;
    const { reader } = this;
    if (reader?.turn !== turn || reader.attempt !== attempt || !this.#followed.has(`${turn}.${attempt}`)) return;
    if (isUnbegun(outcome)) return;
    if (this.#received + JSON.stringify(text + thinking).length + FRAME_MARGIN > CREDIT_WINDOW_BYTES) return;
    const isWhole = reader.text === text && reader.thinking === thinking;
    if (!isWhole) this.#report('S16', `the joined answer of ${turn}.${attempt} is not the outcome's`);
  }

  #delta({ turn, attempt, offset, text, channel }: ServerFrameOf<'delta'>): void {
    const name = `${turn}.${attempt}`;
    const over = this.#over.get(turn) ?? 0;
    if (attempt <= over) {
      const stopped = this.#checked.outcomes.get(name)?.kind === 'stopped';
      return this.#report(stopped ? 'S12' : 'S11', `a piece of ${name} after the end of attempt ${over}`);
    }
    this.#followed.add(name);
    if (this.reader?.turn !== turn || this.reader.attempt !== attempt) {
      this.reader = { turn, attempt, text: '', thinking: '' };
    }
    const { reader } = this;
    if (offset > reader[channel].length) {
      return this.#report('S16', `a piece of ${name} at ${offset}, but only ${reader[channel].length} were read`);
    }
    reader[channel] = reader[channel].slice(0, offset) + text;
    const outcome = this.#checked.outcomes.get(name);
    const whole = channel === 'text' ? outcome?.text : (outcome?.thinking ?? '');
    if (outcome && !isUnbegun(outcome) && !whole?.startsWith(reader[channel])) {
      this.#report('S16', `the pieces of ${name} (${channel}) do not add up to its outcome`);
    }
    if (!reader[channel].isWellFormed()) this.#report('S16', `a piece of ${name} ends in half a character`);
  }
}

/**
 * S14, S27: its process had ended, and its successor gave it up, or had not begun it anew when it was stopped or
 * refused. Nobody answered then, and what had come before is gone.
 */
function isUnbegun(outcome: Outcome): boolean {
  return outcome.kind !== 'reply' && outcome.by === undefined;
}
