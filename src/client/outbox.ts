/**
 * Messages on their way: stored before they are sent, sent until they are acknowledged, in order.
 *
 * One message is on the wire at a time. Sending them all at once would be faster, but a refusal
 * that passes ("queue full") would let the later ones overtake the one that has to wait.
 */
import type { ClientFrame } from '../protocol/client-frames.ts';
import type { EventFrame } from '../protocol/records.ts';
import type { ServerFrameOf } from '../protocol/server-frames.ts';
import { textProblem } from '../protocol/text.ts';
import { messageId } from '../protocol/values.ts';
import type { QueuedChange } from './changes.ts';
import type { Deadlines } from './deadlines.ts';
import { ClientError } from './errors.ts';
import { Shelf, type Entry, type ShelfPorts } from './outbox-shelf.ts';
import type { Pending } from './types.ts';

/** First wait after a refusal that passes and names no time; doubled from then on. */
export const RETRY_AFTER_MS = 1_000;
const MAX_RETRY_AFTER_MS = 30_000;
/** A connection that leaves a message unanswered for this long is given up, although it still pongs. */
export const ACK_TIMEOUT_MS = 30_000;

export type OutboxDeadline = 'ack' | 'resend';

interface OutboxPorts extends ShelfPorts {
  deadlines: Deadlines<OutboxDeadline>;
  newId(): string;
  wire(frame: ClientFrame): void;
  /** The turn of a message that the log is known to have. */
  turnOf(id: string): number | undefined;
  lastSeq(): number;
  /** Asks for a change of a message that is in the server's queue by now. */
  changeQueued(change: QueuedChange): Promise<void>;
  /** A change failed that nobody waits for any more. */
  failed(error: unknown): void;
  /** No acknowledgement came. */
  unanswered(): void;
}

export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #shelf: Shelf;
  #online = false;
  /** The message on the wire. It stays that until answered, even if it was cancelled meanwhile. */
  #inFlight: string | null = null;
  /** Nothing is sent before this time. */
  #notBefore = 0;
  /** Cancelled, but maybe the server has them: if they show up there, they are cancelled there. */
  readonly #withdrawn = new Set<string>();

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#shelf = new Shelf(ports);
  }

  pending(): readonly Pending[] {
    return this.#shelf.pending();
  }

  has(id: string): boolean {
    return this.#shelf.find(id) !== undefined;
  }

  /** Resolves with the id once the message is in the store. The same id and text again changes nothing. */
  async add(text: string, options: { id?: string; priority?: number }): Promise<string> {
    const { id = this.#ports.newId(), priority = 0 } = options;
    mustBeUsable(text, id);
    const same = this.#shelf.find(id);
    if (same && same.message.text !== text) {
      throw new ClientError('id_conflict', 'This id belongs to another message.');
    }
    if (same) {
      await this.#shelf.settled();
      return id;
    }
    this.#withdrawn.delete(id);
    try {
      await this.#shelf.add(id, text, priority);
    } finally {
      this.#flush();
    }
    return id;
  }

  /** Resolves once the new text is in the store; if the old one was sent already, the server is asked to change it. */
  async edit(id: string, text: string): Promise<void> {
    mustBeUsable(text, id);
    const entry = this.#shelf.mustFind(id);
    const { message, ackedSeq } = entry;
    if (ackedSeq !== null) return this.#ports.changeQueued({ id, turn: ackedSeq, text });
    // An id that belongs to another message would be refused again.
    const newId = message.refused?.code === 'id_conflict' ? this.#ports.newId() : id;
    const edited = entry.maybeSent && newId === id;
    try {
      await this.#shelf.replace(entry, { ...message, id: newId, text, refused: null }, edited);
    } finally {
      this.#flush();
    }
  }

  async cancel(id: string): Promise<void> {
    const entry = this.#shelf.mustFind(id);
    if (entry.ackedSeq !== null) return this.#ports.changeQueued({ id, turn: entry.ackedSeq, text: null });
    if (entry.maybeSent) this.#withdrawn.add(id);
    this.#shelf.forget(entry);
    this.#flush();
    await this.#shelf.remove(id);
  }

  /** Reads the store again; nothing is sent until it is read. */
  async load(): Promise<void> {
    await this.#shelf.load((id) => this.#withdrawn.has(id) || this.#ports.turnOf(id) !== undefined);
    this.#flush();
  }

  /** The log was read to its end: what it does not have is sent now. */
  caughtUp(): void {
    this.#online = true;
    for (const entry of this.#shelf.entries) {
      if (entry.ackedSeq === null) continue;
      // A reset skipped its record, or a restored log has lost it: then it is sent once more.
      if (entry.ackedSeq <= this.#ports.lastSeq()) this.#shelf.forget(entry);
      else entry.ackedSeq = null;
    }
    this.#flush();
  }

  disconnected(): void {
    this.#online = false;
    this.#inFlight = null;
    this.#ports.deadlines.clear('ack');
    this.#ports.deadlines.clear('resend');
  }

  acked(frame: ServerFrameOf<'ack'>): void {
    this.#accepted(frame.id, frame.seq, null);
    this.#answered(frame.id);
  }

  recorded(record: EventFrame): void {
    if (record.kind !== 'message') return;
    this.#accepted(record.id, record.seq, record.text);
    this.#answered(record.id);
  }

  /** Says whether the refusal was about the message on the wire. */
  refused(error: ServerFrameOf<'error'>): boolean {
    // One that names no message but passes may well be: sending once more is harmless.
    const id = error.id ?? (error.retryable ? this.#inFlight : null);
    if (id === null || id !== this.#inFlight) return false;
    const entry = this.#shelf.find(id);
    if (!entry) this.#withdrawn.delete(id);
    else if (error.retryable) this.#retry(entry, error.retryAfterMs);
    else this.#refuse(entry, error);
    this.#answered(id);
    return true;
  }

  /** Sends the next message, if it is its time. */
  #flush(): void {
    if (!this.#online || this.#inFlight !== null || this.#shelf.loading) return;
    const next = this.#shelf.entries.find((entry) => entry.message.refused === null && entry.ackedSeq === null);
    if (next?.state !== 'ready') return;
    const { clock, deadlines } = this.#ports;
    const now = clock.now();
    if (now < this.#notBefore) return deadlines.set('resend', this.#notBefore, () => this.#flush());
    const { id, text, priority } = next.message;
    this.#inFlight = id;
    next.maybeSent = true;
    deadlines.set('ack', now + ACK_TIMEOUT_MS, () => this.#ports.unanswered());
    this.#ports.wire({ type: 'send', id, text, ...(priority === 0 ? {} : { priority }) });
  }

  #answered(id: string): void {
    if (this.#inFlight !== id) return;
    this.#inFlight = null;
    this.#ports.deadlines.clear('ack');
    this.#flush();
  }

  /** The server has the message in its log; with which text, only the record says. */
  #accepted(id: string, turn: number, text: string | null): void {
    if (this.#withdrawn.delete(id)) this.#change({ id, turn, text: null });
    const entry = this.#shelf.find(id);
    if (!entry) return;
    if (entry.ackedSeq === null) this.#shelf.erase(id);
    if (text === null && turn > this.#ports.lastSeq()) {
      // Shown until its record comes, or it would vanish for a moment.
      entry.ackedSeq = turn;
      return;
    }
    const wanted = entry.message.text;
    this.#shelf.forget(entry);
    if (entry.edited && text !== wanted) this.#change({ id, turn, text: wanted });
  }

  #change(request: QueuedChange): void {
    this.#ports.changeQueued(request).catch((error: unknown) => this.#ports.failed(error));
  }

  #retry(entry: Entry, retryAfterMs: number | undefined): void {
    const backoffMs = Math.min(MAX_RETRY_AFTER_MS, RETRY_AFTER_MS * 2 ** entry.refusals);
    entry.refusals += 1;
    this.#notBefore = this.#ports.clock.now() + (retryAfterMs ?? backoffMs);
  }

  #refuse(entry: Entry, { code, message }: ServerFrameOf<'error'>): void {
    // It did arrive before it was edited, and so long ago that no replay showed it. The new text stays for the person to decide.
    const wasAnswered = code === 'id_conflict' && entry.edited;
    const reason = wasAnswered ? 'It was sent with its earlier text, which is past changing.' : message;
    entry.message = { ...entry.message, refused: { code, message: reason } };
    this.#shelf.changed();
    // A lost mark costs one more refusal after a reload.
    this.#shelf.put(entry.message).catch(() => {});
  }
}

function mustBeUsable(text: string, id: string): void {
  const problem = textProblem(text, id);
  if (problem) throw ClientError.of(problem);
  if (!messageId.safeParse(id).success) throw new ClientError('bad_request', 'The id of the message is not usable.');
}
