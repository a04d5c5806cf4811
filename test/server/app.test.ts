import { describe, expect, it } from 'vitest';
import { REQUEST_ERRORS } from '../../src/protocol/codes.ts';
import { STATUS } from '../../src/server/problem.ts';
import { addressKey } from '../../src/auth/address.ts';
import { FRIEND, harness, limiterOf, ORIGIN, postJson, problemOf, withSession } from './harness.ts';

describe('every error is a problem', () => {
  it('has a status for every code', () => {
    for (const code of REQUEST_ERRORS) expect(STATUS[code]).toBeGreaterThanOrEqual(400);
  });

  it.each([
    '/api',
    '/api/nothing',
    '/api/health/more',
    '/webhooks/x',
    '/v1/models',
    '/metrics/more',
    '/ollama/api/tags',
  ])('answers 404 not_found for the data path %s, never a page', async (path) => {
    const response = await harness().app.request(path);
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ code: 'not_found', retryable: false });
  });

  it('answers 405 with Allow where the path is known and the method is not', async () => {
    const response = await harness().app.request('/api/sessions', { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
    expect(await problemOf(response)).toMatchObject({ code: 'method_not_allowed' });
  });

  it('hides what broke from the client and the text of the error from the log', async () => {
    const h = harness(
      {},
      { fetchAsset: () => Promise.reject(new SyntaxError('Unexpected token in "my private text"')) },
    );
    const response = await h.app.request('/');
    expect(response.status).toBe(500);
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ code: 'internal' });
    expect(JSON.stringify(problem)).not.toContain('private');
    expect(h.reports).toHaveLength(1);
    const [report] = h.reports;
    expect(report?.fields).toMatchObject({ requestId: problem['requestId'], error: 'SyntaxError', method: 'GET' });
    expect(JSON.stringify(report)).not.toContain('private');
  });

  it('gives every request an id of its own, whatever the client says', async () => {
    const { app } = harness();
    const headers = { 'x-request-id': 'chosen' };
    const ids = [await app.request('/api/health', { headers }), await app.request('/api/health', { headers })].map(
      (response) => response.headers.get('x-request-id'),
    );
    expect(new Set([...ids, 'chosen']).size).toBe(3);
    const response = await app.request('/api/nothing', { headers });
    expect((await problemOf(response))['requestId']).toBe(response.headers.get('x-request-id'));
  });
});

describe('origins', () => {
  const changing = [
    ['POST', ''],
    ['PATCH', '/x'],
    ['DELETE', '/x'],
    ['POST', '/x/messages'],
  ] as const;

  it.each(changing)('refuses %s sessions%s from a page of another origin', async (method, path) => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const response = await harness().app.request(`/api/sessions${path}`, { method, headers: new Headers(headers) });
      expect(response.status).toBe(403);
      expect(await problemOf(response)).toMatchObject({ code: 'origin_forbidden' });
    }
  });

  it('lets the own pages, allowed origins and scripts through', async () => {
    const { app } = harness();
    for (const headers of [{ origin: ORIGIN }, { origin: FRIEND }, { 'x-no-origin': '1' }]) {
      const response = await app.request('/api/sessions', { method: 'POST', headers: new Headers(headers) });
      expect(response.status).toBe(201);
    }
  });

  it('lets pages of allowed origins, and no others, read answers', async () => {
    const { app } = harness();
    const friend = await app.request('/api/health', { headers: { origin: FRIEND } });
    expect(friend.headers.get('access-control-allow-origin')).toBe(FRIEND);
    expect(friend.headers.get('access-control-allow-credentials')).toBe('true');
    expect(friend.headers.get('vary')).toContain('origin');
    const other = await app.request('/api/health', { headers: { origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('answers the preflight of allowed origins only', async () => {
    const { app } = harness();
    const ask = (origin: string) => app.request('/api/sessions', { method: 'OPTIONS', headers: { origin } });
    const friend = await ask(FRIEND);
    expect(friend.status).toBe(204);
    expect(friend.headers.get('access-control-allow-methods')).toContain('DELETE');
    expect(friend.headers.get('access-control-allow-origin')).toBe(FRIEND);
    const other = await ask('https://evil.example');
    expect(other.status).toBe(405);
    expect(other.headers.get('access-control-allow-methods')).toBeNull();
  });
});

describe('headers', () => {
  it('let a page run its own scripts and nothing else', async () => {
    const response = await harness().app.request('/');
    const policy = response.headers.get('content-security-policy')?.split('; ') ?? [];
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'"]),
    );
    expect(policy).toEqual(expect.arrayContaining(["frame-ancestors 'none'", "form-action 'none'"]));
    expect(policy.join()).not.toContain('unsafe');
    expect(response.headers.get('content-type')).toBe('text/html');
  });

  it('let data be neither run, framed, guessed at nor kept', async () => {
    for (const path of ['/api/health', '/api/nothing']) {
      const { headers } = await harness().app.request(path);
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('ask for https only on https', async () => {
    const { app } = harness();
    expect((await app.request('http://localhost/')).headers.has('strict-transport-security')).toBe(false);
    expect((await app.request('https://localhost/')).headers.has('strict-transport-security')).toBe(true);
  });

  it('leave the cache rules of the page’s files alone', async () => {
    const asset = new Response('x', { headers: { 'cache-control': 'public, max-age=60' } });
    const { app } = harness({}, { fetchAsset: () => Promise.resolve(asset) });
    expect((await app.request('/app.js')).headers.get('cache-control')).toBe('public, max-age=60');
  });
});

describe('pages', () => {
  it('are kept by browsers for good when their name changes with their content, and only then', async () => {
    const caching = async (path: string, status = 200) => {
      const { app } = harness({}, { fetchAsset: () => Promise.resolve(new Response('x', { status })) });
      return (await app.request(path)).headers.get('cache-control') ?? '';
    };
    expect(await caching('/assets/main-ABC.js')).toContain('immutable');
    expect(await caching('/')).not.toContain('immutable');
    expect(await caching('/assets/gone.js', 404)).not.toContain('immutable');
  });

  it('come from the assets, by GET and HEAD only', async () => {
    const asked: string[] = [];
    const fetchAsset = (request: Request) => {
      asked.push(new URL(request.url).pathname);
      return Promise.resolve(new Response('page'));
    };
    const { app } = harness({}, { fetchAsset });
    for (const path of ['/', '/operator', '/assets/app.js']) {
      expect(await (await app.request(path)).text()).toBe('page');
    }
    expect((await app.request('/', { method: 'HEAD' })).status).toBe(200);
    expect((await app.request('/', { method: 'POST' })).status).toBe(405);
    expect(asked).toEqual(['/', '/operator', '/assets/app.js', '/']);
  });

  it('are not looked for under data paths', async () => {
    const { app } = harness({}, { fetchAsset: () => Promise.reject(new Error('asked the assets')) });
    expect((await app.request('/api/../api/x')).status).toBe(404);
    expect((await app.request('/api/health')).status).toBe(200);
  });
});

describe('rate limits', () => {
  const from = (address: string) => ({ 'cf-connecting-ip': address });

  it('refuse what is too much from one address, and say when to come back', async () => {
    const h = harness({}, { writeLimit: limiterOf(1) });
    const create = (address: string) => h.app.request('/api/sessions', { method: 'POST', headers: from(address) });
    expect((await create('192.0.2.1')).status).toBe(201);
    const second = await create('192.0.2.1');
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('10');
    expect(await problemOf(second)).toMatchObject({ code: 'rate_limited', retryable: true });
    expect((await create('192.0.2.2')).status).toBe(201);
  });

  it('do not count reads', async () => {
    const h = harness({}, { writeLimit: limiterOf(0) });
    expect((await h.app.request('/api/sessions', { headers: from('192.0.2.1') })).status).toBe(200);
  });

  it('count connections apart', async () => {
    const h = harness({}, { connectLimit: limiterOf(0) });
    const { path, cookie } = await withSession(h);
    const headers = { cookie, upgrade: 'websocket', ...from('192.0.2.1') };
    expect((await h.app.request(`${path}/connect`, { headers })).status).toBe(429);
    expect((await h.app.request(path, { headers: { cookie } })).status).toBe(200);
  });

  it('let everybody through when the counter itself fails', async () => {
    const h = harness({}, { writeLimit: { limit: () => Promise.reject(new Error('down')) } });
    expect((await h.app.request('/api/sessions', { method: 'POST', headers: from('192.0.2.1') })).status).toBe(201);
  });

  it('count a whole IPv6 network as one, and nobody on the own machine', () => {
    expect(addressKey('192.0.2.7')).toBe('192.0.2.7');
    expect(addressKey('2001:db8:1:2:aaaa::1')).toBe('2001:db8:1:2::/64');
    expect(addressKey('2001:DB8:0001:2:bbbb:cccc:dddd:eeee')).toBe('2001:db8:1:2::/64');
    expect(addressKey('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(addressKey('127.0.0.1')).toBeNull();
    expect(addressKey('::1')).toBeNull();
    expect(addressKey(null)).toBeNull();
  });
});

describe('bodies', () => {
  const refusalOf = async (init: RequestInit) => {
    const response = await harness().app.request('/api/sessions', init);
    return { status: response.status, ...(await problemOf(response)) };
  };

  it('hold at most 64 KB', async () => {
    const init = postJson({ title: 'x'.repeat(64 * 1024) });
    expect(await refusalOf(init)).toMatchObject({ status: 413, code: 'body_too_large' });
    const fits = postJson(`{"title":"t"}${' '.repeat(64 * 1024 - 13)}`);
    expect((await harness().app.request('/api/sessions', fits)).status).toBe(201);
  });

  it('hold at most 64 KB when they come in chunks of unknown number, of which no more is read', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(8 * 1024).fill(0x20));
      },
    });
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } };
    expect(await refusalOf(init)).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(pulled).toBeLessThan(20);
  });

  it('are refused unread when they announce more', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { 'content-type': 'application/json', 'content-length': String(64 * 1024 + 1) };
    const init = { method: 'POST', body, duplex: 'half', headers };
    expect(await refusalOf(init)).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(pulled).toBe(0);
  });

  it.each([
    ['no JSON', '{"title":'],
    ['text after the JSON', '{} {}'],
    ['a bare word', 'undefined'],
  ])('are bad_json: %s', async (_, text) => {
    expect(await refusalOf(postJson(text))).toMatchObject({ status: 400, code: 'bad_json' });
  });

  it('are bad_json when they are not UTF-8', async () => {
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
    expect(await refusalOf(init)).toMatchObject({ status: 400, code: 'bad_json' });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    'are JSON by name, too, not %j',
    async (type) => {
      const init = postJson('{}', { 'content-type': type });
      expect(await refusalOf(init)).toMatchObject({ status: 400, code: 'bad_request' });
    },
  );

  it('may name their encoding', async () => {
    const init = postJson('{}', { 'content-type': 'Application/JSON; charset=utf-8' });
    expect((await harness().app.request('/api/sessions', init)).status).toBe(201);
  });

  it.each<[string, unknown, string]>([
    ['a wrong type', { title: 5 }, 'title'],
    ['null for a text', { bot: null }, 'bot'],
    ['a title too long', { title: 'x'.repeat(201) }, 'title'],
    ['half of a surrogate pair', '{"title":"\\ud800"}', 'title'],
    ['an unknown field', { titel: 'x' }, 'titel'],
    ['__proto__', '{"__proto__":{"title":"x"}}', '__proto__'],
    ['constructor', '{"constructor":{"prototype":{"title":"x"}}}', 'constructor'],
    ['an array', [], 'shape'],
    ['null', 'null', 'shape'],
    ['a number', '1', 'shape'],
  ])('are bad_request naming what is wrong: %s', async (_, body, named) => {
    const problem = await refusalOf(postJson(body));
    expect(problem).toMatchObject({ status: 400, code: 'bad_request' });
    expect(JSON.stringify(problem)).toContain(named);
  });

  it('may be as deep as fits in 64 KB and are refused all the same', async () => {
    const deep = `{"title":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect(await refusalOf(postJson(deep))).toMatchObject({ status: 400, code: 'bad_request' });
  });

  it('never come back in the refusal', async () => {
    const problem = await refusalOf(postJson({ title: { secret: 'my private text' } }));
    expect(JSON.stringify(problem)).not.toContain('private');
  });
});
