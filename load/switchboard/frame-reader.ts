/**
 * Tells from raw frames what became of the messages that wait for an answer. The client has read
 * each frame already; here it is only looked at for what it begins with, and most are not read again.
 */
import * as z from 'zod/mini';
import type { UserEvents } from '../user.ts';

const TYPE = /^\{"type":"([a-z]+)"/;
const TURN = /"turn":(\d+)/;

const ack = z.object({ id: z.string(), seq: z.int() });
const event = z.object({
  seq: z.int(),
  kind: z.string(),
  id: z.optional(z.string()),
  turn: z.optional(z.int()),
  text: z.optional(z.string()),
  message: z.optional(z.string()),
});

interface Open {
  acknowledged: boolean;
  begun: boolean;
}

export class FrameReader {
  readonly #events: () => UserEvents;
  /** By id: sent, and not answered. */
  readonly #open = new Map<string, Open>();
  /** By turn: accepted, and not answered. */
  readonly #turns = new Map<number, string>();

  constructor(events: () => UserEvents) {
    this.#events = events;
  }

  /** A message is about to be sent. */
  expect(id: string): void {
    this.#open.set(id, { acknowledged: false, begun: false });
  }

  read(frame: string): void {
    if (this.#open.size === 0) return;
    const [, type] = TYPE.exec(frame) ?? [];
    if (type === 'ack') this.#acknowledged(ack.parse(JSON.parse(frame)));
    else if (type === 'delta') this.#begun(frame);
    else if (type === 'event') this.#recorded(event.parse(JSON.parse(frame)));
  }

  #acknowledged({ id, seq }: z.infer<typeof ack>): void {
    const open = this.#open.get(id);
    if (!open) return;
    this.#turns.set(seq, id);
    if (open.acknowledged) return;
    open.acknowledged = true;
    this.#events().acknowledged(id);
  }

  #begun(frame: string): void {
    const [, turn] = TURN.exec(frame) ?? [];
    const id = this.#turns.get(Number(turn));
    const open = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || !open || open.begun) return;
    open.begun = true;
    this.#events().firstToken(id);
  }

  #recorded({ seq, kind, id, turn, text = '', message }: z.infer<typeof event>): void {
    // The record of a message says where it stands, also when its acknowledgement was lost on the way.
    if (kind === 'message' && id !== undefined && this.#open.has(id)) this.#turns.set(seq, id);
    if (turn === undefined || (kind !== 'reply' && kind !== 'failed' && kind !== 'stopped')) return;
    const asked = this.#turns.get(turn);
    if (asked === undefined) return;
    this.#turns.delete(turn);
    this.#open.delete(asked);
    this.#events().replied(asked, text, kind === 'reply' ? null : (message ?? kind));
  }
}
