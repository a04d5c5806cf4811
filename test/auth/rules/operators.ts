/** Operators: by token, by login, by their group at Access. */
import assert from 'node:assert/strict';
import { Authenticator } from '../../../src/auth/identity.ts';
import { loginCookie } from '../../../src/auth/operator-cookie.ts';
import { AccessIssuer } from '../../support/access-issuer.ts';
import { FRIEND, harness, postJson, problemOf, SECRET, TOKEN, type Harness } from '../../server/harness.ts';
import type { Rules } from './rule.ts';

const HOUR_MS = 3_600_000;
const WRONG = 'a-wrong-token-0123456789';

function request(h: Harness, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return Promise.resolve(h.app.request(path, { headers }));
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function login(h: Harness, token = TOKEN, headers: Record<string, string> = {}): Promise<Response> {
  return h.app.request('/api/operator/login', postJson({ token }, headers));
}

/** The Cookie header that a login gives. */
async function loggedIn(h: Harness): Promise<string> {
  const response = await login(h);
  assert.equal(response.status, 200);
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

async function actorOf(h: Harness, headers: Record<string, string>): Promise<unknown> {
  const response = await request(h, '/api/operator', headers);
  if (response.status !== 200) return response.status;
  const body: unknown = await response.json();
  assert.ok(typeof body === 'object' && body !== null && 'operator' in body && body.operator === true);
  return 'actor' in body ? body.actor : null;
}

/** An app whose clock is ahead by as many ms. */
function later(ms: number, variables: Record<string, string> = {}): Harness {
  const { config } = harness(variables).deps;
  const ports = { fetch: () => Promise.reject(new Error('nothing to fetch')), now: () => Date.now() + ms };
  return harness(variables, { auth: new Authenticator(config, ports) });
}

export const rules: Rules = {
  'what is for operators needs the right token': async () => {
    const h = harness();
    assert.equal((await request(h, '/api/health/full', bearer(TOKEN))).status, 200);
    for (const headers of [{}, bearer(WRONG), bearer(`${TOKEN}x`), { authorization: TOKEN }]) {
      const response = await request(h, '/api/health/full', headers);
      assert.equal(response.status, 401);
      assert.ok(response.headers.get('www-authenticate')?.startsWith('Bearer'));
      assert.equal((await problemOf(response))['code'], 'unauthorized');
    }
  },

  'what is for operators is refused to others': async () => {
    assert.equal((await request(harness(), '/api/health/full')).status, 401);
  },

  'without a configured token nobody is an operator, and nobody can log in': async () => {
    const h = harness({ OPERATOR_TOKEN: '' });
    for (const token of ['', 'null', 'undefined', TOKEN]) {
      assert.equal(await actorOf(h, bearer(token)), 401);
      assert.equal((await login(h, token || 'x')).status, 401);
    }
  },

  'the audit log learns who it was': async () => {
    const h = harness();
    assert.equal(await actorOf(h, bearer(TOKEN)), 'token');
    assert.equal(await actorOf(h, { cookie: await loggedIn(h) }), 'login');
  },

  'a wrong token shown beside a good login counts': async () => {
    const h = harness();
    assert.equal(await actorOf(h, { cookie: await loggedIn(h), ...bearer(WRONG) }), 401);
  },

  'a login needs the right token': async () => {
    const response = await login(harness(), WRONG);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('set-cookie'), null);
  },

  'a login ends after 12 hours': async () => {
    const cookie = await loggedIn(harness());
    assert.equal(await actorOf(later(12 * HOUR_MS - 10_000), { cookie }), 'login');
    assert.equal(await actorOf(later(12 * HOUR_MS + 1_000), { cookie }), 401);
  },

  'changing the token ends every login': async () => {
    const cookie = await loggedIn(harness());
    assert.equal(await actorOf(harness({ OPERATOR_TOKEN: `${TOKEN}-new` }), { cookie }), 401);
    assert.equal(await actorOf(harness({ OPERATOR_TOKEN: '' }), { cookie }), 401);
  },

  'a login that this server did not sign is nothing': async () => {
    const h = harness();
    const cookie = await loggedIn(h);
    const [until = '', signature = ''] = cookie.replace('sb_operator=', '').split('.');
    const theirs = { sessionSecret: `${SECRET}-of-another-server`, operatorToken: TOKEN };
    const forged = [
      `sb_operator=${Number(until) + 3_600}.${signature}`,
      `sb_operator=${until}.${'A'.repeat(43)}`,
      `sb_operator=${until}.`,
      `sb_operator=${until}`,
      `${cookie}; ${cookie}`,
      loginCookie(theirs, Date.now(), false).split(';')[0] ?? '',
      cookie.replace('sb_operator', 'sb_user'),
    ];
    for (const text of forged) assert.equal(await actorOf(h, { cookie: text }), 401, text);
    assert.equal(await actorOf(h, { cookie }), 'login');
  },

  'a login is out of reach of scripts and of other sites': async () => {
    const attributes = ((await login(harness())).headers.get('set-cookie') ?? '').split('; ');
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=43200']) {
      assert.ok(attributes.includes(attribute), attribute);
    }
    const secure = loginCookie({ sessionSecret: SECRET, operatorToken: TOKEN }, Date.now(), true);
    assert.ok(secure.split('; ').includes('Secure'));
  },

  'a logout takes the cookie away': async () => {
    const response = await harness().app.request('/api/operator/logout', { method: 'POST' });
    assert.equal(response.status, 204);
    const cookie = response.headers.get('set-cookie') ?? '';
    assert.match(cookie, /^sb_operator=;/);
    assert.ok(cookie.includes('Max-Age=0') && cookie.includes('HttpOnly'));
  },

  'who guesses has to stop, and the right token does not help then': async () => {
    const h = harness();
    const from = (address: string) => ({ 'cf-connecting-ip': address });
    for (let index = 0; index < 20; index += 1) {
      assert.equal((await login(h, `${WRONG}-${index}`, from('192.0.2.7'))).status, 401);
    }
    const refused = await login(h, TOKEN, from('192.0.2.7'));
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    assert.equal(await actorOf(h, { ...bearer(TOKEN), ...from('192.0.2.7') }), 429);
    assert.equal(await actorOf(h, { ...bearer(TOKEN), ...from('192.0.2.8') }), 'token');
  },

  'only wrong tokens count as guesses': async () => {
    const h = harness();
    for (let index = 0; index < 50; index += 1) assert.equal(await actorOf(h, bearer(TOKEN)), 'token');
  },

  'what changes something needs a trusted origin, the login included': async () => {
    const h = harness();
    const cookie = await loggedIn(h);
    for (const path of ['/api/operator/login', '/api/operator/logout']) {
      const evil = { cookie, origin: 'https://evil.example' };
      assert.equal((await h.app.request(path, postJson({ token: TOKEN }, evil))).status, 403);
      const friend = { cookie, origin: FRIEND };
      assert.ok((await h.app.request(path, postJson({ token: TOKEN }, friend))).ok);
    }
  },

  'Access makes an operator of who is in the group, and of nobody else': async () => {
    const issuer = await AccessIssuer.start();
    try {
      const h = harness(issuer.variables);
      const actorWith = async (claims: Record<string, unknown>) =>
        actorOf(h, { 'cf-access-jwt-assertion': await issuer.token({ claims }) });
      assert.match(String(await actorWith({ groups: ['staff', 'operators'] })), /^access:[A-Za-z0-9_-]{22}$/);
      assert.match(String(await actorWith({ custom: { groups: ['operators'] } })), /^access:/);
      const others = [[], ['operator'], ['Operators'], 'operators', { operators: true }, [['operators']], null];
      for (const groups of others) assert.equal(await actorWith({ groups }), 401, JSON.stringify(groups));
      const expired = { groups: ['operators'], exp: Math.floor(Date.now() / 1_000) - 60 };
      assert.equal(await actorWith(expired), 401);
      const open = harness({ ...issuer.variables, OPERATOR_GROUP: '' });
      const token = await issuer.token({ claims: { groups: ['operators', ''] } });
      assert.equal(await actorOf(open, { 'cf-access-jwt-assertion': token }), 401);
    } finally {
      await issuer.close();
    }
  },

  'no secret is in a log or an answer': async () => {
    const h = harness();
    const answers = await Promise.all([
      login(h, `${TOKEN}-almost`),
      request(h, '/api/health/full', bearer(`${TOKEN}-almost`)),
      h.app.request('/api/operator/login', postJson({ token: TOKEN, more: TOKEN })),
      h.app.request('/api/operator/login', postJson(`{"token":"${TOKEN}`)),
    ]);
    const texts = await Promise.all(
      answers.map(async (answer) => JSON.stringify([...answer.headers]) + (await answer.text())),
    );
    for (const text of [...texts, JSON.stringify(h.reports)]) assert.ok(!text.includes(TOKEN), text);
  },
};
