/** What an endpoint offers and whether it is there, for the list of bots and for health checks. */
import { discard, globalFetch, notJson, readText, requestEndpoint } from './endpoint.ts';
import type { Fetch } from './endpoint.ts';
import { TurnFailure } from './port.ts';
import { isRecord, parseJson } from './shape.ts';

/** A list of models is far below this; more is not one. */
const MAX_LIST_BYTES = 1024 * 1024;
/** Models beyond this many are not listed. */
const MAX_MODELS = 1_000;
/** Longest name of a model, in UTF-16 code units; others are left out. */
const MAX_MODEL_NAME_LENGTH = 200;
/** How long the body of a list may take once its headers are here. */
const LIST_TIMEOUT_MS = 5_000;
/** An answer to `probe` beyond this is not read. */
const MAX_VERSION_BYTES = 4 * 1024;

/** An endpoint that can be asked over HTTP; Workers AI needs no asking. */
export interface Endpoint {
  kind: 'ollama' | 'openai';
  /** Without a trailing slash. */
  baseUrl: string;
  apiKey: string | null;
}

/** So says a gateway that passes on chats and nothing else: it is there, and its models are for the operator to know. */
const NOT_LISTED = [404, 405, 501];

export interface ModelInfo {
  model: string;
  /** Ollama's words (`completion`, `thinking`, `vision`, `embedding`, ...); empty where it does not say. */
  capabilities: readonly string[];
}

/**
 * The endpoint's models in its own order. Bound the time with `signal`, e.g. `AbortSignal.timeout(5_000)`.
 * @throws TurnFailure; the signal's reason when it was aborted
 */
export async function listModels(
  endpoint: Endpoint,
  signal: AbortSignal,
  fetcher: Fetch = globalFetch,
): Promise<ModelInfo[]> {
  const isOllama = endpoint.kind === 'ollama';
  const response = await get(endpoint, isOllama ? '/api/tags' : '/v1/models', signal, fetcher);
  const { text, complete } = await readText(response, MAX_LIST_BYTES, LIST_TIMEOUT_MS, signal);
  signal.throwIfAborted();
  if (!complete) throw new TurnFailure('endpoint_error', 'The list of models is too long or did not arrive in time.');
  const value = parseJson(text);
  const list = isRecord(value) ? value[isOllama ? 'models' : 'data'] : undefined;
  // Ollama's /v1 says null for an empty list.
  if (list === null) return [];
  if (!Array.isArray(list)) throw notJson(response);
  return list.slice(0, MAX_MODELS).flatMap((entry) => modelOf(entry, isOllama ? 'model' : 'id'));
}

function modelOf(entry: unknown, nameField: string): ModelInfo[] {
  if (!isRecord(entry)) return [];
  const model = entry[nameField] ?? entry['name'];
  if (typeof model !== 'string' || model === '' || model.length > MAX_MODEL_NAME_LENGTH) return [];
  const said: unknown = entry['capabilities'];
  const capabilities = Array.isArray(said) ? said.filter((word) => typeof word === 'string') : [];
  return [{ model, capabilities }];
}

/**
 * Resolves when the endpoint is there and speaks its protocol: with Ollama's version, or null for others.
 * It answers at once even while a model is being loaded. Bound the time with `signal`.
 * @throws TurnFailure; the signal's reason when it was aborted
 */
export async function probe(
  endpoint: Endpoint,
  signal: AbortSignal,
  fetcher: Fetch = globalFetch,
): Promise<string | null> {
  if (endpoint.kind === 'openai') {
    discard(await get(endpoint, '/v1/models', signal, fetcher, NOT_LISTED));
    return null;
  }
  const response = await get(endpoint, '/api/version', signal, fetcher);
  const { text } = await readText(response, MAX_VERSION_BYTES, LIST_TIMEOUT_MS, signal);
  signal.throwIfAborted();
  const value = parseJson(text);
  if (!isRecord(value) || typeof value['version'] !== 'string') throw notJson(response);
  return value['version'].slice(0, MAX_MODEL_NAME_LENGTH);
}

function get(
  { baseUrl, apiKey }: Endpoint,
  path: string,
  signal: AbortSignal,
  fetcher: Fetch,
  accepted: readonly number[] = [],
): Promise<Response> {
  return requestEndpoint(fetcher, { url: `${baseUrl}${path}`, apiKey, accept: 'application/json', accepted }, signal);
}
