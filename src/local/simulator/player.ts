/**
 * Plays the steps of one answer onto its HTTP response, each at its time.
 * At full speed everything is due at once and goes out as one write; paced answers wait in
 * the shared ticker. A client that does not read is waited for, one that leaves ends it.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';
import type { Dialect, Totals } from './dialect.ts';
import { nanoseconds, timestamp } from './json.ts';
import type { Pace, Paced } from './pace.ts';
import type { Step } from './script.ts';
import type { Splitter } from './split.ts';

/** Time for the last bytes to be read before the reset throws away what is unread. */
const RESET_DELAY_MS = 20;
const ERROR_STATUS = 500;

type Outcome = 'completed' | 'failed';

interface Playing {
  readonly response: ServerResponse;
  readonly answer: Answer;
  readonly steps: readonly Step[];
  readonly dialect: Dialect;
  readonly headers: OutgoingHttpHeaders;
  readonly tokensPerWrite: number;
  readonly splitter: Splitter | null;
  readonly crlf: boolean;
  readonly pace: Pace;
  /** `performance.now()` when the request came and when the model was ready for it. */
  readonly receivedAtMs: number;
  readonly loadedAtMs: number;
  readonly onTokens: (count: number) => void;
  readonly onEnd: (outcome: Outcome) => void;
}

export class Player implements Paced {
  readonly #playing: Playing;
  #next = 0;
  #stepAtMs: number;
  #firstTokenAtMs: number | null = null;
  #batch = '';
  #batchTokens = 0;
  #over = false;

  constructor(playing: Playing) {
    this.#playing = playing;
    this.#stepAtMs = playing.loadedAtMs;
  }

  get dueAtMs(): number {
    const step = this.#playing.steps[this.#next];
    return step === undefined ? Infinity : this.#stepAtMs + step.afterMs;
  }

  /** The client has left: nothing is written any more. */
  stop(): void {
    this.#over = true;
    this.#playing.pace.remove(this);
  }

  advance(nowMs: number): void {
    if (this.#over) return;
    const { steps, tokensPerWrite, pace } = this.#playing;
    const at = timestamp();
    while (this.dueAtMs <= nowMs) {
      const step = steps[this.#next];
      if (step === undefined) return;
      this.#stepAtMs += step.afterMs;
      this.#next += 1;
      if (this.#perform(step, at)) return;
      if (tokensPerWrite > 0 && this.#batchTokens >= tokensPerWrite) {
        this.#flush(() => this.advance(performance.now()));
        return;
      }
    }
    this.#flush(() => {
      // A wait for ever needs no ticker: only the client's leaving ends it.
      if (this.dueAtMs < Infinity) pace.add(this);
    });
  }

  /** True when the answer is over with this step. */
  #perform(step: Step, at: string): boolean {
    const { dialect, answer } = this.#playing;
    switch (step.do) {
      case 'wait':
        return false;
      case 'headers':
        this.#writeHead();
        this.#playing.response.flushHeaders();
        return false;
      case 'chunk':
        this.#firstTokenAtMs ??= performance.now();
        this.#batch += dialect.chunk(step.chunk, step.isFirst, at);
        this.#batchTokens += step.chunk.tokens;
        return false;
      case 'half-chunk':
        this.#batch += half(dialect.chunk(step.chunk, step.isFirst, at));
        return false;
      case 'half-done':
        this.#batch += half(dialect.done(this.#totals(), at));
        return false;
      case 'done': {
        const line = dialect.done(this.#totals(), at);
        this.#batch += step.newline ? line : line.trimEnd();
        return false;
      }
      case 'whole': {
        const body = dialect.whole(answer, this.#totals(), at);
        this.#batch += step.cutInHalf ? half(body) : body;
        this.#batchTokens += answer.tokens;
        return false;
      }
      case 'garbage':
      case 'blank':
        this.#batch += dialect[step.do]();
        return false;
      case 'error':
      case 'error-event':
        return this.#fail(step.do, step.message, at);
      case 'end':
        this.#finish(step.outcome);
        return true;
      case 'reset':
        this.#reset();
        return true;
    }
  }

  /** Before the first byte an error still has the status line to itself. */
  #fail(kind: 'error' | 'error-event', message: string, at: string): boolean {
    const { dialect, response } = this.#playing;
    if (response.headersSent || this.#batch !== '') {
      const line = kind === 'error' ? dialect.error(message, at) : dialect.errorEvent(message, at);
      this.#batch += line;
      return false;
    }
    this.#over = true;
    response.writeHead(ERROR_STATUS, { 'content-type': 'application/json; charset=utf-8' });
    response.end(dialect.errorBody(ERROR_STATUS, message));
    this.#playing.onEnd('failed');
    return true;
  }

  #writeHead(): void {
    const { response, headers } = this.#playing;
    if (!response.headersSent) response.writeHead(200, headers);
  }

  #finish(outcome: Outcome): void {
    const { response, splitter, onEnd, onTokens } = this.#playing;
    if (splitter !== null) {
      this.#flush(() => {
        this.#over = true;
        response.end();
        onEnd(outcome);
      });
      return;
    }
    this.#over = true;
    this.#writeHead();
    onTokens(this.#batchTokens);
    response.end(this.#wire());
    onEnd(outcome);
  }

  #reset(): void {
    const { response, onEnd } = this.#playing;
    this.#flush(() => {
      setTimeout(() => {
        if (this.#over) return;
        this.#over = true;
        response.socket?.resetAndDestroy();
        onEnd('failed');
      }, RESET_DELAY_MS);
    });
  }

  /** Writes what has gathered, then goes on: at once, or when the client has read. */
  #flush(then: () => void): void {
    const { response, splitter, onTokens } = this.#playing;
    if (this.#batch === '') {
      then();
      return;
    }
    this.#writeHead();
    onTokens(this.#batchTokens);
    const text = this.#wire();
    this.#batch = '';
    this.#batchTokens = 0;
    if (splitter !== null) {
      this.#writePieces(splitter(text), 0, then);
    } else if (response.write(text)) {
      // A turn of the loop between writes, or the socket would join them again.
      if (this.dueAtMs <= performance.now()) setImmediate(then);
      else then();
    } else {
      response.once('drain', then);
    }
  }

  #writePieces(pieces: readonly Uint8Array[], index: number, then: () => void): void {
    if (this.#over) return;
    const piece = pieces[index];
    if (piece === undefined) {
      then();
      return;
    }
    const next = (): void => this.#writePieces(pieces, index + 1, then);
    if (this.#playing.response.write(piece)) setImmediate(next);
    else this.#playing.response.once('drain', next);
  }

  #wire(): string {
    return this.#playing.crlf ? this.#batch.replaceAll('\n', '\r\n') : this.#batch;
  }

  #totals(): Totals {
    const { answer, receivedAtMs, loadedAtMs } = this.#playing;
    const nowMs = performance.now();
    const firstTokenAtMs = this.#firstTokenAtMs ?? nowMs;
    return {
      promptTokens: answer.promptTokens,
      tokens: answer.tokens,
      reason: answer.reason,
      totalNs: nanoseconds(receivedAtMs, nowMs),
      loadNs: nanoseconds(receivedAtMs, loadedAtMs),
      promptNs: nanoseconds(loadedAtMs, firstTokenAtMs),
      answerNs: nanoseconds(firstTokenAtMs, nowMs),
    };
  }
}

function half(text: string): string {
  return text.slice(0, text.length >> 1);
}
