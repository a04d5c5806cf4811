/** Has an endpoint load a bot's model, so that the first answer does not wait for it. */
import { discard, globalFetch, notJson, readText, requestEndpoint, type Fetch } from '../responders/endpoint.ts';
import { TurnFailure, type ModelSettings } from '../responders/port.ts';
import { isRecord, parseJson } from '../responders/shape.ts';

/** What Ollama answers to a request that asks for nothing is a few hundred bytes. */
const MAX_ANSWER_BYTES = 16 * 1024;
/** Once its headers are here, the answer is, too. */
const BODY_TIMEOUT_MS = 5_000;

/**
 * Resolves when the model is loaded; at once for endpoints that have no such thing as loading. Bound the
 * time with `signal`: a large model takes minutes.
 * @throws TurnFailure; the signal's reason when it was aborted
 */
export async function preload(
  settings: ModelSettings,
  signal: AbortSignal,
  fetcher: Fetch = globalFetch,
): Promise<void> {
  if (settings.kind !== 'ollama') return;
  const { baseUrl, apiKey, model, options, keepAlive } = settings;
  const body: Record<string, unknown> = { model, messages: [], stream: false, options };
  // The same options as the turns to come: with others Ollama would load the model again.
  if (keepAlive !== null) body['keep_alive'] = keepAlive;
  const request = { url: `${baseUrl}/api/chat`, apiKey, accept: 'application/json', body };
  const response = await requestEndpoint(fetcher, request, signal);
  const { text } = await readText(response, MAX_ANSWER_BYTES, BODY_TIMEOUT_MS, signal);
  signal.throwIfAborted();
  discard(response);
  const value = parseJson(text);
  if (!isRecord(value)) throw notJson(response);
  if (value['error'] !== undefined) throw new TurnFailure('model_error', 'The endpoint could not load the model.');
}
