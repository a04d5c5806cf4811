/**
 * Users of Switchboard of whom some have further tabs that can stop reading. Options: `watched` (the
 * first user with such tabs), `readers` (how many tabs each of those has). `setReading` is for these
 * tabs: they go on pinging, as one does whose page is busy, and read nothing.
 */
import { WebSocket } from 'ws';
import { connectUrl } from '../../src/client/http.ts';
import { decodeServerFrame, encodeClientFrame } from '../../src/protocol/codec.ts';
import { CREDIT_STEP_BYTES, PING_INTERVAL_MS, PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import { PING_TEXT } from '../../src/protocol/server-frames.ts';
import { FrameTape, type TapeConnection } from '../frame-tape.ts';
import { checkTape } from '../switchboard/integrity.ts';
import { newSession, SwitchboardUser, type SessionAccess } from '../switchboard/user.ts';
import type { CreateUsers, UserSource } from '../user.ts';

/** Recorded as users of their own, above all that there are. */
const READER_FIRST = 10_000_000;
const MAX_READERS = 100;

class Reader {
  /** The last record it was told. */
  seq = 0;
  closed = false;
  readonly #socket: WebSocket;
  readonly #tape: TapeConnection;
  readonly #pings: NodeJS.Timeout;
  readonly live: Promise<void>;
  #uncredited = 0;

  constructor(url: string, { session, cookie }: SessionAccess, tape: TapeConnection) {
    const socket = new WebSocket(connectUrl(url, session), { headers: { cookie }, perMessageDeflate: false });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket = socket;
    this.#tape = tape;
    this.live = promise;
    socket.onopen = () => this.#send(encodeClientFrame({ type: 'hello', protocol: PROTOCOL_VERSION, seq: 0 }));
    socket.onmessage = ({ data }) => {
      if (typeof data !== 'string') return;
      this.#read(data);
      resolve();
    };
    socket.onerror = ({ message }) => reject(new Error(message));
    socket.onclose = () => {
      this.closed = true;
      clearInterval(this.#pings);
    };
    this.#pings = setInterval(() => socket.send(PING_TEXT), PING_INTERVAL_MS);
  }

  setReading(isReading: boolean): void {
    if (isReading) this.#socket.resume();
    else this.#socket.pause();
  }

  close(): void {
    clearInterval(this.#pings);
    this.#socket.terminate();
  }

  #read(frame: string): void {
    this.#tape.received(frame);
    const decoded = decodeServerFrame(frame);
    // The platform's answer to a ping is no frame, and is not credited.
    if (!decoded.ok) return;
    if (decoded.frame.type === 'event') this.seq = decoded.frame.seq;
    this.#uncredited += frame.length;
    if (this.#uncredited < CREDIT_STEP_BYTES) return;
    this.#send(encodeClientFrame({ type: 'credit', bytes: this.#uncredited }));
    this.#uncredited = 0;
  }

  #send(text: string): void {
    this.#socket.send(text);
    this.#tape.sent(text);
  }
}

/** A user whose further tabs are told when to read. */
interface Watched {
  user: SwitchboardUser;
  readers: readonly Reader[];
}

export const createUsers: CreateUsers = (url, options) => {
  const first = Number(options['watched']);
  const each = Math.min(MAX_READERS, Number(options['readers']));
  const tape = new FrameTape();
  const sessionOf = new Map<number, string>();
  const watched: Watched[] = [];

  const open = async (number: number, access: SessionAccess): Promise<Reader[]> => {
    const readers = Array.from({ length: each }, (_, index) => {
      const name = READER_FIRST + number * MAX_READERS + index;
      sessionOf.set(name, access.session);
      return new Reader(url, access, tape.connection(name));
    });
    await Promise.all(readers.map(({ live }) => live));
    return readers;
  };

  const source: UserSource = {
    async connect(number) {
      const access = await newSession(url);
      sessionOf.set(number, access.session);
      const user = await SwitchboardUser.connect(url, access, { tape, user: number });
      if (number < first || number >= first + MAX_READERS) return user;
      const readers = await open(number, access);
      watched.push({ user, readers });
      user.setReading = (isReading) => {
        for (const reader of readers) reader.setReading(isReading);
      };
      const close = user.close.bind(user);
      user.close = () => {
        for (const reader of readers) reader.close();
        close();
      };
      return user;
    },
    // A tab that read late has to be where the others are.
    async compare() {
      const behind = watched.flatMap(({ user, readers }) => {
        const seq = user.history.at(-1)?.seq ?? 0;
        return readers.filter((reader) => reader.closed || reader.seq < seq);
      });
      return behind.length;
    },
    check: async (request) => checkTape(tape, sessionOf, request),
  };
  return source;
};
