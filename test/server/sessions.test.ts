import { describe, expect, it } from 'vitest';
import { newUser } from '../../src/auth/cookie.ts';
import { HistoryError } from '../../src/history/error.ts';
import type { ListedSession, SessionPage } from '../../src/history/list.ts';
import { cookieOf, harness, postJson, problemOf, SECRET, stringAt, withSession } from './harness.ts';

const listed: ListedSession = {
  id: `s_${'0'.repeat(32)}`,
  bot: { id: 'default', name: 'Assistant', model: 'llama3.2' },
  title: 'First',
  archived: false,
  folder: '',
  createdAt: 1,
  lastAt: 2,
  lastMessage: { seq: 2, turn: 2, id: 'a', role: 'user', status: 'accepted', at: 2, text: 'hello', cut: false },
};

describe('making a session', () => {
  it('gives an anonymous caller a signed cookie, by which they are known again', async () => {
    const h = harness();
    const created = await h.app.request('/api/sessions', postJson({ title: 'Plans' }));
    expect(created.status).toBe(201);
    const body: unknown = await created.json();
    expect(body).toEqual({
      id: expect.stringMatching(/^s_[0-9a-f]{32}$/),
      bot: 'default',
      botRef: { id: 'default', name: 'Assistant', model: 'llama3.2' },
      title: 'Plans',
      archived: false,
      folder: '',
      createdAt: 1_700_000_000_000,
    });
    expect(created.headers.get('location')).toBe(`/api/sessions/${stringAt(body, 'id')}`);
    const cookie = created.headers.get('set-cookie')?.split(';')[0] ?? '';
    const again = await h.app.request(`/api/sessions/${stringAt(body, 'id')}`, { headers: { cookie } });
    expect(await again.json()).toEqual(body);
  });

  it('leaves the cookie of a known caller as it is', async () => {
    const h = harness();
    const user = newUser();
    const created = await h.app.request('/api/sessions', { method: 'POST', headers: { cookie: cookieOf(user) } });
    expect(created.headers.has('set-cookie')).toBe(false);
    expect([...h.sessions.values()].map(({ owner }) => owner)).toEqual([user]);
  });

  it('takes a forged cookie for none: a new user, never the one it names', async () => {
    const h = harness();
    const victim = newUser();
    const forged = cookieOf(victim, `${SECRET}-of-somebody-else`);
    const created = await h.app.request('/api/sessions', { method: 'POST', headers: { cookie: forged } });
    expect(created.status).toBe(201);
    expect(created.headers.has('set-cookie')).toBe(true);
    expect([...h.sessions.values()][0]?.owner).not.toBe(victim);
  });

  it('marks the cookie Secure on https only', async () => {
    const { app } = harness();
    const make = (url: string) => app.request(url, { method: 'POST' });
    expect((await make('https://localhost/api/sessions')).headers.get('set-cookie')).toContain('; Secure');
    expect((await make('http://localhost/api/sessions')).headers.get('set-cookie')).not.toContain('; Secure');
  });

  it('takes a bot that the endpoint offers', async () => {
    const created = await harness().app.request('/api/sessions', postJson({ bot: 'llama3-2-3b' }));
    expect(await created.json()).toMatchObject({ bot: 'llama3-2-3b', botRef: { model: 'llama3.2:3b' } });
  });

  it.each(['nobody', '', '../default', '__proto__', 'x'.repeat(1000)])(
    'refuses the unknown bot %j and touches no object',
    async (bot) => {
      const h = harness();
      const response = await h.app.request('/api/sessions', postJson({ bot }));
      expect(response.status).toBe(404);
      expect(await problemOf(response)).toMatchObject({ code: 'bot_not_found' });
      expect(h.sessions.size).toBe(0);
    },
  );

  it('works with the default bot while the endpoint is down; of other bots it says that it cannot tell', async () => {
    const h = harness();
    h.endpoint.up = false;
    expect((await h.app.request('/api/sessions', { method: 'POST' })).status).toBe(201);
    const other = await h.app.request('/api/sessions', postJson({ bot: 'llama3-2-3b' }));
    expect(other.status).toBe(503);
    expect(await problemOf(other)).toMatchObject({ code: 'unavailable', retryable: true });
    // What cannot be an id needs no endpoint to tell.
    expect((await h.app.request('/api/sessions', postJson({ bot: '__proto__' }))).status).toBe(404);
  });
});

describe('a session', () => {
  const anyId = `/api/sessions/s_${'a'.repeat(32)}`;
  const calls = [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['GET', '/messages'],
    ['POST', '/messages'],
    ['GET', '/export'],
  ] as const;
  const init = (method: string, cookie: string): RequestInit => {
    const headers = { cookie, 'content-type': 'application/json' };
    if (method === 'POST') return { method, headers, body: '{"id":"m1","text":"hi"}' };
    return method === 'PATCH' ? { method, headers, body: '{"title":"mine now"}' } : { method, headers };
  };

  it.each(calls)('is closed to %s%s without a valid cookie', async (method, path) => {
    const h = harness();
    const forged = cookieOf(newUser(), `${SECRET}-of-somebody-else`);
    for (const cookie of ['', forged]) {
      const response = await h.app.request(`${anyId}${path}`, init(method, cookie));
      expect(response.status).toBe(401);
      expect(await problemOf(response)).toMatchObject({ code: 'unauthorized' });
    }
    expect(h.sessions.size).toBe(0);
  });

  it.each(calls)('of another user looks to %s%s exactly as one that does not exist', async (method, path) => {
    const h = harness();
    const foreign = await withSession(h);
    const cookie = cookieOf(newUser());
    const seen = await h.app.request(`${foreign.path}${path}`, init(method, cookie));
    const unknown = await h.app.request(`${anyId}${path}`, init(method, cookie));
    expect(seen.status).toBe(404);
    const [one, other] = [await problemOf(seen), await problemOf(unknown)];
    expect(one).toMatchObject({ code: 'session_not_found' });
    expect({ ...one, requestId: '' }).toEqual({ ...other, requestId: '' });
    expect(h.session(foreign.id).summary?.title).toBe('');
  });

  it.each(['x', 's_', `s_${'a'.repeat(31)}`, `s_${'A'.repeat(32)}`, `s_${'a'.repeat(33)}`, 'health', '%00', '..%2f..'])(
    'cannot be called %s: no object comes into being',
    async (id) => {
      const h = harness();
      for (const [method, path] of calls) {
        const response = await h.app.request(`/api/sessions/${id}${path}`, init(method, cookieOf(newUser())));
        expect(response.status).toBe(404);
      }
      expect(h.sessions.size).toBe(0);
    },
  );

  it('is renamed, filed, archived and given another bot', async () => {
    const h = harness();
    const { path, cookie } = await withSession(h);
    const patch = { title: 'New', folder: 'Work', archived: true, bot: 'llama3-2-3b' };
    const response = await h.app.request(path, { ...postJson(patch, { cookie }), method: 'PATCH' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ ...patch, botRef: { model: 'llama3.2:3b' } });
  });

  it.each<[unknown, number, string]>([
    [{}, 400, 'bad_request'],
    [{ archived: 'yes' }, 400, 'bad_request'],
    [{ folder: 'f'.repeat(101) }, 400, 'bad_request'],
    [{ owner: 'u_me' }, 400, 'bad_request'],
    [{ createdAt: 0 }, 400, 'bad_request'],
    [{ bot: 'nobody' }, 404, 'bot_not_found'],
    ['', 400, 'bad_request'],
  ])('is not changed by %j', async (patch, status, code) => {
    const h = harness();
    const { id, path, cookie } = await withSession(h);
    const before = h.session(id).summary;
    const response = await h.app.request(path, { ...postJson(patch, { cookie }), method: 'PATCH' });
    expect(response.status).toBe(status);
    expect(await problemOf(response)).toMatchObject({ code });
    expect(h.session(id).summary).toBe(before);
  });

  it('is gone once deleted', async () => {
    const h = harness();
    const { path, cookie } = await withSession(h);
    const remove = () => h.app.request(path, { method: 'DELETE', headers: { cookie } });
    expect((await remove()).status).toBe(204);
    expect((await remove()).status).toBe(404);
  });

  it('whose object crashed is unavailable for a second, and says nothing of what broke', async () => {
    const h = harness();
    const { id, path, cookie } = await withSession(h);
    h.session(id).crash = true;
    const response = await h.app.request(path, { headers: { cookie } });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ code: 'unavailable', retryable: true });
    expect(h.reports.map(({ event }) => event)).toEqual(['session_call_failed']);
    expect(JSON.stringify([problem, h.reports])).not.toContain('private');
  });
});

describe('the list of sessions', () => {
  function withHistory(answer: () => Promise<SessionPage>) {
    const asked: unknown[] = [];
    const h = harness();
    h.deps.history.listSessions = (user, page) => {
      asked.push({ user, ...page });
      return answer();
    };
    return { h, asked };
  }
  const page: SessionPage = { sessions: [listed], nextCursor: 'next' };

  it("is the caller's, with what each was last about", async () => {
    const { h, asked } = withHistory(() => Promise.resolve(page));
    const user = newUser();
    const response = await h.app.request('/api/sessions', { headers: { cookie: cookieOf(user) } });
    expect(asked).toEqual([{ user, limit: 50 }]);
    expect(await response.json()).toEqual({
      sessions: [
        {
          id: listed.id,
          bot: 'default',
          botRef: listed.bot,
          title: 'First',
          archived: false,
          folder: '',
          createdAt: 1,
          lastAt: 2,
          preview: 'hello',
        },
      ],
      nextCursor: 'next',
    });
  });

  it('renews the cookie of the caller, who would else be forgotten after 400 days', async () => {
    const { h } = withHistory(() => Promise.resolve(page));
    const cookie = cookieOf(newUser());
    const response = await h.app.request('/api/sessions', { headers: { cookie } });
    expect(response.headers.get('set-cookie')).toContain(cookie);
  });

  it('is empty for a caller without a cookie, who gets none for looking', async () => {
    const { h, asked } = withHistory(() => Promise.resolve(page));
    const forged = cookieOf(newUser(), `${SECRET}-of-somebody-else`);
    for (const cookie of ['', forged]) {
      const response = await h.app.request('/api/sessions', { headers: { cookie } });
      expect(await response.json()).toEqual({ sessions: [], nextCursor: null });
      expect(response.headers.has('set-cookie')).toBe(false);
    }
    expect(asked).toEqual([]);
  });

  it('is filtered and paged', async () => {
    const { h, asked } = withHistory(() => Promise.resolve(page));
    const user = newUser();
    const query = 'archived=false&folder=Work&bot=default&cursor=abc&limit=100&unknown=1&limit=7';
    await h.app.request(`/api/sessions?${query}`, { headers: { cookie: cookieOf(user) } });
    expect(asked).toEqual([{ user, archived: false, folder: 'Work', bot: 'default', cursor: 'abc', limit: 100 }]);
  });

  it.each(['limit=0', 'limit=101', 'limit=-1', 'limit=1.5', 'limit=1e1', 'limit=', 'limit=x', 'archived=yes'])(
    'refuses %s, naming it',
    async (query) => {
      const { h } = withHistory(() => Promise.resolve(page));
      const response = await h.app.request(`/api/sessions?${query}`, { headers: { cookie: cookieOf(newUser()) } });
      expect(response.status).toBe(400);
      expect((await problemOf(response))['detail']).toContain(query.split('=')[0]);
    },
  );

  it('refuses a cursor that is not its own', async () => {
    const { h } = withHistory(() => Promise.reject(new HistoryError('bad_request', 'The cursor is not ours.')));
    const response = await h.app.request('/api/sessions', { headers: { cookie: cookieOf(newUser()) } });
    expect(await problemOf(response)).toMatchObject({ status: 400, code: 'bad_request' });
  });

  it('is unavailable while D1 is down, and conversations go on', async () => {
    // As Drizzle wraps it: its own message lists the parameters.
    const cause = new Error('D1_ERROR: no such table: sessions');
    const failed = new Error('Failed query: select ... params: my private text', { cause });
    const { h } = withHistory(() => Promise.reject(failed));
    const { path, cookie } = await withSession(h);
    const response = await h.app.request('/api/sessions', { headers: { cookie } });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await problemOf(response)).toMatchObject({ code: 'unavailable', retryable: true });
    // What D1 says names tables, never values: operators need it.
    expect(h.reports[0]?.fields['error']).toContain('no such table: sessions');
    expect(JSON.stringify(h.reports)).not.toContain('private');
    const send = postJson({ id: 'm1', text: 'still here?' }, { cookie });
    expect((await h.app.request(`${path}/messages`, send)).status).toBe(202);
  });
});
