/** One WebSocket between a client and an object, with everything that can go wrong on the way. */
import type { SocketLike } from '../../src/client/types.ts';
import type { TabSocket } from '../../src/objects/tab.ts';
import { PING_TEXT, PONG_TEXT } from '../../src/protocol/server-frames.ts';
import type { Host } from './host.ts';
import type { Connection } from '../support/recording.ts';
import { readClientFrame, recordForgotten, recordReceivedText, recordSentText } from './record.ts';

type Down =
  | { text: string; gate: number }
  | { close: number; gate: number }
  | { forgotten: true; credited: number; gate: number };
type Up = { text: string } | { close: number };

export class Link {
  readonly name: string;
  /** The object it leads to. */
  readonly host: Host;
  readonly connection: Connection;
  /** On their way to the client; the first ones wait until their transaction is durable. */
  down: Down[] = [];
  up: Up[] = [];
  /** Each side's own opinion. */
  clientOpen = true;
  serverOpen = false;
  /** The object has closed; until the client answers, what the client sent before still arrives. */
  closing = false;
  opened = false;
  /** Nothing arrives any more, and neither side is told. */
  silent = false;
  attachment: unknown = null;
  /** When the platform last answered a ping, by the object's clock. */
  pingedAt = 0;
  /** Characters that the client has credited so far, and those of them that have arrived. */
  #creditSent = 0;
  #creditArrived = 0;
  readonly clientEnd: SocketLike;

  constructor(name: string, host: Host, connection: Connection) {
    this.name = name;
    this.host = host;
    this.connection = connection;
    this.clientEnd = {
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      send: (text) => {
        if (!this.clientOpen) throw new Error('the socket is closed');
        recordSentText(this.connection, text);
        this.#creditSent += creditIn(text);
        this.up.push({ text });
      },
      close: (code = 1005) => {
        if (!this.clientOpen) return;
        this.clientOpen = false;
        this.down = [];
        this.up.push({ close: code });
      },
    };
  }

  /** The platform still hands the object this socket. */
  get held(): boolean {
    return this.serverOpen || this.closing;
  }

  get gone(): boolean {
    return !this.clientOpen && (!this.held || (this.closing && this.silent));
  }

  canGoDown(durable: number): boolean {
    const first = this.down[0];
    return this.opened && this.clientOpen && !this.silent && first !== undefined && first.gate <= durable;
  }

  get canGoUp(): boolean {
    return this.held && !this.silent && this.up.length > 0;
  }

  goDown(): void {
    const first = this.down.shift();
    if (!first) return;
    if ('close' in first) return this.lose(first.close);
    if ('forgotten' in first) return recordForgotten(this.connection, this.#creditSent - first.credited);
    recordReceivedText(this.connection, first.text);
    this.clientEnd.onmessage?.({ data: first.text });
  }

  /** The object leaves memory: how much of what it sent is unread is not kept with the socket (SPEC.md, S17). */
  forget(): void {
    this.down.push({ forgotten: true, credited: this.#creditArrived, gate: 0 });
  }

  /** The client learns that its connection is over. */
  lose(code: number): void {
    if (!this.clientOpen) return;
    this.clientOpen = false;
    this.down = [];
    if (this.closing) this.up.push({ close: code });
    this.clientEnd.onclose?.({ code, reason: '' });
  }

  /** The next thing from the client; pings are answered on the way, the object never sees them. */
  takeUp(): Up | null {
    const first = this.up.shift() ?? null;
    if (first !== null && 'text' in first) this.#creditArrived += creditIn(first.text);
    if (first === null || !('text' in first) || first.text !== PING_TEXT) return first;
    if (this.serverOpen) this.down.push({ text: PONG_TEXT, gate: 0 });
    this.pingedAt = this.host.now();
    return null;
  }
}

function creditIn(text: string): number {
  const frame = readClientFrame(text);
  return frame?.type === 'credit' ? frame.bytes : 0;
}

/** The object's end of a link as one process holds it. */
export class ServerSocket implements TabSocket {
  readonly link: Link;
  readonly #guard: (label: string) => void;
  readonly #gate: () => number;

  constructor(link: Link, guard: (label: string) => void, gate: () => number) {
    this.link = link;
    this.#guard = guard;
    this.#gate = gate;
  }

  send(text: string): void {
    this.#guard('send');
    if (!this.link.serverOpen) throw new Error('the socket is closed');
    this.link.down.push({ text, gate: this.#gate() });
    this.#guard('sent');
  }

  close(code: number): void {
    this.#guard('close');
    if (!this.link.serverOpen) return;
    this.link.serverOpen = false;
    this.link.closing = true;
    this.link.down.push({ close: code, gate: this.#gate() });
  }

  serializeAttachment(value: unknown): void {
    this.#guard('attach');
    this.link.attachment = JSON.parse(JSON.stringify(value));
  }

  deserializeAttachment(): unknown {
    return this.link.attachment;
  }
}
