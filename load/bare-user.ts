/** A user of the bare object: a plain `ws` socket and one JSON.parse a frame, the least a client can do. */
import { WebSocket } from 'ws';
import { PING_TEXT, PONG_TEXT } from '../src/protocol/server-frames.ts';
import { LoadError } from './scenario.ts';
import type { LoadUser, UserEvents } from './user.ts';

export type BareMode = 'each' | 'whole';

const OPEN_TIMEOUT_MS = 20_000;

export class BareUser implements LoadUser {
  readonly received = { frames: 0, characters: 0 };
  pongs = 0;
  readonly connects = 1;
  readonly #socket: WebSocket;
  #events: UserEvents | null = null;
  /** One message at a time: the bare object's frames do not say which one they answer. */
  #open: { id: string; text: string } | null = null;
  /** What was said meanwhile, to be sent one after the other, as a session of Switchboard would answer it. */
  readonly #waiting: { id: string; text: string }[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string') this.#note(data);
    };
    socket.onclose = () => this.#events?.gone('the connection is closed');
    // `close` follows, and says all that there is to say.
    socket.onerror = () => undefined;
  }

  /** @param name names the object: users of one name share it */
  static async connect(url: string, name: string, mode: BareMode): Promise<BareUser> {
    const target = new URL(`/${encodeURIComponent(name)}?mode=${mode}`, url);
    target.protocol = 'ws:';
    const socket = new WebSocket(target, { perMessageDeflate: false, handshakeTimeout: OPEN_TIMEOUT_MS });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('open', resolve);
    socket.once('error', (cause) => reject(new LoadError('start_failed', `The bare object refused: ${cause.message}`)));
    await promise;
    return new BareUser(socket);
  }

  get live(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  listen(events: UserEvents): void {
    this.#events = events;
  }

  send(id: string, text: string): void {
    if (this.#open) {
      this.#waiting.push({ id, text });
      return;
    }
    this.#open = { id, text: '' };
    if (this.live) this.#socket.send(text);
    else this.#events?.gone('the connection is closed');
  }

  ping(): void {
    if (this.live) this.#socket.send(PING_TEXT);
  }

  setReading(isReading: boolean): void {
    if (isReading) this.#socket.resume();
    else this.#socket.pause();
  }

  close(): void {
    this.#socket.close();
  }

  #note(data: string): void {
    if (data === PONG_TEXT) {
      this.pongs += 1;
      return;
    }
    this.received.frames += 1;
    this.received.characters += data.length;
    const open = this.#open;
    if (!open) return;
    const { text, done }: { text: string; done: boolean } = JSON.parse(data);
    if (open.text === '') this.#events?.firstToken(open.id);
    open.text += text;
    if (!done) return;
    this.#open = null;
    this.#events?.replied(open.id, open.text, null);
    const next = this.#waiting.shift();
    if (next) this.send(next.id, next.text);
  }
}
