/** The other end of a client's sockets, in the hands of the test. */
import { memoryOutbox } from '../../../src/client/memory-outbox.ts';
import { createSessionClient } from '../../../src/client/session-client.ts';
import type { OutboxStore, SessionClientOptions, SessionView, SocketLike } from '../../../src/client/types.ts';
import { decodeClientFrame, encodeServerFrame } from '../../../src/protocol/codec.ts';
import type { ClientFrame, ClientFrameOf } from '../../../src/protocol/client-frames.ts';
import { PROTOCOL_VERSION } from '../../../src/protocol/limits.ts';
import type { RecordBody } from '../../../src/protocol/records.ts';
import type { ServerFrame, ServerFrameOf } from '../../../src/protocol/server-frames.ts';
import { settle, VirtualClock } from './virtual-clock.ts';

export class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: ClientFrame[] = [];
  closed = false;
  broken = false;

  send(data: string): void {
    if (this.broken) throw new Error('the socket is closing');
    const decoded = decodeClientFrame(data);
    if (!decoded.ok) throw new Error(`the client sent a frame that servers refuse: ${decoded.error.message}`);
    this.sent.push(decoded.frame);
  }
  close(): void {
    this.closed = true;
  }
  of<T extends ClientFrame['type']>(type: T): ClientFrameOf<T>[] {
    return this.sent.filter((frame): frame is ClientFrameOf<T> => frame.type === type);
  }
  say(frame: ServerFrame): void {
    this.onmessage?.({ data: encodeServerFrame(frame) });
  }
  record(seq: number, body: RecordBody): void {
    this.say({ type: 'event', seq, at: seq, ...body });
  }
  shut(code: number): void {
    this.onclose?.({ code, reason: '' });
  }
}

export const BOT = { id: 'b', name: 'B', model: 'm' };
export const USAGE = { promptTokens: 1, answerTokens: 1, firstTokenMs: 1, totalMs: 1 };

export function welcome(more: Partial<ServerFrameOf<'welcome'>> = {}): ServerFrameOf<'welcome'> {
  return {
    type: 'welcome',
    protocol: PROTOCOL_VERSION,
    session: 's',
    epoch: 'e',
    seq: 0,
    from: 0,
    reset: false,
    bot: BOT,
    title: 'T',
    archived: false,
    tabs: 1,
    queue: { running: null, waiting: [] },
    limits: { maxTextBytes: 1, maxFrameBytes: 1, maxQueue: 1, creditWindowBytes: 1 },
    ...more,
  };
}

export const message = (id: string, text = id, priority = 0): RecordBody => ({ kind: 'message', id, text, priority });
export const reply = (turn: number, text: string, attempt = 1): RecordBody => ({
  kind: 'reply',
  turn,
  attempt,
  text,
  model: 'm',
  finish: 'stop',
  usage: USAGE,
});
export function delta(turn: number, offset: number, text: string, attempt = 1): ServerFrameOf<'delta'> {
  return { type: 'delta', turn, attempt, offset, text, channel: 'text' };
}

/** A client on virtual time, whose sockets wait for the test to answer. */
export class Harness {
  readonly clock = new VirtualClock();
  readonly sockets: FakeSocket[] = [];
  readonly views: SessionView[] = [];
  readonly client;
  #ids = 0;

  constructor(options: Partial<SessionClientOptions> = {}, store: OutboxStore = memoryOutbox()) {
    this.client = createSessionClient({
      session: 's',
      clock: this.clock,
      outbox: store,
      newId: () => `m${(this.#ids += 1)}`,
      openSocket: () => {
        const socket = new FakeSocket();
        this.sockets.push(socket);
        return socket;
      },
      ...options,
    });
    this.client.subscribe((view) => this.views.push(view));
  }

  get view(): SessionView {
    return this.client.view;
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('the client opened no socket');
    return socket;
  }

  /** Opens the newest socket and greets it. */
  async live(more: Partial<ServerFrameOf<'welcome'>> = {}): Promise<FakeSocket> {
    const { socket } = this;
    socket.onopen?.();
    socket.say(welcome(more));
    await settle();
    return socket;
  }

  /** The connection breaks and the next one is made and greeted. */
  async reconnect(more: Partial<ServerFrameOf<'welcome'>> = {}): Promise<FakeSocket> {
    this.socket.shut(1006);
    await this.clock.advance(10_000);
    return this.live(more);
  }
}
