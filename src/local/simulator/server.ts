/** The simulator's HTTP server: routes, bodies, counters. Plain `node:http`, no dependency. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { ApiError, nativeError, notFound, openAiError } from './errors.ts';
import { Tries, generate } from './generation.ts';
import type { Endpoint, Shared } from './generation.ts';
import { encodeJson, isObject } from './json.ts';
import type { JsonObject } from './json.ts';
import { LoadedModels, MODELS, findModel, openAiModel, show, tags } from './models.ts';
import { Pace } from './pace.ts';
import { SettingsError, parseSettings } from './settings.ts';
import type { NumberSetting } from './settings.ts';
import { Slots } from './slots.ts';
import { SeenRequests, newStats } from './stats.ts';
import type { Stats } from './stats.ts';

export interface SimulatorOptions extends Partial<Record<NumberSetting, number>> {
  /** 0 (the default) takes a free port. */
  readonly port?: number;
  readonly host?: string;
  /** Generations at a time, the others wait in order; 0 (the default): no limit. */
  readonly parallel?: number;
  /** How many may wait; the next one gets 503. */
  readonly maxQueue?: number;
  /** As in a directive: `cut@5`, several separated by commas. */
  readonly fault?: string | readonly string[];
}

export interface Simulator {
  readonly url: string;
  readonly port: number;
  stats(): Readonly<Stats>;
  /** Ends open answers as a crash would, and frees the port. */
  close(): Promise<void>;
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_MAX_QUEUE = 512;
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Longer than any client's pool keeps a connection: the client closes, never we. */
const KEEP_ALIVE_TIMEOUT_MS = 120_000;
const VERSION = '0.0.0-simulator';
const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** Resolves once it listens; rejects when the port is taken or an option is wrong. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, host = DEFAULT_HOST, parallel = 0, maxQueue, ...settings } = options;
  const core: Core = {
    defaults: parseSettings(settings),
    slots: new Slots(parallel === 0 ? Infinity : parallel, maxQueue ?? DEFAULT_MAX_QUEUE),
    pace: new Pace(),
    loaded: new LoadedModels(),
    tries: new Tries(),
    stats: newStats(),
    seen: new SeenRequests(),
  };
  const server = createServer((request, response) => handle(core, request, response));
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  const actualPort = await listen(server, port, host);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    port: actualPort,
    stats: () => currentStats(core),
    close: () => close(server, core),
  };
}

interface Core extends Shared {
  readonly seen: SeenRequests;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen(port, host, () => {
    server.off('error', reject);
    const address = server.address();
    resolve(typeof address === 'object' && address !== null ? address.port : port);
  });
  return promise;
}

function close(server: Server, core: Core): Promise<void> {
  core.pace.stop();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}

function currentStats(core: Core): Stats {
  return { ...core.stats, inFlight: core.slots.running, queued: core.slots.queued };
}

type Route = (core: Core, call: Call) => void;

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: string;
}

const ROUTES: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  '/': {
    GET: (_core, { response }) => send(response, 200, TEXT_TYPE, 'Ollama is running (Switchboard simulator)'),
  },
  '/api/version': { GET: (_core, { response }) => sendJson(response, 200, { version: VERSION }) },
  '/api/tags': { GET: (_core, { response }) => sendJson(response, 200, tags()) },
  '/api/ps': { GET: (core, { response }) => sendJson(response, 200, core.loaded.list()) },
  '/api/show': { POST: (core, call) => readBody(core, call, (body) => showModel(call, body)) },
  '/api/chat': { POST: generating('chat') },
  '/api/generate': { POST: generating('generate') },
  '/v1/chat/completions': { POST: generating('openai') },
  '/v1/models': {
    GET: (_core, { response }) => sendJson(response, 200, { object: 'list', data: MODELS.map(openAiModel) }),
  },
  '/simulator/stats': {
    GET: (core, { response }) => sendJson(response, 200, currentStats(core)),
  },
  '/simulator/requests': { GET: listRequests },
  // Where the redirect fault leads: only to be seen in the list of requests.
  '/simulator/elsewhere': {
    GET: (_core, { response }) => send(response, 404, TEXT_TYPE, '404 page not found'),
    POST: (core, call) => readBody(core, call, () => pageNotFound(call.response)),
  },
};

/** Ollama answers HEAD on these alone; elsewhere it is a method like any wrong one. */
const HEAD_PATHS = ['/', '/api/version', '/api/tags'];
const MODEL_PATH_PREFIX = '/v1/models/';

function handle(core: Core, request: IncomingMessage, response: ServerResponse): void {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  if (path.startsWith('/api/') || path.startsWith('/v1/')) core.stats.requests += 1;
  const call: Call = { request, response, path, query };
  guarded(call, () => {
    const isModel = path.startsWith(MODEL_PATH_PREFIX);
    const methods: Readonly<Record<string, Route>> | undefined = isModel
      ? { GET: retrieveModel }
      : Object.hasOwn(ROUTES, path)
        ? ROUTES[path]
        : undefined;
    if (methods === undefined) {
      pageNotFound(response);
      return;
    }
    const asked = request.method ?? 'GET';
    const method = asked === 'HEAD' && HEAD_PATHS.includes(path) ? 'GET' : asked;
    const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (route !== undefined) {
      route(core, call);
    } else {
      response.setHeader('allow', Object.keys(methods).join(', '));
      send(response, 405, TEXT_TYPE, '405 method not allowed');
    }
  });
}

/** Runs a handler; what it throws becomes the error body of the API that was called. */
function guarded(call: Call, run: () => void): void {
  try {
    run();
  } catch (error) {
    const { status, message } = describe(error);
    if (call.response.headersSent) {
      call.response.destroy();
      return;
    }
    const isOpenAi = call.path.startsWith('/v1/');
    const body = isOpenAi ? openAiError(status, message) : nativeError(status, message);
    sendJson(call.response, status, body);
  }
}

function describe(error: unknown): { status: number; message: string } {
  if (error instanceof ApiError) return { status: error.status, message: error.message };
  if (error instanceof SettingsError) return { status: 400, message: error.message };
  return { status: 500, message: error instanceof Error ? error.message : String(error) };
}

function generating(endpoint: Endpoint): Route {
  return (core, call) =>
    readBody(core, call, (body) => generate(core, endpoint, body, call.request.headers, call.response));
}

/** Collects the body within its bound and parses it once. */
function readBody(core: Core, call: Call, use: (body: JsonObject) => void): void {
  const { request } = call;
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.on('end', () => {
    guarded(call, () => {
      if (bytes > MAX_BODY_BYTES) throw new ApiError(413, 'http: request body too large');
      const body = parseBody(Buffer.concat(chunks).toString());
      const { method = 'POST', headers } = request;
      core.seen.add({ method, path: call.path, headers, body }, bytes);
      use(body);
    });
  });
}

function parseBody(text: string): JsonObject {
  if (text.trim() === '') throw new ApiError(400, 'missing request body');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, error instanceof Error ? error.message : 'invalid JSON');
  }
  if (!isObject(body)) throw new ApiError(400, 'json: cannot unmarshal into Go value of an object');
  return body;
}

function showModel(call: Call, body: JsonObject): void {
  const asked = body['model'] ?? body['name'] ?? '';
  if (typeof asked !== 'string' || asked === '') throw new ApiError(400, 'model is required');
  const lookup = findModel(asked);
  if (lookup.found === 'invalid') throw new ApiError(400, 'invalid model name');
  if (lookup.found === 'nothing') throw notFound(lookup.fullName);
  sendJson(call.response, 200, show(lookup.model));
}

function retrieveModel(_core: Core, call: Call): void {
  const asked = decodeURIComponent(call.path.slice(MODEL_PATH_PREFIX.length));
  const lookup = findModel(asked);
  if (lookup.found !== 'model') throw notFound(asked);
  sendJson(call.response, 200, { ...openAiModel(lookup.model), id: asked });
}

function listRequests(core: Core, call: Call): void {
  const asked = Number(new URLSearchParams(call.query).get('last') ?? '1');
  if (!Number.isInteger(asked) || asked < 0) {
    throw new ApiError(400, 'last must be a whole number');
  }
  sendJson(call.response, 200, { requests: core.seen.last(asked) });
}

function pageNotFound(response: ServerResponse): void {
  send(response, 404, TEXT_TYPE, '404 page not found');
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, JSON_TYPE, encodeJson(body));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
