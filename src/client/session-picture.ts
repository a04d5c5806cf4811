/**
 * What a client knows of a session: server frames folded into messages, queue, running answer and
 * the session's own settings. Deterministic; knows nothing of sockets, time or subscribers.
 */
import type { EventFrame } from '../protocol/records.ts';
import type { QueueView, ServerFrameOf } from '../protocol/server-frames.ts';
import type { Message } from '../protocol/transcript.ts';
import { applyDelta, emptyAnswer } from './answer.ts';
import { EMPTY_QUEUE, queueAfter, queueRunning } from './live-queue.ts';
import { Transcript } from './transcript-view.ts';
import type { Running, SessionView } from './types.ts';

/** `gap`: something before this frame is missing; only a new connection brings it. */
export type Applied = 'applied' | 'ignored' | 'gap';

/** The part of a view that comes from the server. */
type ServerPart = Pick<
  SessionView,
  'title' | 'archived' | 'bot' | 'messages' | 'olderBefore' | 'running' | 'queue' | 'tabs'
>;

export class SessionPicture {
  readonly #transcript = new Transcript();
  #settings: Pick<SessionView, 'title' | 'archived' | 'bot'> = { title: '', archived: false, bot: null };
  #queue = EMPTY_QUEUE;
  #answer: Running | null = null;
  #tabs = 0;
  #lastSeq = 0;
  /** The log's end when the server last said `welcome`; records up to it only repeat what that told. */
  #welcomedSeq = 0;
  /** The attempt that ended last: a late piece of it must not bring it back. */
  #ended = { turn: 0, attempt: 0 };

  /** Place of the last record held; 0 for none. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Whether everything up to the last `welcome` was read. */
  get caughtUp(): boolean {
    return this.#lastSeq >= this.#welcomedSeq;
  }

  get running(): Running | null {
    return this.#answer;
  }

  get olderBefore(): number | null {
    return this.#transcript.olderBefore();
  }

  /** The turn of a person's message, if its record was read or loaded. */
  turnOf(id: string): number | undefined {
    return this.#transcript.turnOf(id);
  }

  lastAnswered(): number | undefined {
    return this.#transcript.lastAnswered();
  }

  welcome(frame: ServerFrameOf<'welcome'>): void {
    // Records between ours and `from` would be missing for ever: that is a reset, said or not.
    if (frame.reset || frame.from > this.#lastSeq) this.#reset(frame.from);
    this.#welcomedSeq = frame.seq;
    this.#settings = { title: frame.title, archived: frame.archived, bot: frame.bot };
    this.#tabs = frame.tabs;
    // The server's word on the attempt counts here, even if it is an earlier one. The same attempt is
    // kept, also over a reset: the server goes on from where `hello` said we are.
    if (this.#answer?.attempt !== frame.queue.running?.attempt) this.#answer = null;
    this.queue(frame.queue);
    this.#follow();
  }

  event(frame: EventFrame): Applied {
    if (frame.seq <= this.#lastSeq) return 'ignored';
    if (frame.seq !== this.#lastSeq + 1) return 'gap';
    this.#lastSeq = frame.seq;
    this.#transcript.append(frame);
    if (frame.kind === 'reply' || frame.kind === 'stopped' || frame.kind === 'failed') {
      this.#ended = { turn: frame.turn, attempt: frame.attempt };
    }
    if (frame.seq <= this.#welcomedSeq) return 'applied';
    this.queue(queueAfter(this.#queue, frame));
    if (frame.kind === 'updated') {
      const { title = this.#settings.title, archived = this.#settings.archived, bot = this.#settings.bot } = frame;
      this.#settings = { title, archived, bot };
    }
    return 'applied';
  }

  delta(frame: ServerFrameOf<'delta'>): Applied {
    const { turn, attempt } = frame;
    if (turn === this.#ended.turn && attempt <= this.#ended.attempt) return 'ignored';
    const result = applyDelta(this.#answer, frame);
    if (result.kind === 'stale') return 'ignored';
    if (result.kind === 'gap') return 'gap';
    this.#answer = result.answer;
    this.queue(queueRunning(this.#queue, turn, attempt));
    return 'applied';
  }

  queue(next: QueueView): void {
    if (sameQueue(this.#queue, next)) return;
    this.#queue = next;
    this.#transcript.setQueue(next);
    this.#follow();
  }

  tabs(count: number): void {
    this.#tabs = count;
  }

  /** Puts a page of older messages in; refused (false) where it no longer fits, after a reset. */
  older(askedBefore: number, page: readonly Message[], nextBefore: number | null): boolean {
    if (this.olderBefore !== askedBefore) return false;
    this.#transcript.prepend(page, nextBefore);
    return true;
  }

  part(): ServerPart {
    return {
      ...this.#settings,
      messages: this.#transcript.messages(),
      olderBefore: this.olderBefore,
      running: this.#answer,
      queue: this.#queue,
      tabs: this.#tabs,
    };
  }

  #reset(from: number): void {
    this.#transcript.reset(from);
    this.#lastSeq = from;
    this.#ended = { turn: 0, attempt: 0 };
  }

  /** The answer shown is that of the turn that runs; of a new attempt nothing was read yet. */
  #follow(): void {
    const { running } = this.#queue;
    if (!running) this.#answer = null;
    else if (this.#answer?.turn !== running.turn || this.#answer.attempt < running.attempt) {
      this.#answer = emptyAnswer(running.turn, running.attempt);
    }
  }
}

function sameQueue(left: QueueView, right: QueueView): boolean {
  if (left === right) return true;
  return (
    left.running?.turn === right.running?.turn &&
    left.running?.attempt === right.running?.attempt &&
    left.running?.wait?.reason === right.running?.wait?.reason &&
    left.running?.wait?.place === right.running?.wait?.place &&
    left.waiting.length === right.waiting.length &&
    left.waiting.every((waiting, index) => waiting.turn === right.waiting[index]?.turn)
  );
}
