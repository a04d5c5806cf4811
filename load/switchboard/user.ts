/** A user of Switchboard: the product's own headless client over a `ws` socket, with a cookie of its own. */
import { WebSocket } from 'ws';
import { connectUrl, createApi, type Api } from '../../src/client/http.ts';
import { memoryOutbox } from '../../src/client/memory-outbox.ts';
import { createSessionClient } from '../../src/client/session-client.ts';
import type { SessionClient, SocketLike } from '../../src/client/types.ts';
import { PONG_TEXT } from '../../src/protocol/server-frames.ts';
import type { Message } from '../../src/protocol/transcript.ts';
import type { FrameTape } from '../frame-tape.ts';
import { monotonicMs } from '../clock.ts';
import { reasonOf } from '../reason.ts';
import { LoadError } from '../scenario.ts';
import type { LoadUser, Outage, UserEvents } from '../user.ts';
import { FrameReader } from './frame-reader.ts';

const LIVE_TIMEOUT_MS = 60_000;
const PAGE_MESSAGES = 200;

const NOBODY: UserEvents = {
  acknowledged: () => undefined,
  firstToken: () => undefined,
  replied: () => undefined,
  gone: () => undefined,
};

/** Whose session it is: several users may be tabs of one. */
export interface SessionAccess {
  session: string;
  cookie: string;
}

/** @param bot null: the default one */
export async function newSession(url: string, bot: string | null = null): Promise<SessionAccess> {
  let cookie = '';
  const api = createApi({
    baseUrl: url,
    timeoutMs: LIVE_TIMEOUT_MS,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
      return response;
    },
  });
  const { id } = await api.createSession({ title: 'Load', ...(bot === null ? {} : { bot }) });
  return { session: id, cookie };
}

export class SwitchboardUser implements LoadUser {
  readonly session: string;
  readonly received = { frames: 0, characters: 0 };
  /** Answers of the platform to this client's pings; not among the frames received. */
  pongs = 0;
  connects = 0;
  readonly #url: string;
  readonly #cookie: string;
  readonly #api: Api;
  readonly #client: SessionClient;
  readonly #reader: FrameReader;
  readonly #tape: { tape: FrameTape; user: number } | null;
  #events: UserEvents = NOBODY;
  #outages: Outage[] = [];
  #socket: WebSocket | null = null;

  private constructor(url: string, { session, cookie }: SessionAccess, tape: { tape: FrameTape; user: number } | null) {
    this.#url = url;
    this.session = session;
    this.#cookie = cookie;
    this.#tape = tape;
    this.#api = createApi({ baseUrl: url, headers: { cookie } });
    this.#reader = new FrameReader(() => this.#events);
    this.#client = createSessionClient({
      session,
      openSocket: () => this.#openSocket(),
      outbox: memoryOutbox(),
    });
  }

  /**
   * Connects to a session, a new one of a new anonymous user where none is given.
   * @param tape where everything that goes over the user's sockets is recorded
   */
  static async connect(
    url: string,
    access?: SessionAccess,
    tape: { tape: FrameTape; user: number } | null = null,
  ): Promise<SwitchboardUser> {
    const user = new SwitchboardUser(url, access ?? (await newSession(url)), tape);
    await user.#live();
    user.#watch();
    return user;
  }

  get live(): boolean {
    return this.#client.view.connection === 'live';
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

  takeOutages(): Outage[] {
    const taken = this.#outages;
    this.#outages = [];
    return taken;
  }

  listen(events: UserEvents): void {
    this.#events = events;
  }

  send(id: string, text: string): void {
    this.#reader.expect(id);
    this.#client.send(text, { id }).catch((error: unknown) => {
      this.#events.replied(id, '', reasonOf(error));
    });
  }

  setReading(isReading: boolean): void {
    if (isReading) this.#socket?.resume();
    else this.#socket?.pause();
  }

  close(): void {
    this.#client.close();
  }

  /** Notes when the client loses its connection, and when it is live again. */
  #watch(): void {
    let outage: Outage | null = null;
    this.#client.subscribe(({ connection }) => {
      if (connection !== 'live' && outage === null) {
        outage = { lostAt: monotonicMs(), liveAt: Number.NaN };
        this.#outages.push(outage);
      } else if (connection === 'live' && outage !== null) {
        outage.liveAt = monotonicMs();
        outage = null;
      }
    });
  }

  #live(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (): void => {
      this.close();
      reject(new LoadError('start_failed', 'A user could not connect to its session.'));
    };
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

  #openSocket(): SocketLike {
    const url = connectUrl(this.#url, this.session);
    const socket = new WebSocket(url, { headers: { cookie: this.#cookie }, perMessageDeflate: false });
    const recording = this.#tape?.tape.connection(this.#tape.user) ?? null;
    this.#socket = socket;
    this.connects += 1;
    const like: SocketLike = {
      send: (data) => {
        socket.send(data);
        if (this.#socket === socket) recording?.sent(data);
      },
      close: (code, reason) => socket.close(code, reason),
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    };
    socket.onopen = () => like.onopen?.();
    socket.onmessage = ({ data }) => {
      // Taken in by the product's client first: what it does to a frame is part of the time.
      like.onmessage?.({ data });
      if (typeof data !== 'string') return;
      if (data === PONG_TEXT) this.pongs += 1;
      else this.#note(data);
      // What still comes over an earlier connection, the client has not read either.
      if (this.#socket === socket) recording?.received(data);
    };
    socket.onclose = ({ code, reason }) => {
      like.onclose?.({ code, reason });
      const { connection, lastError } = this.#client.view;
      if (connection === 'closed') this.#events.gone(lastError?.message ?? 'the connection is closed');
    };
    socket.onerror = () => like.onerror?.();
    return like;
  }

  #note(frame: string): void {
    this.received.frames += 1;
    this.received.characters += frame.length;
    this.#reader.read(frame);
  }
}
