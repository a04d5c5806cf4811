/** A model that answers piece by piece, breaks in every way, and remembers what it said. */
import type { Question } from '../../src/objects/ports.ts';
import { TURN_ERRORS, type TurnErrorCode } from '../../src/protocol/codes.ts';
import { streamPieces, type Piece, type PieceSource } from '../../src/responders/pieces.ts';
import { TurnFailure, type AnswerEnd, type AnswerStream } from '../../src/responders/port.ts';
import { textOf, type Chance } from './chance.ts';
import type { Ask } from './history.ts';
import type { Process } from './process.ts';

const END: AnswerEnd = { finish: 'stop', model: 'm', promptTokens: 1, answerTokens: 1, modelMs: null, writingMs: null };
/** What only bots and the session itself say. */
const NOT_OF_MODELS: readonly TurnErrorCode[] = [
  'interrupted',
  'bot_unavailable',
  'bot_stopped',
  'line_full',
  'line_timeout',
  'budget_exhausted',
];
const FAILURES = TURN_ERRORS.filter((code) => !NOT_OF_MODELS.includes(code));

/** What the model is going to do with one question. */
export interface Plan {
  pieces: { text: string; thinking: string }[];
  last: { end: 'stop' | 'length' } | { failure: TurnErrorCode } | { fault: true };
  /** A read under way when the stream is closed still brings what had arrived. */
  late: boolean;
}

export function healthyPlan(chance: Chance, maxUnits: number): Plan {
  const text = textOf(chance, 0, maxUnits);
  const thinking = chance.is(0.3) ? textOf(chance, 1, 6) : '';
  return {
    pieces: [...cut(chance, thinking, 'thinking'), ...cut(chance, text, 'text')],
    last: { end: 'stop' },
    late: false,
  };
}

export function brokenPlan(chance: Chance, maxUnits: number): Plan {
  const { pieces } = healthyPlan(chance, maxUnits);
  const kept = pieces.slice(0, chance.between(0, pieces.length));
  const kind = chance.next();
  const late = chance.is(0.5);
  if (kind < 0.6) return { pieces: kept, last: { failure: chance.pick(FAILURES) }, late };
  if (kind < 0.75) return { pieces: kept, last: { fault: true }, late };
  return { pieces, last: { end: kind < 0.9 ? 'stop' : 'length' }, late };
}

/** Cut anywhere, through pairs of surrogates too. */
function cut(chance: Chance, whole: string, channel: 'text' | 'thinking'): Plan['pieces'] {
  const pieces: Plan['pieces'] = [];
  for (let from = 0; from < whole.length;) {
    const to = Math.min(whole.length, from + chance.between(1, whole.length));
    const text = whole.slice(from, to);
    pieces.push(channel === 'text' ? { text, thinking: '' } : { text: '', thinking: text });
    from = to;
  }
  return pieces;
}

/** How far the log and the time are. */
export interface Standing {
  head(): number;
  elapsed(): number;
}

/** One stream that is being read. */
export class Speaker implements PieceSource {
  readonly ask: Ask;
  readonly plan: Plan;
  /** The request has left the object: everything written before it is durable. */
  readonly gate: number;
  /** Whose process reads; a dead one reads no more. */
  readonly reader: Process;
  readonly #signal: AbortSignal;
  readonly #now: Standing;
  #waiting: { resolve: (piece: Piece) => void; reject: (error: unknown) => void } | null = null;

  constructor(ask: Ask, plan: Plan, gate: number, reader: Process, signal: AbortSignal, now: Standing) {
    this.ask = ask;
    this.plan = plan;
    this.gate = gate;
    this.reader = reader;
    this.#signal = signal;
    this.#now = now;
    signal.addEventListener('abort', () => this.#aborted(), { once: true });
  }

  get waiting(): boolean {
    return this.#waiting !== null;
  }

  next(): Promise<Piece> {
    if (this.#signal.aborted && this.ask.closedAt !== null) this.ask.lateReads += 1;
    if (this.#signal.aborted) return Promise.reject(this.#signal.reason);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  close(): void {
    this.end('aborted');
  }

  /** Nothing more is generated. */
  end(how: Ask['end']): void {
    if (this.ask.end !== 'open') return;
    this.ask.end = how;
    this.ask.endAt = this.#now.elapsed();
  }

  #aborted(): void {
    this.end('aborted');
    this.ask.closedAt = this.#now.head();
    if (this.plan.late) return;
    this.#waiting?.reject(this.#signal.reason);
    this.#waiting = null;
  }

  /** Says the next piece, or how it ends; returns what went wrong, if anything. */
  step(): string | null {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (!waiting) return null;
    const { ask, plan } = this;
    const chunk = plan.pieces.shift();
    if (chunk) {
      this.#said(chunk);
      waiting.resolve({ chunk: { ...chunk }, end: null, failure: null });
      return ask.end === 'aborted' ? 'late piece' : null;
    }
    const empty = { text: '', thinking: '' };
    const { last } = plan;
    if ('end' in last) {
      this.end('whole');
      waiting.resolve({ chunk: empty, end: { ...END, finish: last.end }, failure: null });
      return null;
    }
    this.end('failed');
    if ('fault' in last) {
      ask.code = 'endpoint_error';
      waiting.reject(new Error('a fault of ours'));
      return 'fault of ours';
    }
    ask.code = last.failure;
    waiting.resolve({ chunk: empty, end: null, failure: new TurnFailure(last.failure, 'It broke.') });
    return 'model failure';
  }

  #said({ text, thinking }: { text: string; thinking: string }): void {
    if (this.ask.end !== 'open') return;
    this.ask.text += text;
    this.ask.thinking += thinking;
  }

  stream(): AnswerStream {
    return streamPieces(this);
  }
}

/** Reads as much of what came before as the prompt has room for, and not further. */
export function newAsk(
  question: Question,
  about: Pick<Ask, 'turn' | 'attempt' | 'boot' | 'startAt' | 'startClock' | 'told' | 'head'>,
  room: number,
): Ask {
  const past: Ask['past'] = [];
  let isWhole = true;
  for (const { user, bot } of question.history) {
    isWhole = past.length < room;
    if (!isWhole) break;
    past.push({ user, bot });
  }
  return {
    ...about,
    bot: question.bot.id,
    name: question.spec?.name ?? question.bot.name,
    endAt: null,
    question: question.text,
    past,
    isWhole,
    text: '',
    thinking: '',
    end: 'open',
    code: null,
    lateReads: 0,
    closedAt: null,
  };
}
