/** The operator's API over HTTP, with the cookie that the browser holds. */
import * as z from 'zod/mini';
import { jsonOf, queryText, type Query } from '../../../client/request-text.ts';
import { OperatorError, type BotList, type OperatorApi, type Verification } from './ports.ts';
import * as shapes from './shapes.ts';

/** An answer later than this is none: the next poll asks again. */
const TIMEOUT_MS = 8_000;
/** Launching probes the endpoint and loads a model; deleting cuts what runs. */
const ACTION_TIMEOUT_MS = 30_000;
const BOTS_PER_PAGE = 500;
/** Far beyond what one deployment runs; keeps a cursor that goes in circles from asking for ever. */
const MAX_PAGES = 100;
const ENTRIES_PER_PAGE = 50;

interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: unknown;
  timeoutMs?: number;
}

type Ask = <T>(path: string, shape: z.ZodMiniType<T>, call?: Call) => Promise<T>;

const problem = z.object({
  code: z.string(),
  detail: z.optional(z.string()),
  requestId: z.optional(z.string()),
  retryAfterMs: z.optional(z.number()),
});

const check = { ok: z.boolean(), ms: z.number(), error: z.optional(z.string()) };
const health = z.object({
  status: z.string(),
  database: z.object(check),
  objects: z.object(check),
  endpoints: z.array(z.object({ ...check, kind: z.string(), url: z.string(), bots: z.array(z.string()) })),
});
const verification = z.object({
  entries: z.number(),
  broken: z.array(z.object({ bot: z.string(), seq: z.number(), reason: z.string() })),
  nextCursor: z.nullable(z.string()),
});
const operator = z.object({ operator: z.boolean() });

/** `onFailure` hears of every call that fails, before its caller does. */
export function httpApi(onFailure: (error: OperatorError) => void): OperatorApi {
  const noticing = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof OperatorError) onFailure(error);
      throw error;
    }
  };
  const ask: Ask = (path, shape, call = {}) => noticing(read(path, shape, call));
  const tell = (path: string, call: Call) => noticing(discard(path, call));
  const botPath = (id: string, verb?: string) => `/api/bots/${encodeURIComponent(id)}${verb ? `/${verb}` : ''}`;
  return {
    async isOperator() {
      try {
        return (await ask('/api/operator', operator)).operator;
      } catch (error) {
        if (error instanceof OperatorError && error.status === 401) return false;
        throw error;
      }
    },
    login: (token) => tell('/api/operator/login', { method: 'POST', body: { token } }),
    logout: () => tell('/api/operator/logout', { method: 'POST' }),
    bots: () => allBots(ask),
    bot: (id) => ask(botPath(id), shapes.botView),
    status: (id) => ask(botPath(id, 'status'), shapes.botStatus),
    act: (id, action) => ask(botPath(id, action), shapes.botView, { method: 'POST', timeoutMs: ACTION_TIMEOUT_MS }),
    create: (spec) => ask('/api/bots', shapes.botView, { method: 'POST', body: spec, timeoutMs: ACTION_TIMEOUT_MS }),
    update: (id, patch, revision) =>
      ask(botPath(id), shapes.botView, { method: 'PATCH', body: { ...patch, revision }, timeoutMs: ACTION_TIMEOUT_MS }),
    remove: (id) => tell(botPath(id), { method: 'DELETE', timeoutMs: ACTION_TIMEOUT_MS }),
    alerts: (query) => ask('/api/alerts', shapes.alertPage, { query: { ...query, limit: ENTRIES_PER_PAGE } }),
    audit: (query) => ask('/api/audit', shapes.auditPage, { query: { ...query, limit: ENTRIES_PER_PAGE } }),
    verify: (bot) => verifyAll(ask, bot),
    health: () => ask('/api/health/full', health),
  };
}

async function allBots(ask: Ask): Promise<BotList> {
  const bots: shapes.BotRow[] = [];
  let complete = true;
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await ask('/api/bots', shapes.botPage, { query: { limit: BOTS_PER_PAGE, cursor } });
    bots.push(...answer.bots);
    complete &&= answer.complete ?? true;
    if (answer.nextCursor === null) break;
    cursor = answer.nextCursor;
  }
  return { bots, complete };
}

/** The server walks some bots' chains at a time. */
async function verifyAll(ask: Ask, bot: string | null): Promise<Verification> {
  const broken: z.infer<typeof verification>['broken'] = [];
  let entries = 0;
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = { bot: bot ?? undefined, cursor };
    const answer = await ask('/api/audit/verify', verification, { query, timeoutMs: ACTION_TIMEOUT_MS });
    entries += answer.entries;
    broken.push(...answer.broken);
    if (answer.nextCursor === null) break;
    cursor = answer.nextCursor;
  }
  return { entries, broken };
}

async function read<T>(path: string, shape: z.ZodMiniType<T>, call: Call): Promise<T> {
  const response = await send(path, call);
  const parsed = shape.safeParse(await jsonOf(response));
  if (parsed.success) return parsed.data;
  throw new OperatorError('bad_answer', response.status, 'The server gave an answer of an unknown shape.', {
    requestId: response.headers.get('x-request-id'),
    cause: parsed.error,
  });
}

async function discard(path: string, call: Call): Promise<void> {
  const response = await send(path, call);
  await response.body?.cancel();
}

async function send(
  path: string,
  { method = 'GET', query = {}, body, timeoutMs = TIMEOUT_MS }: Call,
): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(`${path}${queryText(query)}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: timeout,
    });
  } catch (cause) {
    const message = timeout.aborted ? 'The server did not answer in time.' : 'The server cannot be reached.';
    throw new OperatorError('connection', 0, message, { cause });
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

async function refusalOf(response: Response): Promise<OperatorError> {
  const { status, headers } = response;
  const parsed = problem.safeParse(await jsonOf(response));
  const headerId = headers.get('x-request-id');
  if (!parsed.success) {
    return new OperatorError('bad_answer', status, `The server answered with status ${status}.`, {
      requestId: headerId,
    });
  }
  const { code, detail, requestId, retryAfterMs } = parsed.data;
  return new OperatorError(code, status, detail ?? `The server refused (${status}).`, {
    requestId: requestId ?? headerId,
    retryAfterMs: retryAfterMs ?? null,
  });
}
