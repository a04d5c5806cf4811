/** How much one address, one user and one session may ask for. */
import assert from 'node:assert/strict';
import { newUser } from '../../../src/auth/cookie.ts';
import { MAX_MESSAGES_AT_ONCE, MESSAGES_PER_SECOND } from '../../../src/protocol/limits.ts';
import { FakeWorld } from '../../support/fake-world.ts';
import { sendMessage } from '../../../src/objects/socket-frames.ts';
import { cookieOf, harness, limiterOf, ORIGIN, postJson, problemOf, withSession } from '../../server/harness.ts';
import type { Rules } from './rule.ts';

const ADDRESS = { 'cf-connecting-ip': '192.0.2.7' };
const upgrade = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': 'a2V5', origin: ORIGIN };

async function isLimited(response: Response): Promise<boolean> {
  if (response.status !== 429) return false;
  assert.equal((await problemOf(response))['code'], 'rate_limited');
  assert.ok(Number(response.headers.get('retry-after')) >= 1, 'says when to come again');
  return true;
}

export const rules: Rules = {
  'an address may read so often': async () => {
    const readLimit = limiterOf(2);
    const h = harness({}, { readLimit });
    const read = () => h.app.request('/api/bots', { headers: ADDRESS });
    assert.equal((await read()).status, 200);
    assert.equal((await read()).status, 200);
    assert.ok(await isLimited(await read()));
    assert.deepEqual(new Set(readLimit.keys), new Set(['192.0.2.7']));
    // Another address is not concerned, and the page is static.
    assert.equal((await h.app.request('/api/bots', { headers: { 'cf-connecting-ip': '192.0.2.8' } })).status, 200);
    assert.equal((await h.app.request('/', { headers: ADDRESS })).status, 200);
  },

  'an address may write so often': async () => {
    const h = harness({}, { writeLimit: limiterOf(1) });
    const write = () => h.app.request('/api/sessions', postJson({}, ADDRESS));
    assert.equal((await write()).status, 201);
    assert.ok(await isLimited(await write()));
  },

  'an address may try so often to open shared conversations': async () => {
    const h = harness({}, { readLimit: limiterOf(2) });
    const guess = () => h.app.request(`/api/shared/${'A'.repeat(64)}`, { headers: ADDRESS });
    assert.equal((await guess()).status, 404);
    assert.equal((await guess()).status, 404);
    assert.ok(await isLimited(await guess()));
  },

  'an address may connect so often': async () => {
    const h = harness({}, { connectLimit: limiterOf(1) });
    const connect = () =>
      h.app.request(`/api/sessions/s_${'0'.repeat(32)}/connect`, {
        headers: { ...upgrade, ...ADDRESS, cookie: cookieOf(newUser()) },
      });
    assert.equal((await connect()).status, 101);
    assert.ok(await isLimited(await connect()));
  },

  'a user may read and write so often, from however many addresses': async () => {
    const h = harness({}, { readLimit: limiterOf(3), writeLimit: limiterOf(3) });
    const cookie = cookieOf(newUser());
    const ask = (index: number, init: RequestInit) => {
      const headers = new Headers(init.headers);
      headers.set('cookie', cookie);
      headers.set('cf-connecting-ip', `192.0.2.${index}`);
      return h.app.request('/api/sessions', { ...init, headers });
    };
    for (const init of [{}, postJson({})]) {
      for (let index = 0; index < 3; index += 1) assert.ok((await ask(index, init)).ok);
      assert.ok(await isLimited(await ask(3, init)));
    }
  },

  'a user may connect so often': async () => {
    const h = harness({}, { connectLimit: limiterOf(2) });
    const { cookie, path } = await withSession(h);
    const connect = () => h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie } });
    assert.equal((await connect()).status, 101);
    assert.equal((await connect()).status, 101);
    assert.ok(await isLimited(await connect()));
  },

  'a counter that fails closes nothing': async () => {
    const broken = { limit: () => Promise.reject(new Error('the counter is down')) };
    const h = harness({}, { readLimit: broken, writeLimit: broken });
    const headers = { cookie: cookieOf(newUser()), ...ADDRESS };
    assert.equal((await h.app.request('/api/sessions', { headers })).status, 200);
  },

  'a session takes so many messages, over all sockets and requests together': async () => {
    const world = new FakeWorld();
    await world.advance(5_000);
    const tabs = [await world.join(), await world.join()];
    let refused = 0;
    const send = async (index: number): Promise<void> => {
      const tab = tabs[index % 3];
      const message = { id: `m${index}`, text: 'x', priority: 0 };
      if (tab) await world.say(tab, { type: 'send', id: message.id, text: message.text });
      else if (sendMessage(world.runtime, message)?.code === 'rate_limited') refused += 1;
    };
    const count = MAX_MESSAGES_AT_ONCE + 30;
    for (let index = 0; index < count; index += 1) await send(index);
    const errors = tabs.flatMap((tab) => tab.of('error')).filter(({ code }) => code === 'rate_limited');
    assert.equal(errors.length + refused, 30);
    assert.ok(refused > 0);
    for (const error of errors) {
      assert.ok(error.retryable && (error.retryAfterMs ?? 0) > 0 && error.id !== undefined);
    }
    // The same ones again are harmless for the log; they are counted all the same.
    await world.advance(1_000);
    for (let index = 0; index < 60; index += 1) await send(index);
    const [first, second] = tabs;
    const all = [...(first?.of('error') ?? []), ...(second?.of('error') ?? [])].filter(
      ({ code }) => code === 'rate_limited',
    );
    assert.ok(Math.abs(all.length + refused - 30 - (60 - MESSAGES_PER_SECOND)) <= 1);
  },

  'S24: changes of messages and other answers count like messages: each is a record for good, or asks the model':
    async () => {
      const world = new FakeWorld();
      const tab = await world.join();
      await world.say(tab, { type: 'send', id: 'a', text: 'x' });
      await world.say(tab, { type: 'send', id: 'b', text: 'x' });
      const limited = () => tab.of('error').filter(({ code }) => code === 'rate_limited');
      for (let index = 0; limited().length === 0 && index < MAX_MESSAGES_AT_ONCE; index += 1) {
        await world.say(tab, { type: 'edit', id: 'b', text: `x${index}` });
      }
      assert.ok(limited().length > 0);
      const before = world.records();
      await world.say(tab, { type: 'edit', id: 'b', text: 'more' });
      await world.say(tab, { type: 'cancel', id: 'b' });
      await world.say(tab, { type: 'regenerate', turn: 2, baseSeq: before.length });
      assert.deepEqual(world.records(), before);
      assert.deepEqual(
        limited()
          .slice(-3)
          .map(({ id, retryable, retryAfterMs }) => [id, retryable, retryAfterMs]),
        [
          ['b', true, 1_000],
          ['b', true, 1_000],
          [undefined, true, 1_000],
        ],
      );
      await world.advance(1_000);
      await world.say(tab, { type: 'cancel', id: 'b' });
      assert.equal(world.records().at(-1)?.kind, 'cancelled');
      // What ends an answer is never refused for it.
      for (let index = 0; index < MESSAGES_PER_SECOND; index += 1) await world.say(tab, { type: 'cancel', id: 'b' });
      await world.say(tab, { type: 'stop', turn: 2 });
      assert.equal(world.records().at(-1)?.kind, 'stopped');
    },

  'a person, and the load that one session is built for, never notice': async () => {
    const world = new FakeWorld();
    const tab = await world.join();
    for (let index = 0; index < 600; index += 1) {
      await world.say(tab, { type: 'send', id: `m${index}`, text: 'x' });
      await world.advance(100);
    }
    assert.deepEqual(
      tab.of('error').filter(({ code }) => code === 'rate_limited'),
      [],
    );
  },
};
