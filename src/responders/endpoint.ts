/**
 * One HTTP request to a model's endpoint, and what each way of refusing it means. Whatever the
 * endpoint says is quoted bounded and cleaned, since people read it.
 */
import { TurnFailure } from './port.ts';
import { cutText, isRecord, parseJson } from './shape.ts';

/** The part of an error body that is read. */
const MAX_ERROR_BODY_BYTES = 4 * 1024;
/** How long the body of an error may take; the status alone says enough. */
const ERROR_BODY_TIMEOUT_MS = 2_000;
/** The longest sentence of an endpoint that is passed on, in UTF-16 code units. */
const MAX_SENTENCE_LENGTH = 300;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Looked up at each call, so that it is never called with another `this`. */
export const globalFetch: Fetch = (url, init) => fetch(url, init);

export interface EndpointRequest {
  url: string;
  apiKey: string | null;
  accept: string;
  /** Sent by POST as JSON; without it the request is a GET. */
  body?: Readonly<Record<string, unknown>>;
  /** Statuses that are as good as 2xx. */
  accepted?: readonly number[];
}

/** What streams of one kind come from, for remembering how fast they are. */
export function sourceOf({ baseUrl, model }: { baseUrl: string; model: string }): string {
  return `${baseUrl} ${model}`;
}

/**
 * The endpoint's response with a 2xx status, or an accepted one, and a body.
 * @throws TurnFailure for everything else; the signal's reason when it was aborted
 */
export async function requestEndpoint(
  fetcher: Fetch,
  request: EndpointRequest,
  signal: AbortSignal,
): Promise<Response> {
  const response = await send(fetcher, request, signal);
  if (response.ok || request.accepted?.includes(response.status)) return response;
  if (response.status >= 300 && response.status < 400) {
    discard(response);
    // Following it would send prompt and key to an address that nobody configured.
    throw new TurnFailure(
      'endpoint_redirected',
      `The endpoint redirects elsewhere (HTTP ${response.status}); configure its final address.`,
    );
  }
  throw await refusal(response, request.apiKey, signal);
}

/**
 * Resolves when something answers at `url`, whatever it says.
 * @throws TurnFailure `endpoint_unreachable`
 */
export async function reachEndpoint(
  fetcher: Fetch,
  url: string,
  apiKey: string | null,
  signal: AbortSignal,
): Promise<void> {
  discard(await send(fetcher, { url, apiKey, accept: 'application/json' }, signal));
}

async function send(fetcher: Fetch, request: EndpointRequest, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { accept: request.accept };
  if (request.apiKey !== null) headers['authorization'] = `Bearer ${request.apiKey}`;
  const init: RequestInit = { method: 'GET', headers, redirect: 'manual', signal };
  if (request.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.method = 'POST';
    init.body = JSON.stringify(request.body);
  }
  signal.throwIfAborted();
  if (!URL.canParse(request.url)) {
    throw new TurnFailure('endpoint_unreachable', 'The configured address of the endpoint is not a URL.');
  }
  try {
    return await fetcher(request.url, init);
  } catch {
    signal.throwIfAborted();
    throw new TurnFailure('endpoint_unreachable', 'The endpoint could not be reached.', true);
  }
}

/** The media type of a response without its parameters, in lower case. */
export function mediaType(response: Response): string {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  return type.trim().toLowerCase();
}

/** The failure of an answer of another kind than asked for, e.g. a login page. Closes the response. */
export function notJson(response: Response): TurnFailure {
  discard(response);
  const type = cleanSentence(mediaType(response), null) || 'no content type';
  return new TurnFailure(
    'endpoint_not_json',
    `The endpoint does not answer like a model's (${type}); is its address right?`,
  );
}

/** Closes a response whose body is not wanted. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}

async function refusal(response: Response, apiKey: string | null, signal: AbortSignal): Promise<TurnFailure> {
  const { text } = await readText(response, MAX_ERROR_BODY_BYTES, ERROR_BODY_TIMEOUT_MS, signal);
  signal.throwIfAborted();
  const { status } = response;
  const said = cleanSentence(errorSentence(text) ?? plainSentence(response, text), apiKey);
  const because = said === '' ? '.' : `: ${said}`;
  switch (status) {
    case 401:
    case 403:
      return new TurnFailure('endpoint_unauthorized', `The endpoint refuses access (HTTP ${status})${because}`);
    case 404:
      return saysModelIsMissing(said)
        ? new TurnFailure('model_not_found', `The endpoint does not have the model${because}`)
        : new TurnFailure('endpoint_error', `The endpoint does not know this request (HTTP 404)${because}`);
    case 429:
    case 502:
    case 503:
    case 504:
      return new TurnFailure('endpoint_busy', `The endpoint is busy (HTTP ${status})${because}`, true);
    default:
      return new TurnFailure('endpoint_error', `The endpoint refused the request (HTTP ${status})${because}`);
  }
}

/** Ollama says `model 'x' not found`, OpenAI and vLLM that the model does not exist. */
function saysModelIsMissing(sentence: string): boolean {
  return /\bmodels?\b/i.test(sentence) && /not found|not exist/i.test(sentence);
}

/** The sentence inside an error body: `{error}`, `{error: {message}}`, `{message}` or `{detail}`. */
export function errorSentence(text: string): string | null {
  const value = parseJson(text);
  return isRecord(value) ? (sentenceOf(value['error']) ?? sentenceOf(value)) : null;
}

/** The sentence in an `error` field, which may be a string or an object; null when there is none. */
export function sentenceOf(error: unknown): string | null {
  if (typeof error === 'string') return error;
  if (!isRecord(error)) return null;
  if (typeof error['message'] === 'string') return error['message'];
  return typeof error['detail'] === 'string' ? error['detail'] : null;
}

function plainSentence(response: Response, text: string): string {
  return mediaType(response) === 'text/plain' ? text : '';
}

/** An endpoint's words made fit for people: one line, bounded, without control characters or the key. */
export function cleanSentence(text: string, apiKey: string | null): string {
  const shown = apiKey === null || apiKey === '' ? text : text.replaceAll(apiKey, '***');
  const line = cutText(shown, MAX_SENTENCE_LENGTH * 4)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  return line.length <= MAX_SENTENCE_LENGTH ? line : `${cutText(line, MAX_SENTENCE_LENGTH - 1)}…`;
}

/**
 * The body's text, at most `maxBytes` of it; `complete` says whether that is all. Never throws for
 * what the endpoint does, and always closes the response.
 */
export async function readText(
  response: Response,
  maxBytes: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ text: string; complete: boolean }> {
  if (response.body === null) return { text: '', complete: true };
  const reader = response.body.getReader();
  const stop = (): void => {
    stopped = true;
    reader.cancel().catch(() => undefined);
  };
  let stopped = false;
  const timer = setTimeout(stop, timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    while (bytes < maxBytes) {
      const { value, done } = await reader.read();
      if (done) return { text: text + decoder.decode(), complete: !stopped };
      text += decoder.decode(value.subarray(0, maxBytes - bytes), { stream: true });
      bytes += value.length;
    }
    return { text, complete: false };
  } catch {
    return { text, complete: false };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    reader.cancel().catch(() => undefined);
  }
}
