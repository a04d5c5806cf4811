/** The HTTP API as typed calls: an answer of the described shape, or an `ApiError`. */
import * as z from 'zod/mini';
import { REQUEST_ERRORS, type RequestErrorCode } from '../protocol/codes.ts';
import * as shapes from './api-shapes.ts';
import { jsonOf, queryText, type Query } from './request-text.ts';

/**
 * - a code of the wire: the server refused
 * - `connection`: no answer came
 * - `bad_answer`: an answer came that is not of this API, from a proxy's page for example
 */
type ApiErrorCode = RequestErrorCode | 'connection' | 'bad_answer';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;
  /** The HTTP status; 0 where no answer came. */
  readonly status: number;
  /** When another try may succeed; null where the server does not say. */
  readonly retryAfterMs: number | null;

  constructor(
    code: ApiErrorCode,
    status: number,
    message: string,
    more: { retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.status = status;
    this.retryAfterMs = more.retryAfterMs ?? null;
  }
}

export interface ApiOptions {
  /** Where the server is, like `http://127.0.0.1:8787`; default: where the page came from. */
  baseUrl?: string;
  fetch?: typeof fetch;
  /** Sent with every request: a load script's cookie, an operator's token. */
  headers?: Readonly<Record<string, string>>;
  /** How long an answer may take. */
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 15_000;

export interface SessionPatch {
  title?: string;
  bot?: string;
  archived?: boolean;
  folder?: string;
}

/** Every call rejects with an `ApiError`, or with the signal's reason after an abort. */
export interface Api {
  createSession(settings?: { bot?: string; title?: string }): Promise<shapes.ApiSession>;
  listSessions(page?: {
    archived?: boolean;
    folder?: string;
    cursor?: string;
    limit?: number;
  }): Promise<shapes.SessionList>;
  patchSession(session: string, patch: SessionPatch): Promise<void>;
  deleteSession(session: string): Promise<void>;
  messagesPage(session: string, page?: { before?: number; limit?: number }): Promise<shapes.MessagesPage>;
  listBots(page?: { cursor?: string; limit?: number }): Promise<shapes.BotList>;
  bot(id: string): Promise<shapes.ApiBot>;
  botStatus(id: string): Promise<shapes.ApiBotStatus>;
  search(
    query: { q: string; bot?: string; from?: number; to?: number; cursor?: string; limit?: number },
    signal?: AbortSignal,
  ): Promise<shapes.SearchResult>;
}

interface Call {
  method?: 'POST' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

interface Caller {
  /** A call that answers with something of `shape`. */
  ask: <T>(path: string, shape: z.ZodMiniType<T>, call?: Call) => Promise<T>;
  /** A call whose answer does not matter, only that it was not refused. */
  tell: (path: string, call: Call) => Promise<void>;
}

/** For parts of the API that have a file of their own, so that only who needs them loads them. */
export function createCaller(options: ApiOptions = {}): Caller {
  const ask = async <T>(path: string, shape: z.ZodMiniType<T>, call: Call = {}): Promise<T> => {
    const response = await request(options, path, call);
    const parsed = shape.safeParse(await jsonOf(response));
    if (parsed.success) return parsed.data;
    throw new ApiError('bad_answer', response.status, 'The server gave an answer of an unknown shape.');
  };
  const tell = async (path: string, call: Call): Promise<void> => {
    const response = await request(options, path, call);
    await response.body?.cancel();
  };
  return { ask, tell };
}

export function sessionPath(session: string): string {
  return `/api/sessions/${encodeURIComponent(session)}`;
}

export function createApi(options: ApiOptions = {}): Api {
  const { ask, tell } = createCaller(options);
  return {
    createSession: (settings = {}) => ask('/api/sessions', shapes.session, { method: 'POST', body: settings }),
    listSessions: (page = {}) => ask('/api/sessions', shapes.sessionList, { query: { ...page } }),
    patchSession: (session, patch) => tell(sessionPath(session), { method: 'PATCH', body: patch }),
    deleteSession: (session) => tell(sessionPath(session), { method: 'DELETE' }),
    messagesPage: (session, page = {}) =>
      ask(`${sessionPath(session)}/messages`, shapes.messagesPage, { query: { ...page } }),
    listBots: (page = {}) => ask('/api/bots', shapes.botList, { query: { ...page } }),
    bot: (id) => ask(`/api/bots/${encodeURIComponent(id)}`, shapes.bot),
    botStatus: (id) => ask(`/api/bots/${encodeURIComponent(id)}/status`, shapes.botStatus),
    search: (query, signal) => ask('/api/search', shapes.searchResult, { query: { ...query }, signal }),
  };
}

/** Where a session's WebSocket is: `ws` for `http`, `wss` for `https`. */
export function connectUrl(baseUrl: string, session: string): string {
  const url = new URL(`/api/sessions/${encodeURIComponent(session)}/connect`, baseUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

async function request(options: ApiOptions, path: string, call: Call): Promise<Response> {
  const { baseUrl = '', headers = {}, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { method = 'GET', body, signal } = call;
  const send = options.fetch ?? fetch;
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await send(`${baseUrl}${path}${queryText(call.query ?? {})}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const late = timeout.aborted;
    throw new ApiError('connection', 0, late ? 'The server did not answer in time.' : 'The server cannot be reached.', {
      cause,
    });
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

async function refusalOf(response: Response): Promise<ApiError> {
  const { status, headers } = response;
  const parsed = shapes.problem.safeParse(await jsonOf(response));
  if (!parsed.success) return new ApiError('bad_answer', status, `The server answered with status ${status}.`);
  const { code, detail, title } = parsed.data;
  // A newer server may have codes that this client does not know.
  const known = REQUEST_ERRORS.find((candidate) => candidate === code) ?? 'internal';
  const retryAfterMs = parsed.data.retryAfterMs ?? retryAfterOf(headers.get('retry-after'));
  return new ApiError(known, status, detail ?? title ?? `The server refused (${status}).`, { retryAfterMs });
}

/** Only seconds: what this server sends. Null for the other form, a date. */
function retryAfterOf(header: string | null): number | null {
  return header !== null && /^\d+$/.test(header) ? Number(header) * 1_000 : null;
}
