/** A person with one session: sends over HTTP and over the socket, and sees when a turn has ended. */
import { WebSocket } from 'ws';
import * as z from 'zod/mini';
import { encodeClientFrame } from '../../src/protocol/codec.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import { connectUrl } from '../../src/client/http.ts';
import { CREDIT_STEP_BYTES, PING_INTERVAL_MS, PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import { PING_TEXT, PONG_TEXT } from '../../src/protocol/server-frames.ts';
import { LoadError } from '../scenario.ts';
import { newSession } from '../switchboard/user.ts';
import { Caller } from './caller.ts';

/** Longer than anything takes on a loaded machine. */
const FRAME_TIMEOUT_MS = 30_000;
/** Asked for in one go while a history is made. */
const REPLY_WAIT_SECONDS = 30;
const TOPICS = 50;

const frame = z.object({
  type: z.string(),
  kind: z.optional(z.string()),
  id: z.optional(z.string()),
  code: z.optional(z.string()),
  message: z.optional(z.string()),
});
const OUTCOMES = ['reply', 'failed', 'stopped'];
const accepted = z.object({ seq: z.int() });

export class Talker {
  readonly session: string;
  readonly #caller: Caller;
  readonly #socket: WebSocket;
  readonly #pinging: NodeJS.Timeout;
  /** What is waited for, by what it is called below. */
  readonly #waiting = new Map<string, { resolve: (at: number) => void; reject: (error: Error) => void }>();
  #number = 0;
  #uncredited = 0;

  private constructor(url: string, session: string, cookie: string) {
    this.session = session;
    this.#caller = new Caller(url, { cookie });
    this.#socket = new WebSocket(connectUrl(url, session), { headers: { cookie }, perMessageDeflate: false });
    this.#socket.onmessage = ({ data }) => {
      if (typeof data === 'string') this.#received(data);
    };
    this.#socket.on('error', (error) => this.#lost(error.message));
    this.#socket.on('close', (code) => {
      // When one of several fails to connect, nobody closes the others: their timers would keep the process.
      clearInterval(this.#pinging);
      this.#lost(`it was closed with ${code}`);
    });
    // Who is not heard of for too long is let go of.
    this.#pinging = setInterval(() => this.#socket.send(PING_TEXT), PING_INTERVAL_MS);
  }

  static async connect(url: string, bot: string): Promise<Talker> {
    const { session, cookie } = await newSession(url, bot);
    const talker = new Talker(url, session, cookie);
    talker.#socket.on('open', () => talker.#send({ type: 'hello', protocol: PROTOCOL_VERSION }));
    await talker.#wait('welcome');
    return talker;
  }

  /** Has so many messages said and answered. */
  async makeHistory(messages: number): Promise<void> {
    for (let turn = 0; turn < messages / 2; turn += 1) {
      const body = { id: this.#nextId(), text: this.#text() };
      await this.#caller.post(this.#messages, body, { prefer: `wait=${REPLY_WAIT_SECONDS}` });
    }
  }

  /** Until it is durable, in ms; then waits for the answer, so that it does not run beside what is measured next. */
  async sendByRequest(): Promise<number> {
    const ended = this.#wait('outcome');
    const { ms, body } = await this.#caller.post(this.#messages, { id: this.#nextId(), text: this.#text() });
    accepted.parse(body);
    await ended;
    return ms;
  }

  /**
   * The same as a frame; and then as a frame that the session knows already, which makes it look and
   * answer, but write nothing: a frame's own way there and back.
   */
  async sendByFrame(): Promise<{ sendMs: number; frameMs: number }> {
    const ended = this.#wait('outcome');
    const message: ClientFrame = { type: 'send', id: this.#nextId(), text: this.#text() };
    const sendMs = await this.#acknowledged(message);
    await ended;
    return { sendMs, frameMs: await this.#acknowledged(message) };
  }

  /** A heartbeat there and back, which the platform answers. */
  async ping(): Promise<number> {
    const pong = this.#wait('pong');
    const startedAt = performance.now();
    this.#socket.send(PING_TEXT);
    return (await pong) - startedAt;
  }

  async history(limit: number): Promise<number> {
    return (await this.#caller.get(`${this.#messages}?limit=${limit}`)).ms;
  }

  async search(number: number): Promise<number> {
    return (await this.#caller.get(`/api/search?q=topic${number % TOPICS}`)).ms;
  }

  close(): void {
    this.#waiting.clear();
    clearInterval(this.#pinging);
    this.#caller.close();
    this.#socket.removeAllListeners();
    this.#socket.on('error', () => undefined);
    this.#socket.close();
  }

  get #messages(): string {
    return `/api/sessions/${this.session}/messages`;
  }

  #nextId(): string {
    this.#number += 1;
    return `m${this.#number}`;
  }

  #text(): string {
    return `What was it that we said about topic${this.#number % TOPICS}, the last time that we met?`;
  }

  async #acknowledged(message: ClientFrame): Promise<number> {
    const acknowledged = this.#wait('ack');
    const startedAt = performance.now();
    this.#send(message);
    return (await acknowledged) - startedAt;
  }

  #send(message: ClientFrame): void {
    this.#socket.send(encodeClientFrame(message));
  }

  /** When the next such frame came. */
  async #wait(name: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const late = (): void => reject(new LoadError('not_finished', `No frame "${name}" came in time.`));
    const timer = setTimeout(late, FRAME_TIMEOUT_MS);
    this.#waiting.set(name, { resolve, reject });
    return promise.finally(() => clearTimeout(timer));
  }

  #received(text: string): void {
    const at = performance.now();
    if (text === PONG_TEXT) return this.#came('pong', at);
    this.#credit(text.length);
    const { type, kind, code, message } = frame.parse(JSON.parse(text));
    if (type === 'error') return this.#lost(`${code ?? 'error'}: ${message ?? ''}`);
    this.#came(type === 'event' && OUTCOMES.includes(kind ?? '') ? 'outcome' : type, at);
  }

  #came(name: string, at: number): void {
    this.#waiting.get(name)?.resolve(at);
    this.#waiting.delete(name);
  }

  #lost(why: string): void {
    const error = new LoadError('not_finished', `A connection failed: ${why}.`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #credit(characters: number): void {
    this.#uncredited += characters;
    if (this.#uncredited < CREDIT_STEP_BYTES / 2) return;
    this.#send({ type: 'credit', bytes: this.#uncredited });
    this.#uncredited = 0;
  }
}
