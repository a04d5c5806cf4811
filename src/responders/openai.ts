/**
 * `/v1/chat/completions` as OpenAI defined it and llama.cpp, vLLM, LM Studio and others serve it:
 * server-sent events, each a JSON chunk, then `[DONE]`.
 */
import {
  cleanSentence,
  errorSentence,
  globalFetch,
  mediaType,
  notJson,
  reachEndpoint,
  readText,
  requestEndpoint,
  sourceOf,
} from './endpoint.ts';
import type { Fetch } from './endpoint.ts';
import { malformed, modelFailure, textOf } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';
import { MAX_LINE_BYTES } from './lines.ts';
import { TurnFailure } from './port.ts';
import type { AnswerChunk, AnswerEnd, ModelSettings, PromptMessage, Responder } from './port.ts';
import { readAnswer } from './read-answer.ts';
import { countOf, isRecord, parseJson } from './shape.ts';

const EVENT_STREAM = 'text/event-stream';
/** Bounds on a JSON body that came in place of a stream, read for the error it may hold. */
const MAX_PLAIN_BODY_BYTES = 4 * 1024;
const PLAIN_BODY_TIMEOUT_MS = 2_000;

/** Ollama's names for the options that exist on both sides. */
const SHARED_OPTIONS = ['temperature', 'top_p', 'seed', 'stop', 'presence_penalty', 'frequency_penalty'] as const;

export function openai(fetcher: Fetch = globalFetch): Responder {
  return {
    async open(settings, prompt, signal) {
      const request = {
        url: `${settings.baseUrl}/v1/chat/completions`,
        apiKey: settings.apiKey,
        accept: EVENT_STREAM,
        body: completionRequest(settings, prompt),
      };
      const response = await requestEndpoint(fetcher, request, signal);
      if (response.body === null || mediaType(response) !== EVENT_STREAM) {
        throw await notAStream(response, settings.apiKey, signal);
      }
      const events = new CompletionEvents(settings.model, settings.apiKey);
      return readAnswer(response.body, events, sourceOf(settings), signal);
    },
    async reach(settings, signal) {
      await reachEndpoint(fetcher, `${settings.baseUrl}/v1/models`, settings.apiKey, signal);
    },
  };
}

function completionRequest(settings: ModelSettings, prompt: readonly PromptMessage[]): Record<string, unknown> {
  const request: Record<string, unknown> = {
    model: settings.model,
    messages: prompt.map((message) => ({ role: message.role, content: message.text })),
    stream: true,
    stream_options: { include_usage: true },
  };
  const limit = settings.options['num_predict'];
  // Ollama's -1 and -2 mean no limit, which here is said by leaving it out.
  if (typeof limit === 'number' && limit > 0) request['max_tokens'] = limit;
  for (const name of SHARED_OPTIONS) {
    const value = settings.options[name];
    if (value !== undefined) request[name] = value;
  }
  const effort = reasoningEffort(settings.think);
  if (effort !== null) request['reasoning_effort'] = effort;
  return request;
}

/** `true` has no counterpart and leaves the effort to the model. */
function reasoningEffort(think: ModelSettings['think']): string | null {
  if (think === null || think === true) return null;
  if (think === false) return 'none';
  return think === 'max' ? 'high' : think;
}

/** Some servers answer an error with status 200 and plain JSON. */
async function notAStream(response: Response, apiKey: string | null, signal: AbortSignal): Promise<TurnFailure> {
  if (mediaType(response) !== 'application/json') return notJson(response);
  const { text } = await readText(response, MAX_PLAIN_BODY_BYTES, PLAIN_BODY_TIMEOUT_MS, signal);
  signal.throwIfAborted();
  const said = errorSentence(text);
  if (said === null) return new TurnFailure('endpoint_not_json', 'The endpoint answered, but not with a stream.');
  return new TurnFailure('endpoint_error', `The endpoint refused the request: ${cleanSentence(said, apiKey)}`);
}

/** The events of one answer, put together from lines by the rules for server-sent events. */
class CompletionEvents implements LineParser {
  readonly #apiKey: string | null;
  /** The `data` of the event being read; null before its first `data` line. */
  #data: string | null = null;
  /** Known in parts: the finish reason comes first, the usage in a chunk of its own, then `[DONE]`. */
  readonly #end: AnswerEnd;
  #finished = false;

  constructor(model: string, apiKey: string | null) {
    this.#apiKey = apiKey;
    this.#end = { finish: 'stop', model, promptTokens: 0, answerTokens: 0, modelMs: null, writingMs: null };
  }

  take(raw: string, out: AnswerChunk): AnswerEnd | null {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') return this.#dispatch(out);
    // Comments (keep-alives), `event`, `id` and `retry` say nothing that the data does not.
    if (!line.startsWith('data:')) return null;
    const data = line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5);
    if (this.#data === null) {
      this.#data = data;
    } else if (this.#data.length + data.length > MAX_LINE_BYTES) {
      throw new TurnFailure('line_too_long', `The endpoint sent an event of more than ${MAX_LINE_BYTES} bytes.`);
    } else {
      this.#data += `\n${data}`;
    }
    return null;
  }

  /** Not every server sends `[DONE]`, but each that is done has given its reason to finish. */
  finish(out: AnswerChunk): AnswerEnd | null {
    const end = this.#dispatch(out);
    return end ?? (this.#finished ? this.#end : null);
  }

  #dispatch(out: AnswerChunk): AnswerEnd | null {
    const data = this.#data;
    this.#data = null;
    if (data === null || data === '') return null;
    if (data === '[DONE]') return this.#end;
    const value = parseJson(data);
    if (!isRecord(value)) {
      if (value === undefined && data.trim() === '[DONE]') return this.#end;
      throw malformed();
    }
    if (value['error'] !== undefined && value['error'] !== null) throw modelFailure(value['error'], this.#apiKey);
    if (typeof value['model'] === 'string' && value['model'] !== '') this.#end.model = value['model'];
    if (isRecord(value['usage'])) {
      this.#end.promptTokens = countOf(value['usage']['prompt_tokens']);
      this.#end.answerTokens = countOf(value['usage']['completion_tokens']);
    }
    if (Array.isArray(value['choices'])) this.#takeChoice(value['choices'][0], out);
    return null;
  }

  /** One choice was asked for; the usage chunk has none. */
  #takeChoice(choice: unknown, out: AnswerChunk): void {
    if (choice === undefined) return;
    if (!isRecord(choice)) throw malformed();
    const delta = choice['delta'];
    if (isRecord(delta)) {
      out.text += textOf(delta['content']);
      // Ollama, OpenRouter and newer vLLM say `reasoning`, DeepSeek and llama.cpp `reasoning_content`; some say both.
      out.thinking += textOf(delta['reasoning']) || textOf(delta['reasoning_content']);
    } else if (delta !== undefined && delta !== null) {
      throw malformed();
    }
    const reason = choice['finish_reason'];
    if (typeof reason !== 'string') return;
    if (reason === 'error') throw modelFailure(undefined, this.#apiKey);
    this.#finished = true;
    this.#end.finish = reason === 'length' ? 'length' : 'stop';
  }
}
