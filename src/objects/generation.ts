/** One attempt at answering one turn: reads the stream and says how it ended. */
import { describeError } from '../metrics/describe-error.ts';
import type { Body } from '../protocol/records.ts';
import { ownWords, TurnFailure, type AnswerEnd, type AnswerStream } from '../responders/port.ts';
import type { AnsweredBy } from '../protocol/values.ts';
import type { TurnReport } from './bot-rpc.ts';
import type { Permit, SessionPorts } from './ports.ts';
import type { RunningAnswer } from './tabs.ts';

export type Outcome = Body<'reply'> | Body<'failed'>;

export class Generation implements RunningAnswer {
  readonly turn: number;
  readonly attempt: number;
  text = '';
  thinking = '';
  readonly #abort = new AbortController();
  readonly #ports: SessionPorts<unknown>;
  #permit: Permit | null = null;
  /** Under which the same attempt was begun before, and lost its leave. */
  #lostPermit: Permit | null = null;
  #startedAt = 0;
  #firstTokenAt = 0;
  #end: AnswerEnd | null = null;
  /** Why it was ended before its end, where that is an outcome. */
  #cut: TurnFailure | null = null;

  constructor(turn: number, attempt: number, ports: SessionPorts<unknown>) {
    this.turn = turn;
    this.attempt = attempt;
    this.#ports = ports;
  }

  /** The bot is being asked: the turn does not wait any more. */
  get hasBegun(): boolean {
    return this.#permit !== null;
  }

  /** Who answers; null before it has begun. */
  get bot(): string | null {
    return this.#permit?.bot.id ?? null;
  }

  /** Waits for leave to begin anew: until then an outcome keeps what the same attempt had said before. */
  keep(lost: Generation): void {
    this.text = lost.text;
    this.thinking = lost.thinking;
    this.#lostPermit = lost.#permit;
  }

  /** Over, whatever still comes: the connection is closed and `ask` and `run` resolve with null. */
  abort(): void {
    this.#abort.abort();
  }

  /** Over, as a failure: `run` resolves with it and with what had come. */
  cut(failure: TurnFailure): void {
    this.#cut = failure;
    this.#abort.abort();
  }

  /** Asks for leave to begin: it, or the failure that it was refused with, or null after an abort. Never rejects. */
  async ask<T>(enter: (signal: AbortSignal) => Promise<T>): Promise<T | Outcome | null> {
    const { signal } = this.#abort;
    try {
      const permit = await enter(signal);
      return signal.aborted ? null : permit;
    } catch (error) {
      return signal.aborted ? null : this.#failure(error);
    }
  }

  /**
   * Reads the whole answer; `onProgress` after every piece. Resolves with the outcome, or with null
   * after an abort. Never rejects.
   */
  async run(
    permit: Permit,
    open: (signal: AbortSignal) => AnswerStream,
    onProgress: () => void,
  ): Promise<Outcome | null> {
    const { signal } = this.#abort;
    this.#permit = permit;
    this.#startedAt = this.#ports.now();
    try {
      const stream = open(signal);
      for (;;) {
        const step = await stream.next();
        // The stream closes its connection by the same signal.
        if (signal.aborted) break;
        if (step.done) return this.#reply(step.value);
        if (this.#firstTokenAt === 0) this.#firstTokenAt = this.#ports.now();
        this.text += step.value.text;
        this.thinking += step.value.thinking;
        onProgress();
      }
    } catch (error) {
      if (!signal.aborted) return this.#failure(error);
    }
    return this.#cut && this.#failure(this.#cut);
  }

  #reply(end: AnswerEnd): Outcome {
    const { turn, attempt } = this;
    const { finish, model, promptTokens, answerTokens } = end;
    this.#end = end;
    const now = this.#ports.now();
    const firstTokenMs = (this.#firstTokenAt || now) - this.#startedAt;
    const usage = { promptTokens, answerTokens, firstTokenMs, totalMs: now - this.#startedAt };
    return { kind: 'reply', turn, attempt, ...this.partial(), model, finish, usage };
  }

  #failure(error: unknown): Outcome {
    const { turn, attempt } = this;
    const known = error instanceof TurnFailure;
    // A fault of ours: the reader is told that much, the operator the rest.
    if (!known) this.#ports.report('generation_fault', { turn, attempt, ...describeError(error) });
    const code = known ? error.code : 'endpoint_error';
    const message = known ? error.message : 'The answer failed for a reason of our own.';
    return { kind: 'failed', turn, attempt, ...this.partial(), code, message };
  }

  /** What has come so far, and of whom: what a stop keeps. */
  partial(): { text: string; thinking?: string; by?: AnsweredBy } {
    const { text, thinking } = this;
    return { text, ...(thinking === '' ? {} : { thinking }), ...this.#by() };
  }

  #by(): { by?: AnsweredBy } {
    const permit = this.#permit ?? this.#lostPermit;
    if (!permit) return {};
    const { bot, spec, revision } = permit;
    return { by: { id: bot.id, name: spec?.name ?? bot.name, revision } };
  }

  /** What the bot counts of it, and the log says; `outcome` null where a person stopped it. */
  report(outcome: Outcome | null): TurnReport {
    const { turn, attempt } = this;
    const totalMs = this.hasBegun ? this.#ports.now() - this.#startedAt : 0;
    const { promptTokens = 0, answerTokens = 0, modelMs = null } = this.#end ?? {};
    return {
      turn,
      attempt,
      outcome: outcome?.kind ?? 'stopped',
      ...(outcome?.kind === 'failed' ? { code: outcome.code, message: ownWords(outcome.message) } : {}),
      promptTokens,
      answerTokens,
      waitedMs: this.#permit?.waitedMs ?? 0,
      firstTokenMs: this.#firstTokenAt === 0 ? 0 : this.#firstTokenAt - this.#startedAt,
      totalMs,
      overheadMs: modelMs === null ? null : Math.max(0, totalMs - modelMs),
    };
  }
}
