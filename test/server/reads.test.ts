import { describe, expect, it } from 'vitest';
import { newUser } from '../../src/auth/cookie.ts';
import { cookieOf, ENDPOINT_URL, harness, problemOf, TOKEN, userMessage, withSession } from './harness.ts';

const operator = { headers: { authorization: `Bearer ${TOKEN}` } };

describe('health', () => {
  it('leans on nothing', async () => {
    const broken = () => Promise.reject(new Error('down'));
    const history = {
      listSessions: broken,
      searchMessages: broken,
      listAlerts: broken,
      readBots: broken,
      listDefinitions: broken,
      listAudit: broken,
      auditHeads: broken,
      auditHead: broken,
      listBotSnapshots: broken,
      ping: broken,
    };
    const h = harness({}, { history });
    h.endpoint.up = false;
    const response = await h.app.request('/api/health');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok' });
  });

  it('in full is for operators', async () => {
    for (const headers of [{}, { authorization: `Bearer ${TOKEN}x` }]) {
      const response = await harness().app.request('/api/health/full', { headers: new Headers(headers) });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
      expect(await problemOf(response)).toMatchObject({ code: 'unauthorized' });
    }
  });

  it('in full is closed to everybody while there is no token, and says so', async () => {
    const response = await harness({ OPERATOR_TOKEN: '' }).app.request('/api/health/full', operator);
    expect(response.status).toBe(401);
    expect((await problemOf(response))['detail']).toContain('OPERATOR_TOKEN');
  });

  it('in full says which part is down', async () => {
    const h = harness();
    expect(await (await h.app.request('/api/health/full', operator)).json()).toMatchObject({
      status: 'ok',
      database: { ok: true },
      objects: { ok: true },
      endpoints: [{ kind: 'ollama', url: ENDPOINT_URL, bots: ['default'], ok: true }],
    });
    h.endpoint.up = false;
    h.deps.history.ping = () => Promise.reject(new Error('no'));
    expect(await (await h.app.request('/api/health/full', operator)).json()).toMatchObject({
      status: 'degraded',
      database: { ok: false },
      objects: { ok: true },
      endpoints: [{ ok: false, error: 'Nobody there.' }],
    });
  });
});

describe('bots', () => {
  it('are listed to everybody, without the address of their endpoint', async () => {
    const response = await harness().app.request('/api/bots');
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({
      bots: [
        { id: 'default', name: 'Assistant', model: 'llama3.2', state: 'running', available: false },
        { id: 'llama3-2-3b', name: 'llama3.2:3b', model: 'llama3.2:3b', state: 'running', available: true },
      ],
      nextCursor: null,
      source: { kind: 'ollama' },
      endpoint: { reachable: true },
      complete: true,
    });
    expect(text).not.toContain('10.9.8.7');
    expect(response.headers.has('set-cookie')).toBe(false);
  });

  it('show the address to operators', async () => {
    const response = await harness().app.request('/api/bots', operator);
    expect(await response.json()).toMatchObject({ source: { kind: 'ollama', url: ENDPOINT_URL } });
  });

  it('say that a simulator answers', async () => {
    const response = await harness({ MODEL_SOURCE: 'simulator' }).app.request('/api/bots');
    expect(await response.json()).toMatchObject({ source: { kind: 'simulator' } });
  });

  it('are the configured ones while the endpoint is down, which is said', async () => {
    const h = harness();
    h.endpoint.up = false;
    const response = await h.app.request('/api/bots');
    expect(response.status).toBe(200);
    // What the endpoint said is for operators.
    const { endpoint, bots } = await response.json();
    expect(bots).toMatchObject([{ id: 'default', available: null }]);
    expect(endpoint).toEqual({ reachable: false });
    expect(await (await h.app.request('/api/bots', operator)).json()).toMatchObject({
      endpoint: { reachable: false, error: 'The endpoint could not be reached.' },
    });
  });

  it('keep prompts and keys to themselves', async () => {
    const BOTS = '[{"id":"spy","name":"Spy","systemPrompt":"the hidden prompt","apiKeyVariable":"SPY_API_KEY"}]';
    const { app } = harness({ BOTS, SPY_API_KEY: 'the-hidden-key' });
    for (const path of ['/api/bots', '/api/bots/spy', '/api/bots/spy/status']) {
      const response = await app.request(path);
      expect(response.status).toBe(200);
      expect(await response.text()).not.toContain('hidden');
      expect(await (await app.request(path, operator)).text()).not.toContain('the-hidden-key');
    }
  });

  it('are looked at one by one', async () => {
    const { app } = harness();
    expect(await (await app.request('/api/bots/llama3-2-3b')).json()).toMatchObject({ model: 'llama3.2:3b' });
    expect(await (await app.request('/api/bots/default/status')).json()).toMatchObject({
      id: 'default',
      state: 'running',
      model: 'llama3.2',
    });
    for (const path of ['/api/bots/nobody', '/api/bots/NO/status', '/api/bots/__proto__']) {
      const response = await app.request(path);
      expect(response.status).toBe(404);
      expect(await problemOf(response)).toMatchObject({ code: 'bot_not_found' });
    }
  });
});

describe('export', () => {
  async function exported(format: string, count: number, title = 'Plans') {
    const h = harness();
    const { id, cookie, path } = await withSession(h);
    const session = h.session(id);
    if (session.summary) session.summary = { ...session.summary, title };
    // Some places of the log are no messages.
    session.log = Array.from({ length: count }, (_, i) => userMessage(3 * i + 2, `m${i}`, `text ${i}`));
    return h.app.request(`${path}/export${format}`, { headers: { cookie } });
  }

  it.each([0, 1, 66, 67, 200, 201, 450])('as JSON has all of %d messages once and in order', async (count) => {
    const response = await exported('?format=json', count);
    expect(response.headers.get('content-type')).toBe('application/json');
    const body: unknown = JSON.parse(await response.text());
    const expected = Array.from({ length: count }, (_, i) => expect.objectContaining({ id: `m${i}` }));
    expect(body).toMatchObject({ session: { title: 'Plans' }, messages: expected });
  });

  it('is markdown by default, as a file named after the title', async () => {
    const response = await exported('', 3, 'Plans: "größer"/\r\nX-Evil: 1');
    expect(response.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    const disposition = response.headers.get('content-disposition');
    expect(disposition).toBe(
      `attachment; filename="Plans gr_er X-Evil 1.md"; filename*=UTF-8''Plans%20gr%C3%B6%C3%9Fer%20X-Evil%201.md`,
    );
    expect(await response.text()).toContain('text 2');
  });

  it('has a name whatever the title is', async () => {
    for (const title of ['', '///', 'half \ud83d']) {
      const disposition = (await exported('', 1, title)).headers.get('content-disposition');
      expect(disposition).toMatch(/^attachment; filename="[\w .-]+\.md"; filename\*=UTF-8''[\w%.-]+\.md$/);
    }
  });

  it('refuses other formats', async () => {
    const response = await exported('?format=pdf', 1);
    expect(response.status).toBe(400);
    expect((await problemOf(response))['detail']).toContain('"format"');
  });

  it('breaks off rather than look complete when a page is missing', async () => {
    const h = harness();
    const { id, cookie, path } = await withSession(h);
    const session = h.session(id);
    session.log = Array.from({ length: 400 }, (_, i) => userMessage(i + 2, `m${i}`, `text ${i}`));
    const response = await h.app.request(`${path}/export?format=json`, { headers: { cookie } });
    session.crash = true;
    await expect(response.text()).rejects.toThrow();
  });
});

describe('search', () => {
  async function asked(query: string, cookie = cookieOf(newUser())) {
    const seen: unknown[] = [];
    const h = harness();
    h.deps.history.searchMessages = (_, search) => {
      seen.push(search);
      return Promise.resolve({ hits: [], nextCursor: null });
    };
    const response = await h.app.request(`/api/search?${query}`, { headers: { cookie } });
    return { response, seen };
  }

  it('passes on what is looked for', async () => {
    const { seen } = await asked('q=red%20fox&bot=default&from=5&to=2026-11-21T10:00:00Z&limit=5&cursor=abc');
    const to = Date.UTC(2026, 10, 21, 10);
    expect(seen).toEqual([{ query: 'red fox', bot: 'default', from: 5, to, limit: 5, cursor: 'abc' }]);
  });

  it('takes days whole: from the beginning of one to the end of the other', async () => {
    const { seen } = await asked('q=x&from=2026-11-20&to=2026-11-21');
    expect(seen).toMatchObject([{ from: Date.UTC(2026, 10, 20), to: Date.UTC(2026, 10, 22) }]);
  });

  it.each([
    '',
    'q=',
    `q=${'x'.repeat(501)}`,
    'q=x&limit=21',
    'q=x&from=yesterday',
    'q=x&to=2026-13-01',
    'q=x&to=2026-11-21T10:00',
  ])('refuses ?%s', async (query) => {
    const { response, seen } = await asked(query);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: 'bad_request' });
    expect(seen).toEqual([]);
  });

  it('finds nothing for a caller without a cookie', async () => {
    const { response, seen } = await asked('q=x', '');
    expect(await response.json()).toEqual({ hits: [], nextCursor: null });
    expect(seen).toEqual([]);
  });

  it('is unavailable while D1 is down', async () => {
    const h = harness();
    h.deps.history.searchMessages = () => Promise.reject(new Error('D1_ERROR: down'));
    const response = await h.app.request('/api/search?q=x', { headers: { cookie: cookieOf(newUser()) } });
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ code: 'unavailable', retryable: true });
  });
});
