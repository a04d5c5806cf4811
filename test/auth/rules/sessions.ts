/** A session belongs to one user, and so does every frame on its sockets. */
import { PROTOCOL_VERSION } from '../../../src/protocol/limits.ts';
import assert from 'node:assert/strict';
import { newUser, userCookie } from '../../../src/auth/cookie.ts';
import { UNTIL_HEADER, USER_HEADER } from '../../../src/objects/session-rpc.ts';
import { CLOSE } from '../../../src/protocol/codes.ts';
import { FakeSocket, FakeWorld } from '../../support/fake-world.ts';
import { SESSION, SessionObject } from '../session-object.ts';
import { cookieOf, harness, ORIGIN, SECRET, withSession } from '../../server/harness.ts';
import type { Rules } from './rule.ts';

const OWNER = 'u_owner';
const STRANGER = 'u_stranger';
const BOT = { id: 'b', name: 'B', model: 'm' };
const HOUR_MS = 3_600_000;
const HELLO = { type: 'hello', protocol: PROTOCOL_VERSION } as const;
const upgrade = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': 'a2V5', origin: ORIGIN };

async function owned(): Promise<SessionObject> {
  const session = new SessionObject();
  await session.object.create(OWNER, SESSION, { bot: BOT, title: 'Private' });
  return session;
}

/** A tab whose proof ends in 10 s, in a world whose clock can be moved. */
async function provenTab(): Promise<{ world: FakeWorld; tab: FakeSocket; until: number }> {
  const world = new FakeWorld();
  await world.advance(5_000);
  const tab = await world.join();
  const until = world.time + 10_000;
  world.runtime.tabs.get(tab)?.vouch({ user: OWNER, until });
  return { world, tab, until };
}

function isEnded(tab: FakeSocket): boolean {
  return tab.closed?.code === CLOSE.unauthorized && tab.of('error').some(({ code }) => code === 'unauthorized');
}

export const rules: Rules = {
  'a session of another user answers as if there were none': async () => {
    const { object } = await owned();
    const none = new SessionObject().object;
    const share = { id: 'l_1', digest: 'x', expiresAt: Date.now() + HOUR_MS };
    const calls: ((session: typeof object, user: string) => Promise<{ ok: boolean }>)[] = [
      (session, user) => session.describe(user),
      (session, user) => session.update(user, { title: 'Mine' }),
      (session, user) => session.messages(user, { limit: 10 }),
      (session, user) => session.send(user, { id: 'a', text: 'x' }, 0),
      (session, user) => session.share(user, share),
      (session, user) => session.shares(user),
      (session, user) => session.unshare(user, 'l_1'),
      (session, user) => session.remove(user),
    ];
    for (const [index, call] of calls.entries()) {
      const theirs = await call(object, STRANGER);
      assert.ok(!theirs.ok, String(index));
      assert.deepEqual(theirs, await call(none, STRANGER));
    }
    assert.ok(!(await object.create(STRANGER, SESSION, { bot: BOT, title: '' })).ok);
    for (const call of calls.slice(0, -1)) assert.ok((await call(object, OWNER)).ok);
  },

  'a socket to a session of another user is refused as one to none': async () => {
    const session = await owned();
    const theirs = await session.connect(STRANGER, Date.now() + HOUR_MS);
    const none = await new SessionObject().connect(STRANGER, Date.now() + HOUR_MS);
    assert.equal(theirs.closed?.code, CLOSE.sessionNotFound);
    assert.deepEqual([theirs.frames, theirs.closed], [none.frames, none.closed]);
    assert.equal(session.accepted.length, 0);
  },

  'a deleted session is gone for whoever has a link to it': async () => {
    const { object } = await owned();
    await object.share(OWNER, { id: 'l_1', digest: 'digest', expiresAt: Date.now() + HOUR_MS });
    assert.ok((await object.shared('digest', { limit: 10 })).ok);
    assert.ok(!(await object.shared('other', { limit: 10 })).ok);
    await object.remove(OWNER);
    assert.ok(!(await object.shared('digest', { limit: 10 })).ok);
  },

  'a user is who the cookie was signed for': async () => {
    const h = harness();
    const { user, path } = await withSession(h);
    const status = async (cookie: string) => (await h.app.request(path, { headers: { cookie } })).status;
    assert.equal(await status(cookieOf(user)), 200);
    assert.equal(await status(cookieOf(newUser())), 404);
    const forged = userCookie(user, `${SECRET}-of-another-server`, false).split(';')[0] ?? '';
    assert.equal(await status(forged), 401);
    assert.equal(await status(`sb_user=${user}`), 401);
    assert.equal(await status(`sb_user=${user}.${'A'.repeat(43)}`), 401);
  },

  'of two cookies of one name neither is believed': async () => {
    const h = harness();
    const { cookie, path } = await withSession(h);
    const both = `${cookieOf(newUser())}; ${cookie}`;
    assert.equal((await h.app.request(path, { headers: { cookie: both } })).status, 401);
  },

  'what cannot be a session wakes no object': async () => {
    const h = harness();
    const headers = { cookie: cookieOf(newUser()) };
    for (const id of ['x', 's_', `s_${'0'.repeat(31)}`, `s_${'0'.repeat(33)}`, `s_${'G'.repeat(32)}`, 'health']) {
      assert.equal((await h.app.request(`/api/sessions/${id}`, { headers })).status, 404);
    }
    assert.equal(h.sessions.size, 0);
  },

  'a client cannot say itself who it is': async () => {
    const h = harness();
    const { id, user, cookie, path } = await withSession(h);
    const claims = { [USER_HEADER]: newUser(), [UNTIL_HEADER]: '99999999999999' };
    await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie, ...claims } });
    const [forwarded] = h.session(id).upgrades;
    assert.equal(forwarded?.headers.get(USER_HEADER), user);
    assert.ok(Number(forwarded?.headers.get(UNTIL_HEADER)) < 99_999_999_999_999);
    assert.equal(forwarded?.headers.get('cookie'), null);
    assert.equal((await h.app.request(path, { headers: claims })).status, 401);
  },

  'without a proof there is no socket, and a code not to come again': async () => {
    const h = harness();
    const { id, path } = await withSession(h);
    await h.app.request(`${path}/connect`, { headers: upgrade });
    assert.deepEqual(
      h.refusals.map(({ error, closeCode }) => [error.code, closeCode]),
      [['unauthorized', CLOSE.unauthorized]],
    );
    assert.equal(h.session(id).upgrades.length, 0);
  },

  'a frame after the proof has ended is refused, and the socket closed': async () => {
    const { world, tab, until } = await provenTab();
    await world.say(tab, { type: 'send', id: 'before', text: 'x' });
    assert.equal(tab.closed, null);
    world.time = until;
    await world.say(tab, { type: 'send', id: 'after', text: 'x' });
    assert.ok(isEnded(tab));
    const ids = world.records().flatMap((record) => (record.kind === 'message' ? [record.id] : []));
    assert.deepEqual(ids, ['before']);
  },

  'every kind of frame is refused then, pings and nonsense included': async () => {
    const frames = [
      '{"type":"ping"}',
      '{"type":"credit","bytes":1}',
      '{"type":"typing"}',
      `{"type":"hello","protocol":${PROTOCOL_VERSION}}`,
      '{"type":"stop","turn":2}',
      '{"type":"cancel","id":"a"}',
      'nonsense',
    ];
    for (const frame of frames) {
      const { world, tab, until } = await provenTab();
      world.time = until;
      const before = tab.frames.length;
      await world.sayRaw(tab, frame);
      assert.ok(isEnded(tab), frame);
      assert.equal(tab.frames.length, before + 1, frame);
    }
  },

  'a tab opened by somebody else is refused': async () => {
    const { world, tab } = await provenTab();
    world.runtime.tabs.get(tab)?.vouch({ user: STRANGER, until: world.time + HOUR_MS });
    await world.say(tab, { type: 'typing' });
    assert.ok(isEnded(tab));
  },

  'who only listens is let go of, too, before others are answered': async () => {
    const { world, tab, until } = await provenTab();
    const other = await world.join();
    world.time = until;
    await world.say(other, { type: 'send', id: 'secret', text: 'not for them' });
    assert.ok(isEnded(tab));
    assert.ok(!JSON.stringify(tab.frames).includes('not for them'));
    assert.ok(JSON.stringify(other.frames).includes('not for them'));
  },

  'who only listens is let go of while an answer runs': async () => {
    const { world, tab } = await provenTab();
    const other = await world.join();
    await world.say(other, { type: 'send', id: 'a', text: 'x' });
    await world.advance(15_000);
    assert.ok(isEnded(tab));
    assert.equal(other.closed, null);
  },

  'a socket carries who opened it and until when, through hibernation': async () => {
    const session = await owned();
    const tab = await session.connect(OWNER, Date.now() + HOUR_MS);
    session.say(tab, HELLO);
    assert.equal(tab.of('welcome').length, 1);
    const short = await session.connect(OWNER, Date.now() + 30);
    session.say(short, HELLO);
    await new Promise((resolve) => setTimeout(resolve, 40));
    const later = await session.hibernated();
    later.say(short, { type: 'typing' });
    assert.ok(isEnded(short));
    later.say(tab, { type: 'typing' });
    assert.equal(tab.closed, null);
  },

  'a socket of which nobody says until when is not served': async () => {
    const session = await owned();
    const tab = await session.connect(OWNER, null);
    session.say(tab, HELLO);
    assert.ok(isEnded(tab));
    assert.equal(tab.of('welcome').length, 0);
  },
};
