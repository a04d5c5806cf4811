/**
 * The messages of a conversation as far as they were loaded: records appended at the end, pages
 * of older ones put before them. Deterministic and without any input or output.
 *
 * Between two pictures the list is changed in place; a picture copies it once if it changed. So a
 * replay of a thousand records copies the list once, and the pieces of an answer never do.
 */
import type { EventFrame } from '../protocol/records.ts';
import type { QueueView } from '../protocol/server-frames.ts';
import { isReviser, messageOf, revise, type Message, type UserStatus } from '../protocol/transcript.ts';

export class Transcript {
  #list: Message[] = [];
  #shown: readonly Message[] = [];
  #changed = false;
  /** Turns that wait or are being answered; all others are at rest. */
  #live: ReadonlyMap<number, UserStatus> = new Map();
  #before: number | null = null;
  /** The log before this place is known by pages only. */
  #firstSeq = 1;
  /** Records about messages that no page has brought yet. */
  #early: EventFrame[] = [];
  readonly #turns = new Map<string, number>();

  /** The list now; the same array until something in it changes. */
  messages(): readonly Message[] {
    if (this.#changed) this.#shown = [...this.#list];
    this.#changed = false;
    return this.#shown;
  }

  /** Where older messages end: ask for those before this place. Null at the beginning. */
  olderBefore(): number | null {
    return this.#before;
  }

  /** The turn of a person's message, if it was loaded. */
  turnOf(id: string): number | undefined {
    return this.#turns.get(id);
  }

  /** The turn that has the newest answer. */
  lastAnswered(): number | undefined {
    return this.#list.findLast((message) => message.role === 'bot')?.turn;
  }

  /** Drops everything; the next record is number `from + 1`. */
  reset(from: number): void {
    this.#list = [];
    this.#early = [];
    this.#turns.clear();
    this.#changed = true;
    this.#firstSeq = from + 1;
    this.#before = from > 0 ? this.#firstSeq : null;
  }

  /** The caller keeps records in order and without gaps. */
  append(record: EventFrame): void {
    if (record.kind === 'message') this.#turns.set(record.id, record.seq);
    if (isReviser(record)) this.#revise(record.turn, record);
    const message = messageOf(record);
    if (!message) return;
    this.#list.push(this.#withStatus(message));
    this.#changed = true;
  }

  /** Puts a page of older messages before the others, with what was learned about them since. */
  prepend(page: readonly Message[], nextBefore: number | null): void {
    const end = Math.min(this.#list[0]?.seq ?? this.#firstSeq, this.#before ?? this.#firstSeq);
    const older = page.filter((message) => message.seq < end).toSorted((one, other) => one.seq - other.seq);
    for (const message of older) if (message.role === 'user') this.#turns.set(message.id, message.turn);
    const revised = older.map((message) => this.#withStatus(this.#early.reduce(reviseOnce, message)));
    this.#list = [...revised, ...this.#list];
    this.#before = nextBefore;
    this.#changed = true;
  }

  /** Marks the messages that wait or are being answered. */
  setQueue(queue: QueueView): void {
    const previous = this.#live;
    this.#live = statusesOf(queue);
    for (const turn of [...previous.keys(), ...this.#live.keys()]) {
      const index = indexOf(this.#list, turn);
      const message = this.#list[index];
      if (message) this.#replace(index, this.#withStatus(message));
    }
  }

  #replace(index: number, message: Message): void {
    if (this.#list[index] === message) return;
    this.#list[index] = message;
    this.#changed = true;
  }

  #withStatus(message: Message): Message {
    if (message.role === 'bot' || message.status === 'cancelled') return message;
    const status = this.#live.get(message.turn) ?? 'accepted';
    return message.status === status ? message : { ...message, status };
  }

  /** Walks back from the end to the turn's own message: what a record is about is nearly always recent. */
  #revise(turn: number, record: EventFrame): void {
    for (let index = this.#list.length - 1; index >= 0; index--) {
      const message = this.#list[index];
      if (!message || message.seq < turn) break;
      if (message.turn === turn) this.#replace(index, reviseOnce(message, record));
    }
    if (turn < this.#firstSeq) this.#early.push(record);
  }
}

/** `revise`, but a message that says so already keeps its identity. */
function reviseOnce(message: Message, record: EventFrame): Message {
  const revised = revise(message, record);
  return revised.status === message.status && revised.text === message.text ? message : revised;
}

function statusesOf(queue: QueueView): Map<number, UserStatus> {
  const statuses = new Map<number, UserStatus>(queue.waiting.map(({ turn }) => [turn, 'queued']));
  if (queue.running) statuses.set(queue.running.turn, 'answering');
  return statuses;
}

/** Index of the message with this `seq`, or -1. */
function indexOf(list: readonly Message[], seq: number): number {
  let low = 0;
  let high = list.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = list[middle]?.seq ?? 0;
    if (found === seq) return middle;
    if (found < seq) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
