/** Which pages may act, by which names the server goes, and what every answer says to browsers. */
import assert from 'node:assert/strict';
import { newUser } from '../../../src/auth/cookie.ts';
import {
  cookieOf,
  FRIEND,
  harness,
  ORIGIN,
  postJson,
  problemOf,
  withSession,
  type Harness,
} from '../../server/harness.ts';
import type { Rules } from './rule.ts';

/** Everything that is nearly `http://localhost` or `https://friend.example`, and `null`. */
const STRANGERS = [
  'null',
  '',
  'https://localhost',
  'http://localhost:8787',
  'http://LOCALHOST',
  'HTTP://localhost',
  'http://localhost/',
  'http://localhost.',
  'http://localhost.evil.example',
  'http://chat.localhost',
  'http://127.0.0.1',
  'http://localhos',
  'http://friend.example',
  'https://friend.example:444',
  'https://friend.example:443',
  'https://FRIEND.example',
  'https://friend.example/',
  'https://friend.example.',
  'https://friend.example.evil.example',
  'https://sub.friend.example',
  'https://evil-friend.example',
  'https://friend.exampl',
  'https://friend.example@evil.example',
  'https://friend.example, https://friend.example',
  'https://friend.example https://evil.example',
  'friend.example',
  '*',
  'file://',
  'chrome-extension://friend.example',
];

const upgrade = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': 'a2V5' };

const WRITES: [string, string][] = [
  ['POST', '/api/sessions'],
  ['POST', '/api/sessions/:id/messages'],
  ['POST', '/api/sessions/:id/share'],
  ['PATCH', '/api/sessions/:id'],
  ['DELETE', '/api/sessions/:id'],
  ['POST', '/api/operator/login'],
  ['POST', '/api/operator/logout'],
  ['POST', '/api/bots'],
  ['PUT', '/api/anything'],
];

async function isForbidden(response: Response): Promise<boolean> {
  return response.status === 403 && (await problemOf(response))['code'] === 'origin_forbidden';
}

/** Asks a local server by a name. */
function by(h: Harness, name: string, path = '/api/health', init: RequestInit = {}): Promise<Response> {
  return Promise.resolve(h.app.request(`http://${name}${path}`, init));
}

export const rules: Rules = {
  'a state-changing call from a page of another origin is refused': async () => {
    const h = harness();
    const { cookie, path } = await withSession(h);
    for (const [method, route] of WRITES) {
      const target = route.replace('/api/sessions/:id', path);
      for (const origin of ['https://evil.example', 'null']) {
        assert.ok(await isForbidden(await h.app.request(target, { method, headers: { cookie, origin } })), target);
      }
    }
    assert.equal((await h.app.request(path, { headers: { cookie } })).status, 200);
  },

  'near misses of an allowed origin are refused: calls': async () => {
    const h = harness();
    const { cookie, path } = await withSession(h);
    for (const origin of STRANGERS) {
      const response = await h.app.request(`${path}/messages`, postJson({ id: 'a', text: 'x' }, { cookie, origin }));
      assert.ok(await isForbidden(response), origin);
    }
    for (const [index, origin] of [ORIGIN, FRIEND].entries()) {
      const body = postJson({ id: `a${index}`, text: 'x' }, { cookie, origin });
      assert.equal((await h.app.request(`${path}/messages`, body)).status, 202);
    }
  },

  'near misses of an allowed origin are refused: sockets': async () => {
    const h = harness();
    const { id, cookie, path } = await withSession(h);
    for (const origin of STRANGERS) {
      const response = await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie, origin } });
      assert.ok(await isForbidden(response), origin);
    }
    assert.equal(h.session(id).upgrades.length, 0);
    for (const origin of [ORIGIN, FRIEND]) {
      await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie, origin } });
    }
    assert.equal(h.session(id).upgrades.length, 2);
  },

  'a browser that leaves the origin out says where the page is from': async () => {
    const h = harness();
    const { cookie, path } = await withSession(h);
    const remove = (site: string) =>
      h.app.request(path, { method: 'DELETE', headers: { cookie, 'sec-fetch-site': site } });
    for (const site of ['cross-site', 'same-site']) assert.ok(await isForbidden(await remove(site)), site);
    assert.equal((await remove('same-origin')).status, 204);
  },

  'a local server answers to loopback and to the names it was given, and to no other': async () => {
    const h = harness({ LOCAL_SERVER: 'true', ALLOWED_ORIGINS: 'https://chat.example.com,http://box.local:8787' });
    const own = ['localhost', 'localhost:8787', '127.0.0.1:8787', '127.9.9.9', '[::1]:8787', 'chat.localhost:8787'];
    for (const name of [...own, 'chat.example.com', 'box.local:8787']) {
      assert.equal((await by(h, name)).status, 200, name);
    }
    const strangers = [
      'evil.example',
      'evil.example:8787',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'notlocalhost',
      'box.local',
      'box.local:8788',
      'sub.chat.example.com',
      '10.0.0.5:8787',
      '0.0.0.0:8787',
      '[::ffff:10.0.0.5]',
    ];
    for (const name of strangers) {
      for (const path of ['/', '/api/health', '/api/sessions', '/api/operator', '/assets/main.js']) {
        assert.ok(await isForbidden(await by(h, name, path)), `${name}${path}`);
      }
    }
  },

  'a rebound name does not get a session, although its page and the server are of one origin': async () => {
    const h = harness({ LOCAL_SERVER: 'true' });
    const headers = { origin: 'http://evil.example:8787', cookie: cookieOf(newUser()) };
    assert.ok(await isForbidden(await by(h, 'evil.example:8787', '/api/sessions', postJson({}, headers))));
    assert.equal(h.sessions.size, 0);
  },

  'a deployed server goes by the names that Cloudflare routes to it': async () => {
    assert.equal((await by(harness(), 'chat.example.org')).status, 200);
  },

  'every answer says what browsers may do with it': async () => {
    const h = harness();
    for (const path of ['/', '/api/health', '/api/sessions', '/api/nothing', '/shared/x']) {
      const { headers } = await h.app.request(`https://chat.example${path}`);
      const policy = headers.get('content-security-policy') ?? '';
      assert.ok(policy.startsWith("default-src 'none'"), path);
      assert.ok(policy.includes("frame-ancestors 'none'"), path);
      assert.ok(!/unsafe|\*|https?:/.test(policy), path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('x-frame-options'), 'DENY');
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
      assert.ok(headers.get('strict-transport-security')?.startsWith('max-age='));
    }
  },

  'pages of other origins may not read answers': async () => {
    const h = harness();
    const { cookie, path } = await withSession(h);
    const allowed = async (origin: string) =>
      (await h.app.request(path, { headers: { cookie, origin } })).headers.get('access-control-allow-origin');
    assert.equal(await allowed(FRIEND), FRIEND);
    for (const origin of STRANGERS) assert.equal(await allowed(origin), null, origin);
  },
};
