/** One generating request from its parsed body to the last byte or the client's leaving. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { composeAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Dialect } from './dialect.ts';
import { ApiError, QUEUE_FULL, notFound, statusText } from './errors.ts';
import type { Fault } from './faults.ts';
import { timestamp } from './json.ts';
import type { JsonObject } from './json.ts';
import { findModel } from './models.ts';
import type { LoadedModels, Model } from './models.ts';
import { chatDialect, generateDialect, loadedBody } from './native.ts';
import { openAiDialect } from './openai.ts';
import type { Pace } from './pace.ts';
import { Player } from './player.ts';
import { readChat, readGenerate, readOpenAi } from './request.ts';
import type { GenerationRequest } from './request.ts';
import { streamScript, wholeScript } from './script.ts';
import type { Step } from './script.ts';
import { DEFAULT_SETTINGS, parseSettings, takeDirective } from './settings.ts';
import type { Settings } from './settings.ts';
import type { Slots } from './slots.ts';
import { splitterFor } from './split.ts';
import type { Stats } from './stats.ts';

export type Endpoint = 'chat' | 'generate' | 'openai';

/** What all generations of one server share. */
export interface Shared {
  readonly defaults: Partial<Settings>;
  readonly slots: Slots;
  readonly pace: Pace;
  readonly loaded: LoadedModels;
  readonly stats: Stats;
  readonly tries: Tries;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const LOGIN_PAGE =
  '<!doctype html><html><head><title>Sign in</title></head>' +
  '<body><h1>Please sign in to the network</h1></body></html>\n';

/** Throws ApiError or SettingsError before anything is written. */
export function generate(
  shared: Shared,
  endpoint: Endpoint,
  body: JsonObject,
  headers: IncomingHttpHeaders,
  response: ServerResponse,
): void {
  const receivedAtMs = performance.now();
  const request = readRequest(endpoint, body);
  const model = pickModel(endpoint, request);
  const directive = takeDirective(lastUserText(request));
  const settings = resolveSettings(shared, [
    model.settings,
    directive.settings,
    parseSettings(headers['x-simulator']),
    parseSettings(request.simulator),
  ]);
  if (request.think === true && !model.thinking && settings.thinkingTokens === null) {
    throw new ApiError(400, `${JSON.stringify(request.model)} does not support thinking`);
  }
  if (request.messages.length === 0 && endpoint !== 'openai') {
    preload(shared, endpoint, request, model, settings, response);
    return;
  }
  const faults = shared.tries.faultsNow(settings, `${request.model}\n${directive.text}`);
  const dialect = makeDialect(shared, endpoint, request);
  if (answerInstead(faults, dialect, response)) {
    shared.stats.generations += 1;
    shared.stats.failed += 1;
    return;
  }
  // All that can throw happens before there is a slot to lose.
  const effective = { ...settings, faults };
  const answer = composeAnswer(request, model, effective, directive.text);
  start({
    shared,
    request,
    model,
    settings: effective,
    answer,
    steps: request.stream ? streamScript(answer, effective) : wholeScript(answer, effective),
    dialect,
    receivedAtMs,
    response,
  });
}

function readRequest(endpoint: Endpoint, body: JsonObject): GenerationRequest {
  if (endpoint === 'chat') return readChat(body);
  return endpoint === 'generate' ? readGenerate(body) : readOpenAi(body);
}

/** The last user message: that is where a directive is looked for. */
function lastUserText(request: GenerationRequest): string {
  return request.messages.findLast((message) => message.role === 'user')?.content ?? '';
}

/** Which error an unknown name gets depends on the endpoint, as in Ollama. */
function pickModel(endpoint: Endpoint, request: GenerationRequest): Model {
  if (request.model === '') {
    throw endpoint === 'generate' ? notFound('') : new ApiError(400, 'model is required');
  }
  const lookup = findModel(request.model);
  if (lookup.found === 'model') return lookup.model;
  throw lookup.found === 'invalid' ? new ApiError(400, 'invalid model name') : notFound(request.model);
}

function resolveSettings(shared: Shared, layers: readonly Partial<Settings>[]): Settings {
  let settings: Settings = { ...DEFAULT_SETTINGS, ...shared.defaults };
  for (const layer of layers) settings = { ...settings, ...layer };
  return settings;
}

function makeDialect(shared: Shared, endpoint: Endpoint, request: GenerationRequest): Dialect {
  if (endpoint === 'chat') return chatDialect(request.model);
  if (endpoint === 'generate') return generateDialect(request.model);
  return openAiDialect(request.model, shared.stats.requests, request.includeUsage);
}

/** No messages: only loads the model, or with `keep_alive: 0` unloads it. */
function preload(
  shared: Shared,
  endpoint: 'chat' | 'generate',
  request: GenerationRequest,
  model: Model,
  settings: Settings,
  response: ServerResponse,
): void {
  const reason = request.keepAliveMs === 0 ? 'unload' : 'load';
  let waitMs = 0;
  if (reason === 'unload') {
    shared.loaded.unload(model);
  } else {
    if (shared.loaded.use(model, request.options)) {
      shared.stats.loads += 1;
      waitMs = settings.loadMs;
    }
    shared.loaded.leave(model, request.keepAliveMs);
  }
  const timer = setTimeout(() => {
    response.writeHead(200, { 'content-type': JSON_TYPE });
    response.end(loadedBody(endpoint, request.model, reason, timestamp()));
  }, waitMs);
  response.once('close', () => clearTimeout(timer));
}

/** Faults that leave no room for a generation; true when one of them has answered. */
function answerInstead(faults: readonly Fault[], dialect: Dialect, response: ServerResponse): boolean {
  for (const fault of faults) {
    switch (fault.name) {
      case 'status': {
        const body = dialect.errorBody(fault.status, fault.message ?? statusText(fault.status));
        response.writeHead(fault.status, body === '' ? {} : { 'content-type': JSON_TYPE });
        response.end(body);
        return true;
      }
      case 'redirect':
        response.writeHead(307, { location: fault.location });
        response.end();
        return true;
      case 'html':
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
        response.end(LOGIN_PAGE);
        return true;
      case 'empty':
        response.writeHead(200, { 'content-type': dialect.streamType });
        response.end();
        return true;
      default:
    }
  }
  return false;
}

interface Start {
  readonly shared: Shared;
  readonly request: GenerationRequest;
  readonly model: Model;
  readonly settings: Settings;
  readonly answer: Answer;
  readonly steps: readonly Step[];
  readonly dialect: Dialect;
  readonly receivedAtMs: number;
  readonly response: ServerResponse;
}

function start(generation: Start): void {
  const { shared, response, model, request } = generation;
  const { slots, stats, loaded } = shared;
  // A client that left already closes no second time: its slot would never come back.
  if (response.destroyed) return;
  let player: Player | null = null;
  let ended = false;

  const ticket = slots.take(() => {
    stats.maxInFlight = Math.max(stats.maxInFlight, slots.running);
    player = play(generation, () => {
      ended = true;
    });
  });
  if (ticket === null) {
    stats.rejected += 1;
    throw new ApiError(503, QUEUE_FULL);
  }
  stats.generations += 1;
  stats.maxQueued = Math.max(stats.maxQueued, slots.queued);

  // `close` comes after the last byte as well as when the client leaves: one place to clean up.
  response.once('close', () => {
    if (player !== null) {
      player.stop();
      loaded.leave(model, request.keepAliveMs);
    }
    if (!ended) stats.aborted += 1;
    ticket.release();
  });
}

function play(generation: Start, onEnd: () => void): Player {
  const { shared, request, model, settings, answer, steps, dialect, receivedAtMs, response } = generation;
  const { stats, pace, loaded } = shared;
  const isLoad = loaded.use(model, request.options);
  if (isLoad) stats.loads += 1;
  const nowMs = performance.now();
  const player = new Player({
    response,
    answer,
    steps,
    dialect,
    pace,
    receivedAtMs,
    loadedAtMs: nowMs + (isLoad ? settings.loadMs : 0),
    headers: responseHeaders(request, settings, dialect),
    tokensPerWrite: settings.tokensPerWrite,
    splitter: splitterFor(settings.faults),
    crlf: settings.faults.some((fault) => fault.name === 'crlf'),
    onTokens(count) {
      stats.tokens += count;
    },
    onEnd(outcome) {
      stats[outcome] += 1;
      onEnd();
    },
  });
  player.advance(nowMs);
  return player;
}

function responseHeaders(request: GenerationRequest, settings: Settings, dialect: Dialect): OutgoingHttpHeaders {
  const wrong = settings.faults.find((fault) => fault.name === 'content-type');
  const right = request.stream ? dialect.streamType : JSON_TYPE;
  const headers = { 'content-type': wrong?.type ?? right };
  // Node would count the bytes of an answer that goes out in one write; Ollama never does.
  return request.stream ? { ...headers, 'transfer-encoding': 'chunked' } : headers;
}

const MAX_TRIES_REMEMBERED = 1_000;

/** Remembers how often the same question was asked, for `faultTimes`. */
export class Tries {
  readonly #counts = new Map<string, number>();

  faultsNow(settings: Settings, question: string): readonly Fault[] {
    if (settings.faultTimes === 0 || settings.faults.length === 0) return settings.faults;
    const count = (this.#counts.get(question) ?? 0) + 1;
    this.#counts.delete(question);
    this.#counts.set(question, count);
    if (this.#counts.size > MAX_TRIES_REMEMBERED) {
      const [oldest] = this.#counts.keys();
      if (oldest !== undefined) this.#counts.delete(oldest);
    }
    return count <= settings.faultTimes ? settings.faults : [];
  }
}
