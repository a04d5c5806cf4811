/**
 * What the rest of the house knows of a responder: give it a prompt, read pieces of an answer.
 * Behind it stand Ollama, OpenAI-compatible servers and Workers AI.
 */
import type { TurnErrorCode } from '../protocol/codes.ts';

export interface PromptMessage {
  role: 'system' | 'user' | 'assistant';
  text: string;
}

/** Where and how to generate. Comes from the bot's definition, never from a client. */
export interface ModelSettings {
  kind: 'ollama' | 'openai' | 'workers-ai';
  /** Root of the endpoint, without a trailing slash; unused by Workers AI. */
  baseUrl: string;
  apiKey: string | null;
  model: string;
  /** Ollama's names (`num_ctx`, `num_predict`, `temperature`, ...), passed on as they are or translated. */
  options: Readonly<Record<string, unknown>>;
  /** Whether a thinking model should think; null leaves it to the model. */
  think: boolean | 'low' | 'medium' | 'high' | 'max' | null;
  /** Ollama's keep_alive; null leaves it to the server. */
  keepAlive: string | number | null;
  deadlines: Deadlines;
}

/** Limits on waiting for an answer; each ends the turn with an error of its own. */
export interface Deadlines {
  /**
   * Until the endpoint shows a sign of life: its response headers, or an answer to
   * `Responder.reach` where the headers are late.
   */
  connectTimeoutMs: number;
  /** From the request until the first text or thinking. */
  firstTokenTimeoutMs: number;
  /** Between two pieces. */
  idleTimeoutMs: number;
  /** In all. */
  totalTimeoutMs: number;
}

/** What one read of the stream brought; either text may be empty, never both. */
export interface AnswerChunk {
  text: string;
  thinking: string;
}

/** How an answer ended, in the endpoint's own words where it has them; counts are 0 where it does not say. */
export interface AnswerEnd {
  finish: 'stop' | 'length';
  model: string;
  promptTokens: number;
  answerTokens: number;
  /** The model's own time for it in ms; null where the endpoint does not say. */
  modelMs: number | null;
  /** Of that, from the first token to the last. */
  writingMs: number | null;
}

/**
 * An answer being read: each `next()` is at most one read of the endpoint's stream, so that the
 * reader sets the pace. Ends by returning an AnswerEnd or by throwing a TurnFailure.
 */
export type AnswerStream = AsyncGenerator<AnswerChunk, AnswerEnd, undefined>;

/** The responders a deployment has, by the kind of bot they serve. */
export type Responders = Readonly<Partial<Record<ModelSettings['kind'], Responder>>>;

export interface Responder {
  /**
   * Sends the prompt and resolves once the endpoint has accepted it (its headers are here).
   * Aborting `signal` closes the connection at any time.
   * @throws TurnFailure
   */
  open(settings: ModelSettings, prompt: readonly PromptMessage[], signal: AbortSignal): Promise<AnswerStream>;
  /**
   * Resolves once the endpoint answers anything at all. Ollama sends its headers with the first
   * token, after loading the model and reading the prompt, so late headers alone do not tell a
   * busy endpoint from one that is not there.
   * @throws TurnFailure
   */
  reach(settings: ModelSettings, signal: AbortSignal): Promise<void>;
}

/**
 * Why there is no (whole) answer. `message` is for the person who asked: our words, then, after a colon,
 * what the endpoint said, without its key. It may quote the question.
 */
export class TurnFailure extends Error {
  readonly code: TurnErrorCode;
  /** Whether asking the same once more may help; only acted on before the first token. */
  readonly retryable: boolean;

  constructor(code: TurnErrorCode, message: string, retryable = false) {
    super(message);
    this.name = 'TurnFailure';
    this.code = code;
    this.retryable = retryable;
  }
}

/** A failure's sentence without what the endpoint said: fit for people who must not read the question. */
export function ownWords(message: string): string {
  const colon = message.indexOf(': ');
  return colon === -1 ? message : `${message.slice(0, colon)}.`;
}
