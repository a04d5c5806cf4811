/**
 * Ollama's native `/api/chat`: NDJSON, one object a line. Preferred over its `/v1`, which knows
 * neither `keep_alive` nor `num_ctx`.
 */
import { globalFetch, mediaType, notJson, reachEndpoint, requestEndpoint, sourceOf } from './endpoint.ts';
import type { Fetch } from './endpoint.ts';
import { malformed, modelFailure, textOf } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';
import type { AnswerChunk, AnswerEnd, ModelSettings, PromptMessage, Responder } from './port.ts';
import { readAnswer } from './read-answer.ts';
import { countOf, isRecord, parseJson } from './shape.ts';

const NDJSON = 'application/x-ndjson';
/** Spellings of NDJSON, and plain JSON: an error before the first token may come with status 200. */
const ACCEPTED_TYPES: ReadonlySet<string> = new Set([
  NDJSON,
  'application/ndjson',
  'application/jsonl',
  'application/json',
]);

export function ollama(fetcher: Fetch = globalFetch): Responder {
  return {
    async open(settings, prompt, signal) {
      const request = {
        url: `${settings.baseUrl}/api/chat`,
        apiKey: settings.apiKey,
        accept: NDJSON,
        body: chatRequest(settings, prompt),
      };
      const response = await requestEndpoint(fetcher, request, signal);
      if (response.body === null || !ACCEPTED_TYPES.has(mediaType(response))) throw notJson(response);
      const lines = new ChatLines(settings.model, settings.apiKey);
      return readAnswer(response.body, lines, sourceOf(settings), signal);
    },
    async reach(settings, signal) {
      await reachEndpoint(fetcher, `${settings.baseUrl}/api/version`, settings.apiKey, signal);
    },
  };
}

function chatRequest(settings: ModelSettings, prompt: readonly PromptMessage[]): Record<string, unknown> {
  const request: Record<string, unknown> = {
    model: settings.model,
    messages: prompt.map((message) => ({ role: message.role, content: message.text })),
    stream: true,
    options: settings.options,
  };
  if (settings.think !== null) request['think'] = settings.think;
  if (settings.keepAlive !== null) request['keep_alive'] = settings.keepAlive;
  return request;
}

/** The lines of one `/api/chat` answer. */
class ChatLines implements LineParser {
  readonly #model: string;
  readonly #apiKey: string | null;

  constructor(model: string, apiKey: string | null) {
    this.#model = model;
    this.#apiKey = apiKey;
  }

  take(line: string, out: AnswerChunk): AnswerEnd | null {
    const value = parseJson(line);
    if (!isRecord(value)) {
      if (value === undefined && line.trim() === '') return null;
      throw malformed();
    }
    const { message, done, error } = value;
    if (error !== undefined) throw modelFailure(error, this.#apiKey);
    if (isRecord(message)) {
      out.text += textOf(message['content']);
      out.thinking += textOf(message['thinking']);
    } else if (done !== true) {
      throw malformed();
    }
    return done === true ? this.#endOf(value) : null;
  }

  /** Only a line with `done` ends an answer: a stream that just stops was cut. */
  finish(): null {
    return null;
  }

  #endOf(value: Readonly<Record<string, unknown>>): AnswerEnd {
    return {
      finish: value['done_reason'] === 'length' ? 'length' : 'stop',
      model: typeof value['model'] === 'string' ? value['model'] : this.#model,
      promptTokens: countOf(value['prompt_eval_count']),
      answerTokens: countOf(value['eval_count']),
      modelMs: millisecondsOf(value['total_duration']),
      writingMs: millisecondsOf(value['eval_duration']),
    };
  }
}

const NANOSECONDS_PER_MS = 1_000_000;

/** Ollama counts in nanoseconds and leaves out zeros. */
function millisecondsOf(duration: unknown): number | null {
  const count = countOf(duration);
  return count === 0 ? null : count / NANOSECONDS_PER_MS;
}
