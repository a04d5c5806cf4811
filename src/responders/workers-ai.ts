/**
 * Workers AI through `workers-ai-provider`, by its model's `doStream`: the plain stream under the
 * AI SDK. Loaded when the first bot uses it, since most deployments have none.
 */
import type { WorkersAISettings } from 'workers-ai-provider';
import { cleanSentence } from './endpoint.ts';
import { modelFailure } from './line-parser.ts';
import { asFailure, emptyPiece, streamPieces } from './pieces.ts';
import type { Piece, PieceSource } from './pieces.ts';
import { TurnFailure } from './port.ts';
import type { AnswerEnd, ModelSettings, PromptMessage, Responder } from './port.ts';
import { isRecord } from './shape.ts';

/** The `Ai` binding, as the provider names its type. */
export type AiBinding = NonNullable<WorkersAISettings['binding']>;

type Model = Awaited<ReturnType<typeof loadModel>>;
type CallOptions = Parameters<Model['doStream']>[0];
type ModelPrompt = CallOptions['prompt'];
type StreamResult = Awaited<ReturnType<Model['doStream']>>;
type StreamPart = StreamResult['stream'] extends ReadableStream<infer Part> ? Part : never;
type PartReader = ReadableStreamDefaultReader<StreamPart>;

export function workersAi(binding: AiBinding): Responder {
  return {
    async open(settings, prompt, signal) {
      signal.throwIfAborted();
      const model = await loadModel(binding, settings);
      const stream = await openStream(model, settings, prompt, signal);
      return streamPieces(new PartSource(stream, settings.model, signal));
    },
    /** A binding has no connection that could fail to come about. */
    async reach() {},
  };
}

async function loadModel(binding: AiBinding, settings: ModelSettings) {
  const { createWorkersAI } = await import('workers-ai-provider');
  const effort = reasoningEffort(settings.think);
  return createWorkersAI({ binding })(settings.model, effort === undefined ? {} : { reasoning_effort: effort });
}

/** null turns thinking off, undefined leaves it to the model. */
function reasoningEffort(think: ModelSettings['think']): 'low' | 'medium' | 'high' | null | undefined {
  if (think === null || think === true) return undefined;
  if (think === false) return null;
  return think === 'max' ? 'high' : think;
}

async function openStream(
  model: Model,
  settings: ModelSettings,
  prompt: readonly PromptMessage[],
  signal: AbortSignal,
): Promise<StreamResult['stream']> {
  const opening = model.doStream(callOptions(settings, prompt, signal));
  // The binding may not look at the signal: then what it brings too late is closed on arrival.
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    return (await Promise.race([opening, aborted])).stream;
  } catch (error) {
    if (!signal.aborted) throw refusal(error);
    opening.then(
      ({ stream }) => stream.cancel(),
      () => undefined,
    );
    throw signal.reason;
  }
}

function callOptions(settings: ModelSettings, prompt: readonly PromptMessage[], signal: AbortSignal): CallOptions {
  const options: CallOptions = { prompt: modelPrompt(prompt), abortSignal: signal };
  const { num_predict: limit, temperature, top_p: topP, seed } = settings.options;
  if (typeof limit === 'number' && limit > 0) options.maxOutputTokens = limit;
  if (typeof temperature === 'number') options.temperature = temperature;
  if (typeof topP === 'number') options.topP = topP;
  if (typeof seed === 'number') options.seed = seed;
  return options;
}

function modelPrompt(prompt: readonly PromptMessage[]): ModelPrompt {
  return prompt.map(({ role, text }) =>
    role === 'system' ? { role, content: text } : { role, content: [{ type: 'text', text }] },
  );
}

/** What a binding's refusal means; the provider has translated Workers AI's own codes to HTTP's. */
function refusal(error: unknown): TurnFailure {
  const status = isRecord(error) ? error['statusCode'] : undefined;
  const said = error instanceof Error ? cleanSentence(error.message, null) : '';
  const because = said === '' ? '.' : `: ${said}`;
  // Its code for this, 5007, has no counterpart in HTTP.
  if (/no such model/i.test(said))
    return new TurnFailure('model_not_found', `Workers AI does not have the model${because}`);
  switch (status) {
    case 401:
    case 403:
      return new TurnFailure('endpoint_unauthorized', `Workers AI refuses access${because}`);
    case 429:
    case 502:
    case 503:
    case 504:
      return new TurnFailure('endpoint_busy', `Workers AI is busy${because}`, true);
    default:
      return new TurnFailure('endpoint_error', `Workers AI refused the request${because}`);
  }
}

/** The stream's parts, as many to a piece as have arrived together. */
class PartSource implements PieceSource {
  readonly #reader: PartReader;
  readonly #model: string;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  /** A read under way; kept when a piece is handed on without waiting for it. */
  #reading: ReturnType<PartReader['read']> | null = null;

  constructor(stream: StreamResult['stream'], model: string, signal: AbortSignal) {
    this.#reader = stream.getReader();
    this.#model = model;
    this.#signal = signal;
    this.#onAbort = () => cancel(this.#reader, signal.reason);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Each token is a part of its own here. A reader who takes a piece every 50 ms must not get 20
   * tokens a second: whatever else is there before the next macrotask goes into the same piece.
   */
  async next(begun: boolean): Promise<Piece> {
    const piece = emptyPiece();
    let turnOfLoop: Promise<null> | null = null;
    try {
      while (piece.end === null) {
        const part = await this.#part(turnOfLoop, begun);
        if (part === null) break;
        if (part.type === 'error') throw modelFailure(part.error, null);
        if (part.type === 'finish') piece.end = endOf(part, this.#model, begun || turnOfLoop !== null);
        if (part.type === 'text-delta') piece.chunk.text += part.delta;
        if (part.type === 'reasoning-delta') piece.chunk.thinking += part.delta;
        if (piece.chunk.text !== '' || piece.chunk.thinking !== '') turnOfLoop ??= nextTurnOfLoop();
      }
    } catch (error) {
      piece.failure = asFailure(error);
    }
    return piece;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    cancel(this.#reader);
  }

  /** The next part, or null when `until` comes first. */
  async #part(until: Promise<null> | null, begun: boolean): Promise<StreamPart | null> {
    if (this.#reading === null) {
      this.#reading = this.#reader.read();
      // It may fail while nobody waits for it; the next piece reports that.
      this.#reading.catch(() => undefined);
    }
    try {
      const result = await (until === null ? this.#reading : Promise.race([this.#reading, until]));
      if (result === null) return null;
      this.#reading = null;
      if (!this.#signal.aborted && !result.done) return result.value;
    } catch {
      // A stream that broke and one that ended without its last part are cut all the same.
    }
    this.#signal.throwIfAborted();
    throw cutOff(begun || until !== null);
  }
}

function nextTurnOfLoop(): Promise<null> {
  return new Promise((resolve) => void setTimeout(resolve, 0, null));
}

function cancel(reader: PartReader, reason?: unknown): void {
  reader.cancel(reason).catch(() => undefined);
}

function endOf(part: Extract<StreamPart, { type: 'finish' }>, model: string, begun: boolean): AnswerEnd {
  const { unified, raw } = part.finishReason;
  const promptTokens = part.usage.inputTokens.total ?? 0;
  const answerTokens = part.usage.outputTokens.total ?? 0;
  // The provider calls a stream without any data a success; a real one has at least counted the prompt.
  const empty = !begun && promptTokens === 0 && answerTokens === 0;
  if (unified === 'interrupted' || raw === 'stream-truncated' || empty) throw cutOff(begun);
  if (unified === 'error') throw modelFailure(undefined, null);
  return {
    finish: unified === 'length' ? 'length' : 'stop',
    model,
    promptTokens,
    answerTokens,
    modelMs: null,
    writingMs: null,
  };
}

function cutOff(begun: boolean): TurnFailure {
  return new TurnFailure('answer_incomplete', 'Workers AI ended the answer before it was complete.', !begun);
}
