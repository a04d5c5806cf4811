/** A user of Switchboard: the product's own headless client over a `ws` socket, with a cookie of its own. */
import { WebSocket } from 'ws';
import { connectUrl, createApi, type Api } from '../src/client/http.ts';
import { memoryOutbox } from '../src/client/memory-outbox.ts';
import { createSessionClient } from '../src/client/session-client.ts';
import type { SessionClient, SessionView, SocketLike } from '../src/client/types.ts';
import type { Message } from '../src/protocol/transcript.ts';
import { REPLY_TIMEOUT_MS, type Exchange, type LoadUser } from './driver.ts';
import { LoadError } from './scenario.ts';

const LIVE_TIMEOUT_MS = 20_000;
const PAGE_MESSAGES = 200;
/** What can be told of a frame without reading it a second time. */
const FRAME_TYPE = /^\{"type":"([a-z]+)"/;

/** The exchange that is under way. */
interface Open {
  exchange: Exchange;
  sentAt: number;
  settle(): void;
}

export class SwitchboardUser implements LoadUser {
  readonly session: string;
  readonly received = { frames: 0, characters: 0 };
  readonly #api: Api;
  readonly #client: SessionClient;
  #open: Open | null = null;

  private constructor(url: string, session: string, cookie: string) {
    this.session = session;
    this.#api = createApi({ baseUrl: url, headers: { cookie } });
    this.#client = createSessionClient({
      session,
      openSocket: () => this.#openSocket(connectUrl(url, session), cookie),
      outbox: memoryOutbox(),
    });
    this.#client.subscribe((view) => this.#changed(view));
  }

  /** A new anonymous user with a new session, connected to it. */
  static async connect(url: string): Promise<SwitchboardUser> {
    let cookie = '';
    const api = createApi({
      baseUrl: url,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
        return response;
      },
    });
    const { id } = await api.createSession({ title: 'Load' });
    const user = new SwitchboardUser(url, id, cookie);
    await user.#live();
    return user;
  }

  /** What this user's client holds of the conversation. */
  get history(): readonly Message[] {
    return this.#client.view.messages;
  }

  /** The whole conversation as the server tells it over HTTP, in order. */
  async storedHistory(): Promise<Message[]> {
    const messages: Message[] = [];
    let before: number | null = null;
    do {
      const page = { limit: PAGE_MESSAGES, ...(before === null ? {} : { before }) };
      const { messages: older, nextCursor } = await this.#api.messagesPage(this.session, page);
      messages.unshift(...older);
      before = nextCursor;
    } while (before !== null);
    return messages;
  }

  async exchange(text: string): Promise<Exchange> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const exchange: Exchange = { id: '', text, ackMs: null, firstMs: null, replyMs: null, reply: null, problem: null };
    const timer = setTimeout(() => {
      exchange.problem = 'no reply in time';
      resolve();
    }, REPLY_TIMEOUT_MS);
    this.#open = { exchange, sentAt: performance.now(), settle: resolve };
    try {
      exchange.id = await this.#client.send(text);
      await promise;
    } catch (error) {
      exchange.problem = error instanceof Error ? error.message : String(error);
    }
    clearTimeout(timer);
    this.#open = null;
    return exchange;
  }

  close(): void {
    this.#client.close();
  }

  #live(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (): void => reject(new LoadError('start_failed', 'A user could not connect to its session.'));
    const timer = setTimeout(failed, LIVE_TIMEOUT_MS);
    const unsubscribe = this.#client.subscribe(({ connection }) => {
      if (connection === 'live') resolve();
      if (connection === 'closed') failed();
    });
    return promise.finally(() => {
      clearTimeout(timer);
      unsubscribe();
    });
  }

  /** The reply is there when the client shows it: everything the product does to a frame is part of the time. */
  #changed(view: SessionView): void {
    const open = this.#open;
    if (!open) return;
    const last = view.messages.at(-1);
    const asked = view.messages.at(-2);
    if (view.connection === 'closed') {
      open.exchange.problem = view.lastError?.message ?? 'the connection is closed';
      open.settle();
    } else if (last?.role === 'bot' && asked?.role === 'user' && asked.id === open.exchange.id) {
      open.exchange.replyMs = performance.now() - open.sentAt;
      open.exchange.reply = last.text;
      if (last.status !== 'complete') open.exchange.problem = last.error?.message ?? last.status;
      open.settle();
    }
  }

  #openSocket(url: string, cookie: string): SocketLike {
    const socket = new WebSocket(url, { headers: { cookie }, perMessageDeflate: false });
    const like: SocketLike = {
      send: (data) => socket.send(data),
      close: (code, reason) => socket.close(code, reason),
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    };
    socket.onopen = () => like.onopen?.();
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string') this.#note(data);
      like.onmessage?.({ data });
    };
    socket.onclose = ({ code, reason }) => like.onclose?.({ code, reason });
    socket.onerror = () => like.onerror?.();
    return like;
  }

  /** Counts a frame and, where it is the first of its kind for the exchange, notes its time. */
  #note(frame: string): void {
    this.received.frames += 1;
    this.received.characters += frame.length;
    const open = this.#open;
    if (!open) return;
    const [, type] = FRAME_TYPE.exec(frame) ?? [];
    if (type === 'ack') open.exchange.ackMs ??= performance.now() - open.sentAt;
    if (type === 'delta') open.exchange.firstMs ??= performance.now() - open.sentAt;
  }
}
