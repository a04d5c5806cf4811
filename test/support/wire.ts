/** A bare WebSocket to a session, for tests that say exactly what goes over it, bad frames included. */
import { WebSocket } from 'ws';
import { encodeClientFrame } from '../../src/protocol/codec.ts';
import type { ClientFrame, ClientFrameOf } from '../../src/protocol/client-frames.ts';
import { CREDIT_STEP_BYTES, PING_INTERVAL_MS, PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import type { EventFrame } from '../../src/protocol/records.ts';
import { PING_TEXT, type ServerFrame, type ServerFrameOf } from '../../src/protocol/server-frames.ts';
import { messageText, newConnection, recordReceived, recordSent, type ClientRecording } from './recording.ts';

/** Longer than anything takes on a loaded machine; a test that waits this long has failed. */
const WAIT_TIMEOUT_MS = 15_000;

type FrameType = ServerFrame['type'];
type EventOf<K extends EventFrame['kind']> = Extract<EventFrame, { kind: K }>;

export class Wire {
  readonly received: ServerFrame[] = [];
  /** Resolves when the connection has ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Returns credit as clients have to; without it the server stops sending after a window. */
  credits = true;
  readonly recording: ClientRecording = { name: 'wire', connections: [] };
  readonly #socket: WebSocket;
  readonly #connection = newConnection(this.recording);
  #listeners: (() => void)[] = [];
  #ended = '';
  #uncredited = 0;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#socket = new WebSocket(url, { headers, perMessageDeflate: false });
    this.#socket.on('message', (data) => {
      const text = messageText(data);
      const frame = recordReceived(this.#connection, text);
      if (frame) this.received.push(frame);
      this.#credit(text.length);
      this.#tell();
    });
    this.#socket.on('error', (error) => {
      this.#ended = error.message;
      this.#tell();
    });
    // Who is not heard of for too long is let go of.
    const pinging = setInterval(() => {
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(PING_TEXT);
    }, PING_INTERVAL_MS);
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', (code, reason) => {
        clearInterval(pinging);
        this.#ended ||= `closed with ${code}`;
        this.#tell();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Resolves when the connection is open; rejects when it was refused. */
  async opened(): Promise<this> {
    await this.#until(() => (this.#socket.readyState === WebSocket.OPEN ? true : undefined), 'opened', [
      (listener) => this.#socket.on('open', listener),
    ]);
    return this;
  }

  /** Says hello and waits for the welcome. */
  async hello(known: Omit<ClientFrameOf<'hello'>, 'type' | 'protocol'> = {}): Promise<ServerFrameOf<'welcome'>> {
    await this.opened();
    const mark = this.received.length;
    this.send({ type: 'hello', protocol: PROTOCOL_VERSION, ...known });
    return this.frame('welcome', () => true, mark);
  }

  send(frame: ClientFrame): void {
    this.raw(encodeClientFrame(frame));
  }

  raw(data: string | Uint8Array): void {
    this.#socket.send(data);
    if (typeof data === 'string') recordSent(this.#connection, data);
  }

  /** Sends something that is to be refused; resolves with the refusal. */
  async refused(data: ClientFrame | string | Uint8Array): Promise<ServerFrameOf<'error'>> {
    const mark = this.received.length;
    this.raw(typeof data === 'string' || data instanceof Uint8Array ? data : encodeClientFrame(data));
    return this.frame('error', () => true, mark);
  }

  /** Sends a message; resolves with its acknowledgement. */
  async ask(id: string, text: string, priority = 0): Promise<ServerFrameOf<'ack'>> {
    this.send({ type: 'send', id, text, ...(priority === 0 ? {} : { priority }) });
    return this.frame('ack', (ack) => ack.id === id);
  }

  /** The first such frame after `mark`, now or later. */
  frame<T extends FrameType>(
    type: T,
    where: (frame: ServerFrameOf<T>) => boolean = () => true,
    mark = 0,
  ): Promise<ServerFrameOf<T>> {
    return this.#until(() => {
      return this.received.slice(mark).find((frame): frame is ServerFrameOf<T> => isType(frame, type) && where(frame));
    }, `received ${type}`);
  }

  /** The first such record, now or later. */
  event<K extends EventFrame['kind']>(kind: K, where: (event: EventOf<K>) => boolean = () => true) {
    return this.#until(() => {
      return this.received.find((frame): frame is EventOf<K> => isKind(frame, kind) && where(frame));
    }, `received the event ${kind}`);
  }

  /** How a turn ended. */
  outcome(turn: number, attempt?: number): Promise<EventOf<'reply' | 'failed' | 'stopped'>> {
    const isOutcome = (frame: ServerFrame): frame is EventOf<'reply' | 'failed' | 'stopped'> =>
      (isKind(frame, 'reply') || isKind(frame, 'failed') || isKind(frame, 'stopped')) &&
      frame.turn === turn &&
      (attempt === undefined || frame.attempt === attempt);
    return this.#until(() => this.received.find(isOutcome), `saw the end of turn ${turn}`);
  }

  events(): EventFrame[] {
    return this.received.filter((frame) => frame.type === 'event');
  }

  /** What a reader shows of an answer, by the one rule there is. */
  joined(turn: number, attempt: number, channel: 'text' | 'thinking' = 'text'): string {
    return this.received.reduce((text, frame) => {
      const isPiece =
        frame.type === 'delta' && frame.turn === turn && frame.attempt === attempt && frame.channel === channel;
      return isPiece ? text.slice(0, frame.offset) + frame.text : text;
    }, '');
  }

  close(): void {
    this.#socket.close();
  }

  /** Gone without a word, as with a lost network. */
  drop(): void {
    this.#socket.terminate();
  }

  #credit(length: number): void {
    this.#uncredited += length;
    if (!this.credits || this.#uncredited < CREDIT_STEP_BYTES) return;
    this.send({ type: 'credit', bytes: this.#uncredited });
    this.#uncredited = 0;
  }

  #tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  async #until<T>(find: () => T | undefined, what: string, more: ((listener: () => void) => void)[] = []): Promise<T> {
    const until = Date.now() + WAIT_TIMEOUT_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const leftMs = until - Date.now();
      if (this.#ended !== '' || leftMs <= 0) {
        const seen = this.received.slice(-5).map((frame) => JSON.stringify(frame).slice(0, 200));
        throw new Error(`never ${what} (${this.#ended || 'timeout'}); last frames: ${seen.join(' ')}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        const listener = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.#listeners.push(listener);
        for (const subscribe of more) subscribe(listener);
      });
    }
  }
}

function isType<T extends FrameType>(frame: ServerFrame, type: T): frame is ServerFrameOf<T> {
  return frame.type === type;
}

function isKind<K extends EventFrame['kind']>(frame: ServerFrame, kind: K): frame is EventOf<K> {
  return frame.type === 'event' && frame.kind === kind;
}
