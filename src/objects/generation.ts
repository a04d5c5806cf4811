/** One attempt at answering one turn: reads the stream and says how it ended. */
import { describeError } from '../metrics/describe-error.ts';
import type { Body } from '../protocol/records.ts';
import { TurnFailure, type AnswerEnd, type AnswerStream } from '../responders/port.ts';
import type { SessionPorts } from './ports.ts';
import type { RunningAnswer } from './tabs.ts';

export type Outcome = Body<'reply'> | Body<'failed'>;

export class Generation implements RunningAnswer {
  readonly turn: number;
  readonly attempt: number;
  text = '';
  thinking = '';
  readonly #abort = new AbortController();
  readonly #ports: SessionPorts<unknown>;
  readonly #startedAt: number;
  #firstTokenAt = 0;

  constructor(turn: number, attempt: number, ports: SessionPorts<unknown>) {
    this.turn = turn;
    this.attempt = attempt;
    this.#ports = ports;
    this.#startedAt = ports.now();
  }

  /** Over, whatever still comes: the connection is closed and `run` resolves with null. */
  abort(): void {
    this.#abort.abort();
  }

  /**
   * Reads the whole answer; `onProgress` after every piece. Resolves with the outcome, or with null
   * after an abort. Never rejects.
   */
  async run(open: (signal: AbortSignal) => AnswerStream, onProgress: () => void): Promise<Outcome | null> {
    const { signal } = this.#abort;
    try {
      const stream = open(signal);
      for (;;) {
        const step = await stream.next();
        // The stream closes its connection by the same signal.
        if (signal.aborted) return null;
        if (step.done) return this.#reply(step.value);
        if (this.#firstTokenAt === 0) this.#firstTokenAt = this.#ports.now();
        this.text += step.value.text;
        this.thinking += step.value.thinking;
        onProgress();
      }
    } catch (error) {
      return signal.aborted ? null : this.#failure(error);
    }
  }

  #reply(end: AnswerEnd): Outcome {
    const { turn, attempt, text } = this;
    const { finish, model, promptTokens, answerTokens } = end;
    const now = this.#ports.now();
    const firstTokenMs = (this.#firstTokenAt || now) - this.#startedAt;
    const usage = { promptTokens, answerTokens, firstTokenMs, totalMs: now - this.#startedAt };
    return { kind: 'reply', turn, attempt, text, ...this.#thinkingPart(), model, finish, usage };
  }

  #failure(error: unknown): Outcome {
    const { turn, attempt, text } = this;
    const known = error instanceof TurnFailure;
    // A fault of ours: the reader is told that much, the operator the rest.
    if (!known) this.#ports.report('generation_fault', { turn, attempt, ...describeError(error) });
    const code = known ? error.code : 'endpoint_error';
    const message = known ? error.message : 'The answer failed for a reason of our own.';
    return { kind: 'failed', turn, attempt, text, ...this.#thinkingPart(), code, message };
  }

  #thinkingPart(): { thinking?: string } {
    return this.thinking === '' ? {} : { thinking: this.thinking };
  }

  /** What a stop keeps. */
  partial(): { text: string; thinking?: string } {
    return { text: this.text, ...this.#thinkingPart() };
  }
}
