/** What the users of all servers but Switchboard share: a plain `ws` socket, and no life after it. */
import { WebSocket } from 'ws';
import { PONG_TEXT } from '../src/protocol/server-frames.ts';
import { LoadError } from './scenario.ts';
import type { LoadUser, UserEvents } from './user.ts';

const OPEN_TIMEOUT_MS = 20_000;

export abstract class SocketUser implements LoadUser {
  readonly name: string;
  readonly received = { frames: 0, characters: 0 };
  /** Only a bare object has a heartbeat. */
  pongs = 0;
  readonly connects = 1;
  readonly #socket: WebSocket;
  #events: UserEvents | null = null;

  constructor(name: string, socket: WebSocket) {
    this.name = name;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data !== 'string') return;
      if (data === PONG_TEXT) {
        this.pongs += 1;
        return;
      }
      this.received.frames += 1;
      this.received.characters += data.length;
      if (this.#events) this.read(data, this.#events);
    };
    socket.onclose = () => this.#events?.gone('the connection is closed');
    // `close` follows, and says all that there is to say.
    socket.onerror = () => undefined;
  }

  abstract send(id: string, text: string): void;
  protected abstract read(data: string, events: UserEvents): void;

  get live(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  listen(events: UserEvents): void {
    this.#events = events;
  }

  setReading(isReading: boolean): void {
    if (isReading) this.#socket.resume();
    else this.#socket.pause();
  }

  close(): void {
    this.#socket.close();
  }

  protected write(frame: string): void {
    if (this.live) this.#socket.send(frame);
    else this.#events?.gone('the connection is closed');
  }
}

/** @throws LoadError where the server refuses */
export async function openSocket(address: string): Promise<WebSocket> {
  const target = new URL(address);
  target.protocol = 'ws:';
  const socket = new WebSocket(target, { perMessageDeflate: false, handshakeTimeout: OPEN_TIMEOUT_MS });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('open', resolve);
  socket.once('error', (cause) => reject(new LoadError('start_failed', `The server refused: ${cause.message}`)));
  await promise;
  return socket;
}
