/** A user of the bare object: a plain `ws` socket and one JSON.parse a frame, the least a client can do. */
import { WebSocket } from 'ws';
import { REPLY_TIMEOUT_MS, type Exchange, type LoadUser } from './driver.ts';
import { LoadError } from './scenario.ts';

export type BareMode = 'each' | 'whole';

const OPEN_TIMEOUT_MS = 20_000;

interface Open {
  exchange: Exchange;
  sentAt: number;
  text: string;
  settle(): void;
}

export class BareUser implements LoadUser {
  readonly received = { frames: 0, characters: 0 };
  readonly #socket: WebSocket;
  #sent = 0;
  #open: Open | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string') this.#note(data);
    };
    socket.onclose = () => this.#broken();
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

  async exchange(text: string): Promise<Exchange> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const exchange: Exchange = {
      id: String((this.#sent += 1)),
      text,
      ackMs: null,
      firstMs: null,
      replyMs: null,
      reply: null,
      problem: null,
    };
    const timer = setTimeout(() => {
      exchange.problem = 'no reply in time';
      resolve();
    }, REPLY_TIMEOUT_MS);
    this.#open = { exchange, sentAt: performance.now(), text: '', settle: resolve };
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
    else this.#broken();
    await promise;
    clearTimeout(timer);
    this.#open = null;
    return exchange;
  }

  close(): void {
    this.#socket.close();
  }

  #note(data: string): void {
    this.received.frames += 1;
    this.received.characters += data.length;
    const open = this.#open;
    if (!open) return;
    const { text, done }: { text: string; done: boolean } = JSON.parse(data);
    open.exchange.firstMs ??= performance.now() - open.sentAt;
    open.text += text;
    if (!done) return;
    open.exchange.replyMs = performance.now() - open.sentAt;
    open.exchange.reply = open.text;
    open.settle();
  }

  #broken(): void {
    const open = this.#open;
    if (!open) return;
    open.exchange.problem = 'the connection is closed';
    open.settle();
  }
}
