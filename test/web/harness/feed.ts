/** A session as a server would feed it to the page, played by hand: no bot, no clock, no storage. */
import { PROTOCOL_VERSION } from '../../../src/protocol/limits.ts';
import { decodeClientFrame, encodeServerFrame } from '../../../src/protocol/codec.ts';
import type { ClientFrame, ClientFrameOf } from '../../../src/protocol/client-frames.ts';
import type { EventFrame, RecordBody } from '../../../src/protocol/records.ts';
import type { QueueView, ServerFrame, TurnWait } from '../../../src/protocol/server-frames.ts';
import type { TurnErrorCode } from '../../../src/protocol/codes.ts';
import type { AnsweredBy, BotRef } from '../../../src/protocol/values.ts';

/** One connected tab. */
export interface Wire {
  send(text: string): void;
  close(options: { code: number; reason: string }): void;
}

const LIMITS = { maxTextBytes: 32_768, maxFrameBytes: 65_536, maxQueue: 100, creditWindowBytes: 262_144 };
const EVENT_SPACING_MS = 60_000;

export class Feed {
  readonly session: string;
  readonly records: EventFrame[] = [];
  /** Every frame the page sent, in order. */
  readonly heard: ClientFrame[] = [];
  bot: BotRef;
  title: string;
  queue: QueueView = { running: null, waiting: [] };
  /** Whether `send` is acknowledged; off, messages stay on their way. */
  acknowledges = true;
  /** The oldest record that a page without history gets; what is before it is paged over HTTP. */
  firstSeq = 1;
  /** Who answers, where the outcomes are to say it. */
  by: AnsweredBy | null = null;
  /** Whether records follow the welcome at once; off, they come with `catchUp`. */
  followsUp = true;
  private readonly wires = new Set<Wire>();
  private answer = '';
  private thinking = '';

  constructor(session: string, title: string, bot: BotRef) {
    this.session = session;
    this.title = title;
    this.bot = bot;
    this.record({ kind: 'created', bot, title });
  }

  connect(wire: Wire): void {
    this.wires.add(wire);
  }

  disconnect(wire: Wire): void {
    this.wires.delete(wire);
  }

  /** Ends every connection, as a network would. */
  drop(code = 1012): void {
    for (const wire of this.wires) wire.close({ code, reason: '' });
    this.wires.clear();
  }

  receive(wire: Wire, data: { toString(): string }): void {
    const decoded = decodeClientFrame(data.toString());
    if (!decoded.ok) throw new Error(`The page sent what no server reads: ${decoded.error.message}`);
    const { frame } = decoded;
    if (frame.type === 'ping') return wire.send('{"type":"pong"}');
    this.heard.push(frame);
    if (frame.type === 'hello') this.welcome(wire, frame.seq ?? 0);
    if (frame.type === 'send' && this.acknowledges) this.accept(wire, frame.id, frame.text);
    if (frame.type === 'stop') this.end('stopped');
    if (frame.type === 'edit' || frame.type === 'cancel') this.change(frame);
  }

  record(body: RecordBody, at?: number): EventFrame {
    const seq = this.records.length + 1;
    const event: EventFrame = { type: 'event', seq, at: at ?? Date.now() - EVENT_SPACING_MS, ...body };
    this.records.push(event);
    this.tell(event);
    return event;
  }

  /** Lets the next message be answered; `say` continues, `end` finishes. */
  begin(turn: number, attempt = 1): void {
    this.answer = '';
    this.thinking = '';
    this.queue = { running: { turn, attempt }, waiting: this.queue.waiting.filter((one) => one.turn !== turn) };
    this.tell({ type: 'queue', ...this.queue });
  }

  /** The turn that is next does not begin, or (null) does now. */
  wait(wait: TurnWait | null): void {
    const { running } = this.queue;
    if (!running) throw new Error('No turn is next.');
    const { turn, attempt } = running;
    this.queue = { ...this.queue, running: wait === null ? { turn, attempt } : { turn, attempt, wait } };
    this.tell({ type: 'queue', ...this.queue });
  }

  fail(code: TurnErrorCode, message = 'A sentence of the server.'): void {
    this.finish('failed', { code, message });
  }

  say(text: string, channel: 'text' | 'thinking' = 'text'): void {
    const { running } = this.queue;
    if (!running) throw new Error('No answer is running.');
    const offset = (channel === 'text' ? this.answer : this.thinking).length;
    if (channel === 'text') this.answer += text;
    else this.thinking += text;
    const { turn, attempt } = running;
    this.tell({ type: 'delta', turn, attempt, offset, text, channel });
  }

  end(kind: 'reply' | 'stopped' | 'failed'): void {
    const message = 'The model sent nothing for 60 s. It may still be loading, or the machine is busy.';
    this.finish(kind, { code: 'idle_timeout', message });
  }

  private finish(kind: 'reply' | 'stopped' | 'failed', failure: { code: TurnErrorCode; message: string }): void {
    const { running } = this.queue;
    if (!running) return;
    const { turn, attempt } = running;
    const thinking = this.thinking === '' ? {} : { thinking: this.thinking };
    const by = this.by === null ? {} : { by: this.by };
    const outcome = { turn, attempt, text: this.answer, ...thinking, ...by };
    this.queue = { ...this.queue, running: null };
    if (kind === 'stopped') this.record({ kind, ...outcome });
    else if (kind === 'failed') this.record({ kind, ...outcome, ...failure });
    else {
      const usage = { promptTokens: 20, answerTokens: 200, firstTokenMs: 300, totalMs: 2_400 };
      this.record({ kind, ...outcome, model: this.bot.model, finish: 'stop', usage });
    }
    const next = this.queue.waiting[0];
    if (next) this.begin(next.turn);
    else this.tell({ type: 'queue', ...this.queue });
  }

  tell(frame: ServerFrame): void {
    for (const wire of this.wires) wire.send(encodeServerFrame(frame));
  }

  /** What `followsUp` held back: every record. */
  catchUp(): void {
    for (const event of this.records) this.tell(event);
  }

  private accept(wire: Wire, id: string, text: string): void {
    const { seq } = this.record({ kind: 'message', id, text, priority: 0 }, Date.now());
    const waiting = [...this.queue.waiting, { turn: seq, id, priority: 0 }];
    this.queue = { ...this.queue, waiting };
    wire.send(encodeServerFrame({ type: 'ack', id, seq, position: waiting.length - 1 }));
    if (this.queue.running) this.tell({ type: 'queue', ...this.queue });
    else this.begin(seq);
  }

  private change(frame: ClientFrameOf<'edit'> | ClientFrameOf<'cancel'>): void {
    const waiting = this.queue.waiting.find(({ id }) => id === frame.id);
    if (!waiting) throw new Error('Only what waits can be changed.');
    const { turn } = waiting;
    if (frame.type === 'edit') return void this.record({ kind: 'edited', turn, text: frame.text });
    this.queue = { ...this.queue, waiting: this.queue.waiting.filter((one) => one !== waiting) };
    this.record({ kind: 'cancelled', turn });
    this.tell({ type: 'queue', ...this.queue });
  }

  private welcome(wire: Wire, held: number): void {
    const seq = Math.max(held, this.firstSeq - 1);
    wire.send(
      encodeServerFrame({
        type: 'welcome',
        protocol: PROTOCOL_VERSION,
        session: this.session,
        epoch: 'epoch-1',
        seq: this.records.length,
        from: seq,
        reset: false,
        bot: this.bot,
        title: this.title,
        archived: false,
        tabs: this.wires.size,
        queue: this.queue,
        limits: LIMITS,
      }),
    );
    if (!this.followsUp) return;
    for (const event of this.records.slice(seq)) wire.send(encodeServerFrame(event));
    const { running } = this.queue;
    if (!running) return;
    const { turn, attempt } = running;
    if (this.thinking !== '') {
      wire.send(
        encodeServerFrame({ type: 'delta', turn, attempt, offset: 0, text: this.thinking, channel: 'thinking' }),
      );
    }
    if (this.answer === '') return;
    wire.send(encodeServerFrame({ type: 'delta', turn, attempt, offset: 0, text: this.answer, channel: 'text' }));
  }
}
