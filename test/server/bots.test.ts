/** The API of bots over the app, with real bots behind it. Rules of src/bots/SPEC.md. */
import { describe, expect, it, vi } from 'vitest';
import { cookieOf, harness, postJson, problemOf, TOKEN, type Harness } from './harness.ts';
import { newUser } from '../../src/auth/cookie.ts';

const authorization = `Bearer ${TOKEN}`;
const operator = { headers: { authorization } };
const MADE = { id: 'made', name: 'Made', model: 'own', systemPrompt: 'The hidden prompt.' };

const post = (h: Harness, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  h.app.request(
    path,
    body === undefined
      ? { method: 'POST', headers: { authorization, ...headers } }
      : postJson(body, { authorization, ...headers }),
  );
const patch = (h: Harness, path: string, body: unknown, headers: Record<string, string> = {}) =>
  h.app.request(path, { ...postJson(body, { authorization, ...headers }), method: 'PATCH' });
const read = async (h: Harness, path: string, init: RequestInit = operator): Promise<Record<string, unknown>> => {
  const response = await h.app.request(path, init);
  expect(response.status).toBe(200);
  return response.json();
};

async function withMade(variables: Record<string, string> = {}): Promise<Harness> {
  const h = harness(variables);
  expect((await post(h, '/api/bots', MADE)).status).toBe(201);
  return h;
}

async function launched(): Promise<Harness> {
  const h = await withMade();
  await post(h, '/api/bots/made/launch');
  await vi.waitFor(async () => expect(await read(h, '/api/bots/made')).toMatchObject({ state: 'running' }));
  return h;
}

describe('making a bot', () => {
  it('answers with it, stopped, and it is listed and found at once', async () => {
    const h = harness();
    const response = await post(h, '/api/bots', MADE);
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe('/api/bots/made');
    expect(response.headers.get('etag')).toBe('"1"');
    expect(await response.json()).toMatchObject({ id: 'made', state: 'stopped', revision: 1, spec: { model: 'own' } });
    const { bots } = await read(h, '/api/bots', {});
    expect(bots).toContainEqual({ id: 'made', name: 'Made', model: 'own', state: 'stopped', available: null });
    const session = await h.app.request('/api/sessions', postJson({ bot: 'made' }));
    expect(await session.json()).toMatchObject({ bot: 'made', botRef: { name: 'Made', model: 'own' } });
  });

  it('says what is wrong, by field, and asks no object then', async () => {
    const h = harness();
    const control = vi.spyOn(h.bots.runtimes, 'get');
    for (const [body, field] of [
      [{ ...MADE, id: 'NO' }, '"id"'],
      [{ ...MADE, concurrency: 0 }, '"concurrency"'],
      [{ ...MADE, endpoint: 'http://169.254.169.254' }, '"endpoint"'],
      [{ ...MADE, apiKey: 'k' }, '"apiKey"'],
      [[], ''],
      ['not json', ''],
    ] as const) {
      const response = await post(h, '/api/bots', body);
      expect(response.status).toBe(400);
      expect((await problemOf(response))['detail']).toContain(field);
    }
    expect(control).not.toHaveBeenCalled();
  });

  it('of an id that is taken is refused: made, configured, or a model', async () => {
    const h = await withMade();
    for (const id of ['made', 'default', 'llama3-2-3b']) {
      const response = await post(h, '/api/bots', { ...MADE, id });
      expect(response.status).toBe(409);
      expect(await problemOf(response)).toMatchObject({ code: 'bot_exists' });
    }
  });
});

describe('B7: changing a bot', () => {
  it('takes the revision from If-Match or the body, and refuses an older one', async () => {
    const h = await withMade();
    const first = await patch(h, '/api/bots/made', { name: 'Two' }, { 'if-match': '"1"' });
    expect(first.headers.get('etag')).toBe('"2"');
    expect(await first.json()).toMatchObject({ name: 'Two', revision: 2 });
    for (const late of [
      await patch(h, '/api/bots/made', { name: 'Three' }, { 'if-match': 'W/"1"' }),
      await patch(h, '/api/bots/made', { name: 'Three', revision: 1 }),
    ]) {
      expect(late.status).toBe(409);
      expect(await problemOf(late)).toMatchObject({ code: 'stale_base' });
    }
    expect((await patch(h, '/api/bots/made', { name: 'Three', revision: 2 })).status).toBe(200);
    expect((await patch(h, '/api/bots/made', { name: 'Four' }, { 'if-match': '*' })).status).toBe(200);
  });

  it('refuses what is no revision and what changes nothing', async () => {
    const h = await withMade();
    for (const [body, headers] of [
      [{}, {}],
      [{ revision: 1 }, {}],
      [{ name: 'x', revision: 'one' }, {}],
      [{ name: 'x', revision: -1 }, {}],
      [{ name: 'x' }, { 'if-match': 'one' }],
      [{ name: 'x', revision: 1 }, { 'if-match': '"2"' }],
      [{ id: 'other' }, {}],
      [{ model: null, name: null }, {}],
    ] as const) {
      expect((await patch(h, '/api/bots/made', body, headers)).status).toBe(400);
    }
  });

  it('works for a configured bot, and deleting the change brings the configured one back', async () => {
    const h = harness();
    expect(await (await patch(h, '/api/bots/default', { systemPrompt: 'Rhyme.' })).json()).toMatchObject({
      revision: 1,
      spec: { id: 'default', systemPrompt: 'Rhyme.' },
    });
    expect((await h.app.request('/api/bots/default', { method: 'DELETE', headers: { authorization } })).status).toBe(
      204,
    );
    expect(await read(h, '/api/bots/default')).toMatchObject({ spec: null, state: 'running' });
    const again = await h.app.request('/api/bots/default', { method: 'DELETE', headers: { authorization } });
    expect(again.status).toBe(400);
  });
});

describe('launching and stopping', () => {
  it('are actions that may be repeated', async () => {
    const h = await launched();
    for (const [action, state] of [
      ['pause', 'paused'],
      ['pause', 'paused'],
      ['resume', 'running'],
      ['stop', 'stopped'],
      ['stop', 'stopped'],
    ] as const) {
      const response = await post(h, `/api/bots/made/${action}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ state });
    }
    expect((await post(h, '/api/bots/made/pause')).status).toBe(400);
    expect((await post(h, '/api/bots/made/explode')).status).toBe(404);
    expect((await post(h, '/api/bots/nobody/launch')).status).toBe(404);
  });

  it('1,000 launches at once are one entry in the log', async () => {
    const h = await withMade();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => post(h, '/api/bots/made/launch')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(h.bots.entries.map(({ action }) => action)).toEqual(['create', 'launch']);
  });

  it('name who did it', async () => {
    const h = await launched();
    expect(h.bots.entries.map(({ actor }) => actor)).toEqual(['token', 'token']);
  });
});

describe('deleting', () => {
  it('ends the bot: not listed, not found, no session can be made with it', async () => {
    const h = await launched();
    expect((await h.app.request('/api/bots/made', { method: 'DELETE', headers: { authorization } })).status).toBe(204);
    for (const path of ['/api/bots/made', '/api/bots/made/status']) {
      expect((await h.app.request(path, operator)).status).toBe(404);
      expect((await h.app.request(path)).status).toBe(404);
    }
    expect(JSON.stringify(await read(h, '/api/bots'))).not.toContain('made');
    expect((await h.app.request('/api/sessions', postJson({ bot: 'made' }))).status).toBe(404);
    expect((await h.app.request('/api/bots/made', { method: 'DELETE', headers: { authorization } })).status).toBe(404);
  });
});

describe('status', () => {
  it('has the shape that clients rely on', async () => {
    const h = await launched();
    const shape = { id: 'made', state: 'running', running: 0, queued: 0, connections: 0, lastError: null };
    expect(await read(h, '/api/bots/made/status')).toMatchObject(shape);
    const seen = await read(h, '/api/bots/made/status', {});
    expect(seen).toMatchObject(shape);
    expect(typeof seen['uptimeMs']).toBe('number');
  });
});

describe('B27: who sees what', () => {
  const WRITES = [
    ['POST', '/api/bots'],
    ['PATCH', '/api/bots/made'],
    ['DELETE', '/api/bots/made'],
    ...['launch', 'stop', 'pause', 'resume'].map((action) => ['POST', `/api/bots/made/${action}`] as const),
  ] as const;

  it.each(WRITES)('%s %s is for operators', async (method, path) => {
    const h = await withMade();
    const writes = h.bots.entries.length;
    for (const headers of [{}, { cookie: cookieOf(newUser()) }, { authorization: `Bearer ${TOKEN}x` }]) {
      const body = JSON.stringify({ ...MADE, id: 'more' });
      const response = await h.app.request(path, {
        method,
        body: method === 'DELETE' ? null : body,
        headers: new Headers({ 'content-type': 'application/json', ...headers }),
      });
      expect(response.status).toBe(401);
    }
    expect(h.bots.entries.length).toBe(writes);
  });

  it("users see no prompt, no address, no sentence of an endpoint, nobody else's session", async () => {
    const h = await launched();
    h.bots.world.endpointUp = false;
    const call = {
      session: 's_private',
      user: 'u_private',
      bot: { id: 'made', name: 'Made', model: 'own' },
      claim: null,
      ended: [],
      connections: 1,
      rowsWritten: 0,
      undeliveredMs: 0,
      restarts: 0,
      silentCloses: 0,
      revision: 1,
    };
    const report = {
      outcome: 'failed',
      code: 'endpoint_error',
      message: 'a private sentence',
      promptTokens: 0,
      answerTokens: 0,
      waitedMs: 0,
      firstTokenMs: 0,
      totalMs: 1,
      overheadMs: null,
    } as const;
    for (let turn = 1; turn <= 5; turn += 1) {
      await h.bots.control('made').attend({ ...call, ended: [{ turn, attempt: 1, ...report }] });
    }
    const operators = JSON.stringify([await read(h, '/api/bots/made'), await read(h, '/api/bots/made/status')]);
    for (const word of ['a private sentence', 's_private', 'The hidden prompt.']) expect(operators).toContain(word);
    await vi.waitFor(() => expect(h.bots.rows.get('made')).toMatchObject({ state: 'degraded' }));
    for (const path of ['/api/bots', '/api/bots/made', '/api/bots/made/status']) {
      const text = JSON.stringify(await read(h, path, {}));
      expect(text).toContain('degraded');
      for (const word of ['private', 'hidden', '10.9.8.7']) expect(text).not.toContain(word);
    }
    expect(await read(h, '/api/bots/made/status', {})).toMatchObject({ lastError: { code: 'endpoint_error' } });
  });

  it('an id that a user made up brings no object into being', async () => {
    const h = harness();
    for (const path of ['/api/bots/guess-1', '/api/bots/guess-1/status'])
      expect((await h.app.request(path)).status).toBe(404);
    expect((await h.app.request('/api/sessions', postJson({ bot: 'guess-1' }))).status).toBe(404);
    expect(h.bots.runtimes.size).toBe(0);
  });
});

describe('the list', () => {
  it('pages by cursor, each bot once; operators see figures', async () => {
    const h = harness();
    for (let n = 0; n < 25; n += 1) await post(h, '/api/bots', { ...MADE, id: `b-${String(n).padStart(2, '0')}` });
    const ids: unknown[] = [];
    for (let cursor = ''; ;) {
      const page = await read(h, `/api/bots?limit=10${cursor}`);
      const bots = page['bots'] as Record<string, unknown>[];
      ids.push(...bots.map(({ id }) => id));
      if (typeof page['nextCursor'] !== 'string') break;
      cursor = `&cursor=${page['nextCursor']}`;
    }
    expect(ids.length).toBe(27);
    expect(new Set(ids).size).toBe(27);
    const { bots } = await read(h, '/api/bots?cursor=b-23&limit=1');
    expect(bots).toMatchObject([
      { id: 'b-24', revision: 1, running: 0, queued: 0, breaker: 'closed', stats: { replies: 0 } },
    ]);
    for (const query of ['?limit=0', '?limit=501', '?limit=x', '?cursor=NO']) {
      expect((await h.app.request(`/api/bots${query}`, operator)).status).toBe(400);
    }
  });

  it('goes on without D1, and so do launching, stopping and making sessions', async () => {
    const h = await launched();
    h.bots.world.d1Up = false;
    expect(await read(h, '/api/bots', {})).toMatchObject({
      complete: false,
      bots: [{ id: 'default' }, { id: 'llama3-2-3b' }],
    });
    expect(await (await post(h, '/api/bots/made/stop')).json()).toMatchObject({ state: 'stopped' });
    expect(await read(h, '/api/bots/made')).toMatchObject({ state: 'stopped' });
    expect((await h.app.request('/api/sessions', postJson({ bot: 'made' }))).status).toBe(201);
    expect((await h.app.request('/api/sessions', postJson({ bot: 'guess' }))).status).toBe(503);
  });

  it('says that a bot does not answer just now when its object breaks', async () => {
    const h = await launched();
    h.bots.world.objectsUp = false;
    const response = await h.app.request('/api/bots/made', operator);
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ code: 'unavailable', retryable: true });
    expect(h.reports.map(({ event }) => event)).toContain('bot_call_failed');
  });
});

it('the full health check lists the endpoint of every bot, made ones too', async () => {
  const h = harness({ ALLOWED_ENDPOINTS: 'http://10.0.0.7:9000' });
  await post(h, '/api/bots', { ...MADE, endpoint: 'http://10.0.0.7:9000' });
  await post(h, '/api/bots', { ...MADE, id: 'second' });
  expect(await read(h, '/api/health/full')).toMatchObject({
    status: 'ok',
    endpoints: [
      { url: 'http://10.9.8.7:11434', bots: ['default', 'second'], ok: true },
      { url: 'http://10.0.0.7:9000', bots: ['made'], ok: true },
    ],
  });
  h.bots.world.d1Up = false;
  expect(await read(h, '/api/health/full')).toMatchObject({ endpoints: [{ bots: ['default'] }] });
});
