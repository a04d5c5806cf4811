/**
 * One connected tab: how far it has read, and how much it may still be sent. Live delivery, resume
 * and catching up after a pause are the same thing here: send what the tab lacks, from where it is.
 */
import * as z from 'zod/mini';
import { encodeServerFrame } from '../protocol/codec.ts';
import { CLOSE } from '../protocol/codes.ts';
import { CREDIT_STEP_BYTES, CREDIT_WINDOW_BYTES, FRAMES_PER_SECOND, MAX_FRAMES_AT_ONCE } from '../protocol/limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Beyond this the tab is not slow but does not read at all; a frame of the largest size may come on top. */
const MAX_UNREAD_LENGTH = 2 * CREDIT_WINDOW_BYTES;

/** What a tab needs of a WebSocket. */
export interface TabSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** What survives hibernation with the socket. It may lag behind the truth: readers skip records they have. */
const attachment = z.object({
  seq: z.nullable(z.int()),
  proof: z.nullable(z.object({ user: z.string(), until: z.number() })),
  /** Missing where a version before this one wrote it. */
  acceptedAt: z.optional(z.number()),
  heardAt: z.optional(z.number()),
});

type Attachment = z.infer<typeof attachment>;

/** Who opened a socket, and until when what proved it holds (ms since 1970). */
export type Proof = NonNullable<Attachment['proof']>;

/** What a tab begins with. */
type Beginning = Pick<Tab, 'seq' | 'acceptedAt' | 'heardAt'> & { proof: Proof | null };

export class Tab {
  /** The last record sent; null until `hello`. */
  seq: number | null;
  /** How far the running answer was sent, for the attempt named. */
  turn = 0;
  attempt = 0;
  textOffset = 0;
  thinkingOffset = 0;
  /**
   * When the socket was accepted, and when it last sent a frame (ms since 1970). A tab that outlived its object has the
   * times of before: it may be dead as long as the session has slept.
   */
  readonly acceptedAt: number;
  heardAt: number;
  /** A queue did not fit into the window: the one of then is sent when it does. */
  lacksQueue = false;
  /** Unreadable frames so far. */
  badFrames = 0;
  readonly #socket: TabSocket;
  /** Characters sent and not yet credited. Outgoing sockets report no back-pressure, so readers do. */
  #unread = 0;
  readonly #frames = new TokenBucket(FRAMES_PER_SECOND, MAX_FRAMES_AT_ONCE);
  #proof: Proof | null;
  /** Closed from here: its close event is on the way, and nothing may follow what it was closed with. */
  #closed = false;

  private constructor(socket: TabSocket, { seq, proof, acceptedAt, heardAt }: Beginning) {
    this.#socket = socket;
    this.seq = seq;
    this.#proof = proof;
    this.acceptedAt = acceptedAt;
    this.heardAt = heardAt;
  }

  /** A socket that was just accepted. */
  static accept(socket: TabSocket, now: number): Tab {
    const tab = new Tab(socket, { seq: null, proof: null, acceptedAt: now, heardAt: now });
    tab.save();
    return tab;
  }

  /** A socket that outlived the object which accepted it; null if it is not one of ours. */
  static restore(socket: TabSocket, now: number): Tab | null {
    const parsed = attachment.safeParse(socket.deserializeAttachment());
    if (!parsed.success) return null;
    const { seq, proof, acceptedAt = now, heardAt = now } = parsed.data;
    return new Tab(socket, { seq, proof, acceptedAt, heardAt });
  }

  /**
   * Whether a frame of this length may be sent now. A reader keeps up to one step of credit to
   * itself, so below that it counts as having read everything: then a frame of any length may go.
   */
  canTake(length: number): boolean {
    return this.#unread < CREDIT_STEP_BYTES || this.#unread + length <= CREDIT_WINDOW_BYTES;
  }

  /** Sends, whatever the window says: what answers a frame of the tab's own is not held back. */
  send(frame: string): void {
    if (this.#closed) return;
    this.#unread += frame.length;
    // Who keeps asking without reading would fill the object's memory with answers.
    if (this.#unread > MAX_UNREAD_LENGTH && frame.length < CREDIT_WINDOW_BYTES) {
      return this.close(CLOSE.notReading, 'Too much is unread.');
    }
    try {
      this.#socket.send(frame);
    } catch {
      // The socket closed under us; its close event removes the tab, and the client resumes elsewhere.
    }
  }

  /** The server has checked who opened this socket. Kept with it, so that it holds after hibernation too. */
  vouch(proof: Proof): void {
    this.#proof = proof;
    this.save();
  }

  /** Whether the tab was opened by `owner`, and what proved it still holds at `now` (ms since 1970). */
  isAuthorised(owner: string, now: number): boolean {
    return !this.hasExpired(now) && (this.#proof === null || this.#proof.user === owner);
  }

  hasExpired(now: number): boolean {
    return this.#proof !== null && now >= this.#proof.until;
  }

  /** Says that the proof holds no longer, and closes. */
  endUnauthorised(): void {
    const message = 'What proved who you are holds no longer: load the page again.';
    this.send(encodeServerFrame({ type: 'error', code: 'unauthorized', message, retryable: false }));
    this.close(CLOSE.unauthorized, message);
  }

  /** Whether one more frame of the tab may be acted on now (ms since 1970). */
  mayAct(now: number): boolean {
    return this.#frames.take(now);
  }

  /** The tab has read so much. Not checked against what it was sent: hibernation forgets that. */
  credit(length: number): void {
    this.#unread = Math.max(0, this.#unread - length);
  }

  /** Starts reading the answer of an attempt, at the offsets that the tab already has. */
  follow(turn: number, attempt: number, textOffset = 0, thinkingOffset = 0): void {
    this.turn = turn;
    this.attempt = attempt;
    this.textOffset = textOffset;
    this.thinkingOffset = thinkingOffset;
  }

  save(): void {
    const { seq, acceptedAt, heardAt } = this;
    this.#socket.serializeAttachment({ seq, proof: this.#proof, acceptedAt, heardAt } satisfies Attachment);
  }

  close(code: number, reason: string): void {
    this.#closed = true;
    try {
      this.#socket.close(code, reason);
    } catch {
      // Closed already.
    }
  }
}
