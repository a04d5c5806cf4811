import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiError, connectUrl, createApi } from '../../src/client/http.ts';

type Answer = { status?: number; headers?: Record<string, string>; body?: unknown; text?: string; hang?: boolean };

const BOT = { id: 'b', name: 'B', model: 'm' };
const requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
let answer: Answer = {};
let baseUrl = '';

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
  if (answer.hang) return;
  response.writeHead(answer.status ?? 200, answer.headers);
  response.end(answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body)));
}

const server = createServer((request, response) => void serve(request, response));
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address) baseUrl = `http://127.0.0.1:${address.port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const api = (more: Parameters<typeof createApi>[0] = {}) => createApi({ baseUrl, ...more });
const failure = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ApiError) return error;
  throw new Error(`not an ApiError: ${String(error)}`);
};

describe('requests', () => {
  test('createSession posts JSON with the given headers and reads the session', async () => {
    answer = { status: 201, body: { id: 's1', bot: 'b', botRef: BOT, title: '', createdAt: 5, extra: true } };
    const session = await api({ headers: { cookie: 'a=b' } }).createSession({ bot: 'b' });
    expect(session).toEqual({ id: 's1', bot: 'b', botRef: BOT, title: '', createdAt: 5 });
    expect(requests.at(-1)).toMatchObject({
      method: 'POST',
      url: '/api/sessions',
      body: '{"bot":"b"}',
      headers: { cookie: 'a=b', 'content-type': 'application/json' },
    });
  });

  test('lists pass their filters and cursor on and leave out what is not given', async () => {
    const listed = {
      id: 's',
      bot: 'b',
      botRef: BOT,
      title: 't',
      createdAt: 1,
      archived: false,
      folder: '',
      lastAt: 2,
      preview: 'p',
    };
    answer = { body: { sessions: [listed], nextCursor: 'c/+' } };
    expect(await api().listSessions({ archived: false, cursor: 'c/+ 1', limit: 2 })).toEqual(answer.body);
    expect(requests.at(-1)?.url).toBe('/api/sessions?archived=false&cursor=c%2F%2B+1&limit=2');
    answer = {
      body: {
        bots: [{ ...BOT, state: 'running', available: null, more: 1 }],
        nextCursor: null,
        source: { kind: 'simulator' },
      },
    };
    expect(await api().listBots()).toEqual({
      bots: [{ ...BOT, state: 'running', available: null }],
      nextCursor: null,
      source: { kind: 'simulator' },
    });
    expect(requests.at(-1)?.url).toBe('/api/bots');
  });

  test('a page of messages reads both roles; its cursor is a number whether it came as one or as text', async () => {
    const user = { seq: 1, turn: 1, id: 'a', role: 'user', text: 'q', at: 1, status: 'accepted', priority: 0 };
    const bot = { seq: 2, turn: 1, id: '1.1', role: 'bot', text: 'r', at: 1, status: 'failed', attempt: 1 };
    const error = { code: 'connect_timeout', message: 'late' };
    for (const nextCursor of [1, '1', null]) {
      answer = { body: { messages: [user, { ...bot, error }], nextCursor } };
      const page = await api().messagesPage('s 1', { before: 9 });
      expect(page).toEqual({ messages: [user, { ...bot, error }], nextCursor: nextCursor === null ? null : 1 });
    }
    expect(requests.at(-1)?.url).toBe('/api/sessions/s%201/messages?before=9');
  });

  test('search reads hits with their surroundings', async () => {
    const found = { seq: 3, turn: 3, id: 'c', role: 'user', text: 'a word', at: 1, cut: false };
    const excerpt = { text: 'a word', matches: [[2, 6]], cutStart: false, cutEnd: false };
    const hit = { session: { id: 's', title: 't', bot: BOT }, message: found, before: [], after: [found], excerpt };
    answer = { body: { hits: [hit], nextCursor: null } };
    expect(await api().search({ q: 'word', bot: 'b', from: 0 })).toEqual(answer.body);
    expect(requests.at(-1)?.url).toBe('/api/search?q=word&bot=b&from=0');
  });

  test('patch and delete need no body in the answer', async () => {
    answer = { status: 200, body: { id: 's' } };
    await api().patchSession('s', { title: 'x', archived: true });
    expect(requests.at(-1)).toMatchObject({
      method: 'PATCH',
      url: '/api/sessions/s',
      body: '{"title":"x","archived":true}',
    });
    answer = { status: 204 };
    await api().deleteSession('s');
    expect(requests.at(-1)).toMatchObject({ method: 'DELETE', url: '/api/sessions/s', body: '' });
  });
});

describe('refusals', () => {
  test('a problem becomes an ApiError with its code, text and the time to wait', async () => {
    answer = { status: 429, body: { code: 'rate_limited', detail: 'Slow down.', requestId: 'r', retryAfterMs: 1500 } };
    expect(await failure(api().listBots())).toMatchObject({
      code: 'rate_limited',
      status: 429,
      message: 'Slow down.',
      retryAfterMs: 1500,
    });
    answer = { status: 503, headers: { 'retry-after': '2' }, body: { code: 'unavailable', title: 'Busy' } };
    expect(await failure(api().deleteSession('s'))).toMatchObject({ message: 'Busy', retryAfterMs: 2_000 });
    answer = { status: 418, body: { code: 'from_the_future', detail: 'x' } };
    expect(await failure(api().listBots())).toMatchObject({ code: 'internal', status: 418, retryAfterMs: null });
  });

  test.each<Answer>([{ text: '<html>' }, { status: 502, text: '<html>' }, { body: { bots: 1 } }, { body: null }])(
    'what is not of this API is a bad answer: %j',
    async (given) => {
      answer = given;
      expect(await failure(api().listBots())).toMatchObject({ code: 'bad_answer', status: given.status ?? 200 });
    },
  );

  test('no answer is a connection error, in time; an abort is the caller’s own', async () => {
    expect(await failure(createApi({ baseUrl: 'http://127.0.0.1:1' }).listBots())).toMatchObject({
      code: 'connection',
      status: 0,
    });
    answer = { hang: true };
    expect(await failure(api({ timeoutMs: 50 }).listBots())).toMatchObject({
      code: 'connection',
      message: expect.stringMatching(/in time/),
    });
    const controller = new AbortController();
    const search = api().search({ q: 'x' }, controller.signal);
    controller.abort();
    await expect(search).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test('the socket of a session is beside the API', () => {
  expect(connectUrl('https://example.org/page', 's/1')).toBe('wss://example.org/api/sessions/s%2F1/connect');
  expect(connectUrl('http://127.0.0.1:8787', 's')).toBe('ws://127.0.0.1:8787/api/sessions/s/connect');
});
