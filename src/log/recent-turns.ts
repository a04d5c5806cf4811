/**
 * The newest turns of a session, kept in memory: every prompt needs them, and reading them from the
 * log each time was a quarter of what an answer costs. What is not here is read from the log.
 */
import type { LogRecord } from '../protocol/records.ts';
import { pastTurns, questionOf, type PastTurn } from './conversation.ts';
import type { SessionLog } from './session-log.ts';

/** Turns kept, and characters in them; older ones are read from the log where a prompt has room for them. */
const KEPT_TURNS = 64;
const KEPT_LENGTH = 128 * 1024;

export class RecentTurns {
  readonly #log: SessionLog;
  /** What open turns ask, as edited last. */
  readonly #questions = new Map<number, string>();
  /** In the order of their outcomes; null until first needed. */
  #turns: PastTurn[] | null = null;
  /** Characters in them. */
  #length = 0;
  /** Whether there are no turns in the log but these. */
  #complete = false;

  constructor(log: SessionLog) {
    this.#log = log;
  }

  /** Follows the log: every record, in order, after it was appended. */
  appended(record: LogRecord): void {
    switch (record.kind) {
      case 'message':
        this.#questions.set(record.seq, record.text);
        return;
      case 'edited':
        this.#questions.set(record.turn, record.text);
        return;
      case 'cancelled':
        this.#questions.delete(record.turn);
        return;
      case 'reply':
      case 'stopped':
      case 'failed':
        if (this.#turns)
          this.#keep(this.#turns, { turn: record.turn, user: this.question(record.turn), bot: record.text });
        this.#questions.delete(record.turn);
        return;
      default:
    }
  }

  /** What a person asked in `turn`. */
  question(turn: number): string {
    return this.#questions.get(turn) ?? questionOf(this.#log, turn) ?? '';
  }

  /**
   * Turns that have ended, newest first, without `turn` itself; reads no further back than the caller goes. To be read
   * before the next record is appended.
   */
  *before(turn: number): Generator<PastTurn> {
    const kept = this.#turns ?? this.#load();
    for (let index = kept.length - 1; index >= 0; index -= 1) {
      const past = kept[index];
      if (past && past.turn !== turn) yield past;
    }
    if (this.#complete) return;
    const seen = new Set(kept.map((past) => past.turn));
    for (const past of pastTurns(this.#log, turn)) if (!seen.has(past.turn)) yield past;
  }

  #load(): PastTurn[] {
    const newest: PastTurn[] = [];
    this.#complete = true;
    // No turn has the number 0: none is left out.
    for (const past of pastTurns(this.#log, 0)) {
      this.#complete = newest.length < KEPT_TURNS && this.#length + lengthOf(past) <= KEPT_LENGTH;
      if (!this.#complete) break;
      newest.push(past);
      this.#length += lengthOf(past);
    }
    this.#turns = newest.toReversed();
    return this.#turns;
  }

  /** A turn that was answered again moves to the end. */
  #keep(turns: PastTurn[], turn: PastTurn): void {
    const index = turns.findIndex((other) => other.turn === turn.turn);
    const [superseded] = index === -1 ? [] : turns.splice(index, 1);
    if (superseded) this.#length -= lengthOf(superseded);
    turns.push(turn);
    this.#length += lengthOf(turn);
    while (turns.length > KEPT_TURNS || this.#length > KEPT_LENGTH) {
      const oldest = turns.shift();
      if (!oldest) break;
      this.#length -= lengthOf(oldest);
      this.#complete = false;
    }
  }
}

function lengthOf({ user, bot }: PastTurn): number {
  return user.length + bot.length;
}
