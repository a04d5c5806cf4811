/** Share links: who makes them, what they show, and that they end. */
import assert from 'node:assert/strict';
import { newUser } from '../../../src/auth/cookie.ts';
import { newShareToken, sessionOfShare } from '../../../src/auth/share-token.ts';
import { MAX_SHARES, Shares } from '../../../src/objects/shares.ts';
import { nodeSql } from '../../support/node-sql.ts';
import { cookieOf, harness, postJson, SECRET, stringAt, userMessage, withSession } from '../../server/harness.ts';
import type { Rules } from './rule.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = 1_700_000_000_000;
const SESSION = `s_${'0123456789abcdef'.repeat(2)}`;

async function shared() {
  const h = harness();
  const owned = await withSession(h);
  h.session(owned.id).log = [userMessage(2, 'a', 'first'), userMessage(3, 'b', 'second'), userMessage(4, 'c', 'third')];
  const make = (body: unknown = {}) => h.app.request(`${owned.path}/share`, postJson(body, { cookie: owned.cookie }));
  const open = (token: string, query = '') => h.app.request(`/api/shared/${token}${query}`);
  return { h, ...owned, make, open };
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json();
  assert.ok(typeof body === 'object' && body !== null);
  return { ...body };
}

function tokenOf(body: unknown): string {
  return new URL(stringAt(body, 'url')).pathname.replace('/shared/', '');
}

/** What of an answer a stranger could tell it by. */
async function looks(response: Response): Promise<string> {
  const { requestId: _, ...body } = await bodyOf(response);
  return JSON.stringify([response.status, body, [...response.headers.keys()]]);
}

export const rules: Rules = {
  'the owner makes a link that shows the conversation to anybody, by pages': async () => {
    const { make, open } = await shared();
    const response = await make();
    assert.equal(response.status, 201);
    const made = await bodyOf(response);
    assert.ok(stringAt(made, 'url').startsWith('http://localhost/shared/'));
    const first = await bodyOf(await open(tokenOf(made), '?limit=2'));
    assert.deepEqual(Object.keys(first).sort(), ['bot', 'expiresAt', 'messages', 'nextCursor', 'title']);
    assert.equal(first['expiresAt'], made['expiresAt']);
    assert.deepEqual(textsOf(first['messages']), ['second', 'third']);
    const second = await bodyOf(await open(tokenOf(made), `?limit=2&before=${String(first['nextCursor'])}`));
    assert.deepEqual(textsOf(second['messages']), ['first']);
    assert.equal(second['nextCursor'], null);
  },

  'a link holds for 7 days, or for as long as asked, at most 90': async () => {
    const { make } = await shared();
    const hours = async (body: unknown) => {
      const response = await make(body);
      if (response.status !== 201) return response.status;
      return Math.round((Number((await bodyOf(response))['expiresAt']) - Date.now()) / HOUR_MS);
    };
    assert.equal(await hours({}), 7 * 24);
    assert.equal(await hours({ expiresInHours: 1 }), 1);
    assert.equal(await hours({ expiresInHours: 90 * 24 }), 90 * 24);
    const wrong = [0, -1, 1.5, 90 * 24 + 1, '24', null, 1e99];
    for (const expiresInHours of wrong) assert.equal(await hours({ expiresInHours }), 400, String(expiresInHours));
    assert.equal(await hours({ for: 'ever' }), 400);
  },

  'a list shows links without their secrets': async () => {
    const { h, path, cookie, make } = await shared();
    const made = await bodyOf(await make());
    const text = await (await h.app.request(`${path}/share`, { headers: { cookie } })).text();
    assert.ok(text.includes(stringAt(made, 'id')));
    assert.ok(!text.includes(tokenOf(made)));
  },

  'of a link only a digest is kept': async () => {
    const { h, id, make } = await shared();
    const token = tokenOf(await bodyOf(await make()));
    const kept = JSON.stringify(h.session(id).links);
    assert.ok(!kept.includes(token));
    assert.equal(h.session(id).links.length, 1);
  },

  'a revoked link opens nothing': async () => {
    const shares = new Shares(nodeSql());
    shares.add({ id: 'l_1', digest: 'one', expiresAt: NOW + DAY_MS }, NOW);
    shares.add({ id: 'l_2', digest: 'two', expiresAt: NOW + DAY_MS }, NOW);
    assert.equal(shares.find('one', NOW)?.id, 'l_1');
    assert.equal(shares.revoke('l_1'), true);
    assert.equal(shares.find('one', NOW), null);
    assert.equal(shares.revoke('l_1'), false);
    assert.equal(shares.find('two', NOW)?.id, 'l_2');
  },

  'an expired link opens nothing': () => {
    const shares = new Shares(nodeSql());
    shares.add({ id: 'l_1', digest: 'one', expiresAt: NOW + DAY_MS }, NOW);
    assert.equal(shares.find('one', NOW + DAY_MS - 1)?.id, 'l_1');
    assert.equal(shares.find('one', NOW + DAY_MS), null);
    assert.deepEqual(shares.list(NOW + DAY_MS), []);
  },

  'a session has at most 20 links': () => {
    const shares = new Shares(nodeSql());
    const add = (index: number, now: number) =>
      shares.add({ id: `l_${index}`, digest: String(index), expiresAt: NOW + DAY_MS }, now);
    for (let index = 0; index < MAX_SHARES; index += 1) assert.ok(add(index, NOW).ok);
    const refused = add(99, NOW);
    assert.ok(!refused.ok && refused.error.code === 'too_many_shares');
    // What has expired makes room.
    assert.ok(add(99, NOW + 2 * DAY_MS).ok);
  },

  'looking for a link writes nothing': () => {
    const sql = nodeSql();
    const shares = new Shares(sql);
    assert.equal(shares.find('one', NOW), null);
    assert.deepEqual(shares.list(NOW), []);
    assert.equal(shares.revoke('l_1'), false);
    assert.deepEqual(sql.exec('SELECT name FROM sqlite_master').toArray(), []);
  },

  'the link does not show the id of the session': () => {
    const token = newShareToken(SESSION, SECRET);
    const hex = Buffer.from(token, 'base64url').toString('hex');
    assert.ok(!hex.includes(SESSION.slice(2)));
    assert.ok(!token.includes(SESSION.slice(2)));
    assert.equal(sessionOfShare(token, SECRET), SESSION);
    const tokens = new Set(Array.from({ length: 200 }, () => newShareToken(SESSION, SECRET)));
    assert.equal(tokens.size, 200);
  },

  'a token that this server did not make wakes no object': async () => {
    const { h, open, make } = await shared();
    const token = tokenOf(await bodyOf(await make()));
    const before = h.sessions.size;
    const flipped = Array.from(token, (letter, index) => {
      return token.slice(0, index) + (letter === 'A' ? 'B' : 'A') + token.slice(index + 1);
    });
    const theirs = newShareToken(SESSION, `${SECRET}-of-another-server`);
    for (const forged of [...flipped, theirs, 'A'.repeat(64)]) {
      assert.equal((await open(forged)).status, 404);
      assert.equal(h.sessions.size, before, forged);
    }
  },

  'whatever is wrong with a link, the answer is the same': async () => {
    const { h, id, path, cookie, make, open } = await shared();
    const revoked = await bodyOf(await make());
    const removed = tokenOf(await bodyOf(await make()));
    const headers = { cookie };
    await h.app.request(`${path}/share/${stringAt(revoked, 'id')}`, { method: 'DELETE', headers });
    const answers = [
      await looks(await open(tokenOf(revoked))),
      await looks(await open(newShareToken(id, SECRET))),
      await looks(await open(newShareToken(SESSION, SECRET))),
      await looks(await open('A'.repeat(64))),
      await looks(await open('x')),
      await looks(await open(id)),
      await looks(await open(`${removed}A`)),
      await looks(await open(encodeURIComponent('../../sessions'))),
    ];
    assert.equal((await open(removed)).status, 200);
    await h.app.request(path, { method: 'DELETE', headers });
    answers.push(await looks(await open(removed)));
    assert.equal(new Set(answers).size, 1, [...new Set(answers)].join('\n'));
    assert.ok(answers[0]?.startsWith('[404'));
  },

  'a link is read-only': async () => {
    const { h, make } = await shared();
    const token = tokenOf(await bodyOf(await make()));
    for (const method of ['POST', 'PATCH', 'DELETE', 'PUT']) {
      assert.equal((await h.app.request(`/api/shared/${token}`, { method })).status, 405);
    }
    for (const path of [`/api/sessions/${token}`, `/api/sessions/${token}/messages`]) {
      const response = await h.app.request(path, { headers: { cookie: cookieOf(newUser()) } });
      assert.equal(response.status, 404);
    }
  },

  'only the owner makes, lists and revokes links': async () => {
    const { h, path, make } = await shared();
    const id = stringAt(await bodyOf(await make()), 'id');
    const headers = { cookie: cookieOf(newUser()) };
    assert.equal((await h.app.request(`${path}/share`, postJson({}, headers))).status, 404);
    assert.equal((await h.app.request(`${path}/share`, { headers })).status, 404);
    assert.equal((await h.app.request(`${path}/share/${id}`, { method: 'DELETE', headers })).status, 404);
    assert.equal((await h.app.request(`${path}/share`, postJson({}))).status, 401);
  },

  'the page of a link is not for search engines, and its address goes nowhere': async () => {
    const asked: string[] = [];
    const fetchAsset = (request: Request) => {
      asked.push(new URL(request.url).pathname);
      return Promise.resolve(new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }));
    };
    const { app } = harness({}, { fetchAsset });
    const { headers, status } = await app.request(`/shared/${newShareToken(SESSION, SECRET)}`);
    assert.equal(status, 200);
    assert.deepEqual(asked, ['/']);
    assert.match(headers.get('x-robots-tag') ?? '', /noindex/);
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cache-control'), 'no-store');
  },
};

function textsOf(messages: unknown): string[] {
  assert.ok(Array.isArray(messages));
  return messages.map((message) => stringAt(message, 'text'));
}
