/**
 * One connection at a time, for as long as it takes. Sockets come and go; what is on top sees
 * `welcome`, frames, and losses.
 *
 *      connecting --welcome--> live
 *        ^    |                 |   lost: closed, silent, unreadable, a gap
 *        |    +-----lost--------+
 *   retryAt, wake()             v
 *        +------------------ waiting          closed: a code that says never, or close()
 */
import { decodeServerFrame, encodeClientFrame } from '../protocol/codec.ts';
import type { ClientFrame, ClientFrameOf } from '../protocol/client-frames.ts';
import { CLOSE, shouldReconnect, type RequestErrorCode } from '../protocol/codes.ts';
import { CREDIT_STEP_BYTES, PING_INTERVAL_MS, SILENCE_TIMEOUT_MS } from '../protocol/limits.ts';
import { PING_TEXT, PONG_TEXT, type ServerFrame, type ServerFrameOf } from '../protocol/server-frames.ts';
import { retryDelayMs } from './backoff.ts';
import type { Deadlines } from './deadlines.ts';
import type { Clock, Connection as State, SocketLike } from './types.ts';

/** Time from opening a socket to its `welcome`. */
export const WELCOME_TIMEOUT_MS = 10_000;
/** After a wake the socket is usually dead without knowing: it gets this long to show that it lives. */
export const WAKE_PROBE_TIMEOUT_MS = 2_000;
/** A connection that lasts this long starts the backoff anew; a shorter one counts as another failure. */
export const STABLE_AFTER_MS = 10_000;

export type ConnectionDeadline = 'welcome' | 'ping' | 'silence' | 'retry';

export interface ConnectionError {
  code: RequestErrorCode | 'connection';
  message: string;
}

interface ConnectionPorts {
  clock: Clock;
  deadlines: Deadlines<ConnectionDeadline>;
  openSocket(): SocketLike;
  /** What we hold, asked at every new socket. */
  hello(): ClientFrameOf<'hello'>;
  /** The connection is live from here on. */
  welcomed(frame: ServerFrameOf<'welcome'>): void;
  /** Any other frame of a live connection. `broken`: it cannot follow what we hold, connect again. */
  received(frame: ServerFrame): 'ok' | 'broken';
  /** The state changed otherwise; what was sent on a lost connection and not answered may never have arrived. */
  changed(state: State, error: ConnectionError | null): void;
}

export class Connection {
  readonly #ports: ConnectionPorts;
  #state: State = 'connecting';
  #retryAt: number | null = null;
  /** Also the token by which a late event of an earlier socket is known. */
  #current: SocketLike | null = null;
  #failures = 0;
  #openedAt = 0;
  #liveSince = 0;
  #heardAt = 0;
  /** The last ping, or the welcome. */
  #pingedAt = 0;
  /** A ping was sent and nothing was heard since; it has until then. */
  #silenceAt: number | null = null;
  /** Characters read and not yet credited. */
  #uncredited = 0;
  /** What the server refused this connection with, before it closed it. */
  #refusal: ConnectionError | null = null;

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
  }

  get state(): State {
    return this.#state;
  }

  /** When the next try is due (ms since 1970), while waiting. */
  get retryAt(): number | null {
    return this.#retryAt;
  }

  /** Opens a socket; the client's first act. */
  connect(): void {
    const { clock, deadlines } = this.#ports;
    this.#state = 'connecting';
    this.#retryAt = null;
    this.#openedAt = clock.now();
    this.#uncredited = 0;
    this.#refusal = null;
    deadlines.clear('retry');
    deadlines.set('welcome', this.#openedAt + WELCOME_TIMEOUT_MS, () =>
      this.lose('The server did not answer in time.'),
    );
    try {
      this.#current = this.#ports.openSocket();
    } catch (error) {
      return this.lose(error instanceof Error ? error.message : 'The connection could not be opened.');
    }
    this.#listen(this.#current);
    this.#ports.changed('connecting', null);
  }

  /** Sends when live; says whether it did. */
  send(frame: ClientFrame): boolean {
    return this.#state === 'live' && this.#sendText(encodeClientFrame(frame));
  }

  /** Gives the socket up and connects again. */
  lose(message: string): void {
    if (this.#state === 'closed' || this.#state === 'waiting') return;
    const { clock, deadlines } = this.#ports;
    const now = clock.now();
    if (this.#state === 'live' && now - this.#liveSince >= STABLE_AFTER_MS) this.#failures = 0;
    this.#drop();
    this.#retryAt = now + retryDelayMs(this.#failures, clock.random());
    this.#failures += 1;
    deadlines.set('retry', this.#retryAt, () => this.connect());
    this.#enter('waiting', this.#refusal ?? { code: 'connection', message });
  }

  /** Finds out at once: connects, or asks a live connection to show that it lives. */
  wake(): void {
    if (this.#state === 'closed') return;
    const now = this.#ports.clock.now();
    this.#failures = 0;
    if (this.#state === 'live') return this.#ping(now + WAKE_PROBE_TIMEOUT_MS);
    // A fresh attempt may still succeed; one from before a sleep will only time out.
    if (this.#state === 'connecting' && now - this.#openedAt < WAKE_PROBE_TIMEOUT_MS) return;
    this.#drop();
    this.connect();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#drop();
    this.#retryAt = null;
    this.#enter('closed', null);
  }

  #listen(socket: SocketLike): void {
    const isCurrent = (): boolean => this.#current === socket;
    socket.onopen = () => {
      if (isCurrent()) this.#sendText(encodeClientFrame(this.#ports.hello()));
    };
    socket.onmessage = (event) => {
      if (!isCurrent()) return;
      const length = this.#receive(event.data);
      // A frame may have been the end of its connection.
      if (!isCurrent()) return;
      this.#credit(length);
      this.#pingIfDue();
    };
    socket.onclose = (event) => {
      if (isCurrent()) this.#closedByServer(event.code);
    };
    // A close event follows. The handler stays for good: `ws` throws where nobody listens.
    socket.onerror = () => {};
  }

  /** Reads one frame; returns what it costs in credit. */
  #receive(data: unknown): number {
    this.#heardAt = this.#ports.clock.now();
    this.#silenceAt = null;
    // The platform answers pings and the session never knows, so it is not credited for these.
    if (data === PONG_TEXT) return 0;
    const decoded = decodeServerFrame(data);
    if (!decoded.ok) {
      this.lose(`The server sent an unreadable frame: ${decoded.error.message}`);
      return 0;
    }
    this.#dispatch(decoded.frame);
    return typeof data === 'string' ? data.length : 0;
  }

  #dispatch(frame: ServerFrame): void {
    if (frame.type === 'welcome') {
      this.#welcome(frame);
    } else if (this.#state === 'live') {
      if (this.#ports.received(frame) === 'broken') this.lose('Something between was missing.');
    } else if (frame.type === 'error') {
      this.#refusal = { code: frame.code, message: frame.message };
    }
  }

  #welcome(frame: ServerFrameOf<'welcome'>): void {
    const { clock, deadlines } = this.#ports;
    deadlines.clear('welcome');
    this.#liveSince = clock.now();
    this.#pingedAt = this.#liveSince;
    this.#state = 'live';
    deadlines.set('ping', this.#liveSince + PING_INTERVAL_MS, () => this.#pingAgain());
    this.#ports.welcomed(frame);
  }

  /**
   * Counted in UTF-16 code units of the frame's text on both sides: the length that a string
   * knows for nothing, where its UTF-8 form would have to be measured.
   */
  #credit(length: number): void {
    this.#uncredited += length;
    if (this.#uncredited >= CREDIT_STEP_BYTES) this.#returnCredit();
  }

  #returnCredit(): void {
    const bytes = this.#uncredited;
    if (bytes > 0 && this.send({ type: 'credit', bytes })) this.#uncredited = 0;
  }

  /**
   * Browsers throttle the timers of a hidden tab to one a minute, and the server closes whoever did
   * not ping for `SILENCE_TIMEOUT_MS`. What arrives is not throttled: it drives the pings too.
   */
  #pingIfDue(): void {
    // Either way round: the clock may have been set back.
    const sincePingMs = Math.abs(this.#heardAt - this.#pingedAt);
    if (this.#state === 'live' && sincePingMs >= PING_INTERVAL_MS) this.#pingAgain();
  }

  #pingAgain(): void {
    const { clock, deadlines } = this.#ports;
    const now = clock.now();
    deadlines.set('ping', now + PING_INTERVAL_MS, () => this.#pingAgain());
    // The rest of a step too: a frame nearly as large as the window waits until it is returned.
    this.#returnCredit();
    // A throttled background tab gets here late: then what counts is what follows this ping.
    this.#ping(Math.max(Math.min(this.#heardAt, now) + SILENCE_TIMEOUT_MS, now + WAKE_PROBE_TIMEOUT_MS));
  }

  /** Pings; silence until `deadline` ends the connection. An earlier unanswered ping keeps its own. */
  #ping(deadline: number): void {
    if (!this.#sendText(PING_TEXT)) return;
    this.#pingedAt = this.#ports.clock.now();
    this.#silenceAt = Math.min(this.#silenceAt ?? deadline, deadline);
    this.#ports.deadlines.set('silence', this.#silenceAt, () => {
      if (this.#silenceAt !== null) this.lose('Nothing was heard of the server.');
    });
  }

  #sendText(text: string): boolean {
    try {
      this.#current?.send(text);
      return this.#current !== null;
    } catch {
      this.lose('The connection was closed.');
      return false;
    }
  }

  #closedByServer(code: number): void {
    if (shouldReconnect(code)) return this.lose(`The connection was closed (${code}).`);
    this.#drop();
    const message = `The server closed the connection (${code}).`;
    this.#enter('closed', this.#refusal ?? { code: errorOfClose(code), message });
  }

  #enter(state: State, error: ConnectionError | null): void {
    this.#state = state;
    this.#ports.changed(state, error);
  }

  /** Lets go of the socket and of every deadline that was about it. */
  #drop(): void {
    const socket = this.#current;
    const { deadlines } = this.#ports;
    this.#current = null;
    this.#silenceAt = null;
    deadlines.clear('welcome');
    deadlines.clear('ping');
    deadlines.clear('silence');
    deadlines.clear('retry');
    try {
      socket?.close();
    } catch {
      // Closed already.
    }
  }
}

function errorOfClose(code: number): RequestErrorCode {
  if (code === CLOSE.unauthorized) return 'unauthorized';
  if (code === CLOSE.sessionNotFound) return 'session_not_found';
  if (code === CLOSE.protocolVersion) return 'protocol_version';
  if (code === CLOSE.tooManyTabs) return 'too_many_tabs';
  return 'bad_frame';
}
