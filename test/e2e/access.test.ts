/** Who may do what, in the real runtime: Access, share links, operators' logins, names of the server, limits. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { MAX_MESSAGES_AT_ONCE } from '../../src/protocol/limits.ts';
import { AccessIssuer } from '../support/access-issuer.ts';
import { eventually } from '../support/observe.ts';
import { OPERATOR_TOKEN, RealServer } from '../support/real-server.ts';
import type { Answer, User } from '../support/user.ts';

const SESSION_ID = /^s_[0-9a-f]{32}$/;

function textAt(answer: Answer, key: string): string {
  const { body } = answer;
  const found: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, key) : undefined;
  if (typeof found !== 'string') throw new Error(`no text under "${key}": ${answer.status} ${JSON.stringify(body)}`);
  return found;
}

describe('behind Access', () => {
  let issuer: AccessIssuer;
  let server: RealServer;
  const as = (token: string) => ({ 'cf-access-jwt-assertion': token });

  beforeAll(async () => {
    issuer = await AccessIssuer.start();
    server = await RealServer.start({ simulator: { tokens: 4 }, variables: issuer.variables });
  });
  afterAll(async () => {
    await server.close();
    await issuer.close();
  });

  async function session(token: string): Promise<string> {
    return textAt(await server.user().request('/api/sessions', { body: {}, headers: as(token) }), 'id');
  }

  test('many users at once on a cold start are all let in', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 12 }, (_, index) => issuer.token({ claims: { sub: `p${index}` } })),
    );
    const answers = await Promise.all(
      tokens.map((token) => server.user().request('/api/sessions', { headers: as(token) })),
    );
    expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 200));
    // The promise of one request is waited for by the others, which the runtime allows.
    expect(issuer.asked).toBe(1);
  });

  test('a user has their sessions, by header or cookie, and gets no other cookie; nobody is anonymous', async () => {
    const [mine, theirs] = [
      await issuer.token({ claims: { sub: 'me' } }),
      await issuer.token({ claims: { sub: 'you' } }),
    ];
    const id = await session(mine);
    expect(id).toMatch(SESSION_ID);
    const read = (headers: Record<string, string>) => server.user().request(`/api/sessions/${id}`, { headers });
    expect((await read(as(mine))).status).toBe(200);
    const byCookie = await read({ cookie: `CF_Authorization=${mine}` });
    expect(byCookie.status).toBe(200);
    expect(byCookie.headers.get('set-cookie')).toBeNull();
    expect((await read(as(theirs))).status).toBe(404);
    expect((await read({})).status).toBe(401);
    expect((await server.user().request('/api/sessions', { body: {} })).status).toBe(401);
  });

  test('a token that is forged, expired, for somebody else or unsigned is nothing', async () => {
    const id = await session(await issuer.token());
    const other = await AccessIssuer.start();
    const now = Math.floor(Date.now() / 1_000);
    const bad = [
      await other.token({ claims: { iss: issuer.url } }),
      await issuer.token({ claims: { exp: now - 60 } }),
      await issuer.token({ claims: { nbf: now + 60 } }),
      await issuer.token({ claims: { aud: ['another'] } }),
      await issuer.token({ header: { alg: 'RS512' } }),
      (await issuer.token()).replace(/\.[^.]*$/, '.'),
    ];
    await other.close();
    for (const token of bad) {
      const answer = await server.user().request(`/api/sessions/${id}`, { headers: as(token) });
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    }
    const lines = server.logs.join('\n');
    for (const token of bad) expect(lines).not.toContain(token.split('.')[1]);
  });

  test('a socket ends with the token that opened it, and its client says so instead of trying again', async () => {
    const id = await session(await issuer.token());
    // Believed for 10 s after its end: two of those are left.
    const exp = Math.floor(Date.now() / 1_000) - 8;
    const user = server.user();
    user.cookie = `CF_Authorization=${await issuer.token({ claims: { exp } })}`;
    const wire = user.wire(id);
    await wire.hello();
    const { client, recording } = user.client(id, 'page');
    await eventually(
      () => Promise.resolve(client.view.connection),
      (state) => state === 'live',
      5_000,
    );
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await wire.refused({ type: 'typing' })).toMatchObject({ code: 'unauthorized', retryable: false });
    expect(await wire.closed).toMatchObject({ code: 4401 });
    await client.send('too late');
    const view = await eventually(
      () => Promise.resolve(client.view),
      ({ connection }) => connection === 'closed',
      5_000,
    );
    expect(view.lastError?.code).toBe('unauthorized');
    expect(recording.connections).toHaveLength(1);
    client.close();
    // Whoever connects with it now is told on the socket.
    expect(await user.wire(id).closed).toMatchObject({ code: 4401 });
  });

  test('the group makes an operator', async () => {
    const actor = async (groups: string[]) => {
      const token = await issuer.token({ claims: { custom: { groups } } });
      return server.user().request('/api/operator', { headers: as(token) });
    };
    expect(textAt(await actor(['operators']), 'actor')).toMatch(/^access:/);
    expect((await actor(['staff'])).status).toBe(401);
  });
});

describe('a server of one’s own', () => {
  let server: RealServer;
  let owner: User;
  let session: string;

  beforeAll(async () => {
    server = await RealServer.start({ simulator: { tokens: 4 } });
    owner = server.user();
    session = await owner.session({ title: 'Shared' });
    await owner.post(session, 'm1', 'What is a walrus?', 20);
  });
  afterAll(() => server.close());

  async function share(body: unknown = {}): Promise<{ id: string; token: string }> {
    const answer = await owner.request(`/api/sessions/${session}/share`, { body });
    expect(answer.status).toBe(201);
    return { id: textAt(answer, 'id'), token: new URL(textAt(answer, 'url')).pathname.replace('/shared/', '') };
  }

  test('a share link shows the conversation to anybody until it is revoked', async () => {
    const { id, token } = await share({ expiresInHours: 1 });
    const stranger = server.user();
    const read = () => stranger.request(`/api/shared/${token}`);
    const answer = await read();
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ title: 'Shared', nextCursor: null });
    expect(JSON.stringify(answer.body)).toContain('walrus');
    expect(JSON.stringify(answer.body)).not.toContain(session);
    const listed = JSON.stringify((await owner.request(`/api/sessions/${session}/share`)).body);
    expect(listed).toContain(id);
    expect(listed).not.toContain(token);
    expect((await stranger.request(`/api/sessions/${session}/share/${id}`, { method: 'DELETE' })).status).toBe(401);
    expect((await owner.request(`/api/sessions/${session}/share/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await read()).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(server.logs.join('\n')).not.toContain(token);
  });

  test('links outlive the process and end with the session', async () => {
    const other = await owner.session();
    const answer = await owner.request(`/api/sessions/${other}/share`, { body: {} });
    const path = `/api${new URL(textAt(answer, 'url')).pathname}`;
    await server.kill();
    await server.restart();
    expect((await server.user().request(path)).status).toBe(200);
    await owner.request(`/api/sessions/${other}`, { method: 'DELETE' });
    expect((await server.user().request(path)).status).toBe(404);
  });

  test('an operator logs in and out; the cookie is no use to other sites', async () => {
    const user = server.user();
    const login = await user.request('/api/operator/login', { body: { token: OPERATOR_TOKEN } });
    expect(login.status).toBe(200);
    const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';');
    expect((await user.request('/api/operator', { headers: { cookie } })).body).toEqual({
      operator: true,
      actor: 'login',
    });
    expect((await user.request('/api/health/full', { headers: { cookie } })).status).toBe(200);
    const headers = { cookie, origin: 'https://evil.example' };
    expect((await user.request('/api/operator/logout', { method: 'POST', headers })).status).toBe(403);
    const logout = await user.request('/api/operator/logout', { method: 'POST', headers: { cookie } });
    expect(logout.headers.get('set-cookie')).toMatch(/^sb_operator=;.*Max-Age=0/);
    expect(server.logs.join('\n')).not.toContain(OPERATOR_TOKEN);
  });

  test('a name that somebody else gave this address is refused: page, API and sockets', async () => {
    const { port } = new URL(server.baseUrl);
    for (const path of ['/', '/api/bots', '/operator']) {
      expect(await statusBy(`evil.example:${port}`, path)).toBe(403);
      expect(await statusBy(`localhost:${port}`, path)).not.toBe(403);
    }
    const socket = new WebSocket(`${server.baseUrl.replace('http', 'ws')}/api/sessions/${session}/connect`, {
      headers: { host: `evil.example:${port}`, origin: `http://evil.example:${port}`, cookie: owner.cookie },
    });
    const refused = await new Promise((resolve) => {
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
      socket.on('open', () => resolve('open'));
      socket.on('error', () => {});
    });
    socket.terminate();
    expect(refused).toBe(403);
  });

  test('a session takes so many messages at once, says when to come again, and then takes more', async () => {
    const busy = await owner.session();
    // The same message again and again changes nothing, and counts.
    const answers = await Promise.all(
      Array.from({ length: MAX_MESSAGES_AT_ONCE + 100 }, () => owner.post(busy, 'same', 'text')),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(100);
    for (const { body, headers } of refused) {
      expect(body).toMatchObject({ code: 'rate_limited', retryable: true, id: 'same' });
      expect(headers.get('retry-after')).toBe('1');
    }
    // Another session is not concerned.
    expect((await owner.post(session, 'm2', 'And a seal?')).status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await owner.post(busy, 'same', 'text')).status).toBe(202);
  });

  function statusBy(host: string, path: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.baseUrl);
      const asked = request({ hostname, port, path, headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject);
      asked.end();
    });
  }
});
