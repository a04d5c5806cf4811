/** What a user of the headless client sees and gives. The page, the load scripts and the drills use the same. */
import type { RequestErrorCode } from '../protocol/codes.ts';
import type { QueueView } from '../protocol/server-frames.ts';
import type { Message } from '../protocol/transcript.ts';
import type { BotRef } from '../protocol/values.ts';

/**
 * - `connecting`: a socket is being opened or has not been welcomed yet
 * - `live`: welcomed; what is shown is what the server has
 * - `waiting`: the connection was lost; the next try is at `retryAt`
 * - `closed`: for good, because of `lastError` or by `close()`
 */
export type Connection = 'connecting' | 'live' | 'waiting' | 'closed';

/** A message not yet acknowledged. It survives a reload in the outbox store and is sent until acknowledged. */
export interface Pending {
  id: string;
  text: string;
  priority: number;
  /** Milliseconds since 1970. */
  at: number;
  /** Set when the server refused it for good; it stays until the person edits or discards it. */
  refused: { code: RequestErrorCode; message: string } | null;
}

/** The running answer as far as it was read. */
export interface Running {
  turn: number;
  attempt: number;
  text: string;
  thinking: string;
}

/** One immutable picture of a session. A new object whenever something changed; equal parts keep their identity. */
export interface SessionView {
  connection: Connection;
  /** When the next connection is tried (ms since 1970), while `waiting`. */
  retryAt: number | null;
  session: string;
  title: string;
  archived: boolean;
  bot: BotRef | null;
  /** The newest messages, in order, as far back as was loaded; `olderBefore` is null when that is the beginning. */
  messages: readonly Message[];
  olderBefore: number | null;
  running: Running | null;
  queue: QueueView;
  pending: readonly Pending[];
  tabs: number;
  /** Another tab is writing just now. */
  othersTyping: boolean;
  lastError: { code: RequestErrorCode | 'connection'; message: string } | null;
}

/** Where unacknowledged messages outlive the process. Writes must be done before the message is sent. */
export interface OutboxStore {
  load(session: string): Promise<Pending[]>;
  put(session: string, message: Pending): Promise<void>;
  remove(session: string, id: string): Promise<void>;
  /** Removes everything of the session, rows that `load` leaves out included. */
  clear(session: string): Promise<void>;
}

/**
 * The part of a WebSocket that the client uses. Neither a browser's nor `ws`'s fits as it is, their
 * handlers are typed for whole event objects: a few lines around one pass on what is named here.
 */
export interface SocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
}

/** Time and chance, so that tests decide both. `setTimer` returns what cancels it. */
export interface Clock {
  now(): number;
  setTimer(callback: () => void, delayMs: number): () => void;
  random(): number;
}

export interface SessionClientOptions {
  session: string;
  /** Opens a socket to the session's `connect` path. */
  openSocket(): SocketLike;
  outbox: OutboxStore;
  /** Loads a page of older messages over HTTP. */
  loadOlder?(before: number): Promise<{ messages: Message[]; nextBefore: number | null }>;
  clock?: Clock;
  /** A new message id; default 128 random bits. */
  newId?(): string;
}

export interface SessionClient {
  readonly view: SessionView;
  /**
   * Called with the new view once per microtask in which something changed; returns what ends it.
   * Reading `view` never waits for that.
   */
  subscribe(listener: (view: SessionView) => void): () => void;
  /** Puts a message into the outbox, then on the wire; resolves with its id once it is in the outbox. */
  send(text: string, options?: { id?: string; priority?: number }): Promise<string>;
  /** Changes or withdraws a message that waits: in the outbox or in the server's queue. */
  edit(id: string, text: string): Promise<void>;
  cancel(id: string): Promise<void>;
  stop(): void;
  regenerate(): void;
  typing(): void;
  loadOlder(): Promise<void>;
  /** Tries to connect at once: on `online`, `visibilitychange`, or a click. */
  wake(): void;
  close(): void;
}
