/** The HTTP API through the whole house: sending and waiting, pages, lists, search, exports, and deleting for good. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { searchResult, sessionList } from '../../src/client/api-shapes.ts';
import { eventually, readPages, readRows } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import type { User } from '../support/user.ts';

const LIST_TIMEOUT_MS = 15_000;

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({ simulator: { tokens: 12 } });
});
afterAll(() => server.close());

async function listed(user: User, query = ''): Promise<z.infer<typeof sessionList>['sessions']> {
  const { body } = await user.request(`/api/sessions${query}`);
  return sessionList.parse(body).sessions;
}

const found = async (user: User, query: string) =>
  searchResult.parse((await user.request(`/api/search?q=${encodeURIComponent(query)}`)).body);

test.concurrent('a message is accepted, waited for, and the same again whenever it is sent again', async () => {
  const user = server.user();
  const session = await user.session();
  const first = await user.post(session, 'm1', 'Hello?');
  expect(first).toMatchObject({ status: 202, body: { id: 'm1', seq: 2, position: 0 } });
  const waited = await user.post(session, 'm1', 'Hello?', 20);
  expect(waited).toMatchObject({
    status: 200,
    body: { id: 'm1', seq: 2, reply: { status: 'complete', text: expect.stringContaining('Simulated answer') } },
  });
  expect(waited.headers.get('preference-applied')).toBe('wait=20');
  expect(await user.post(session, 'm1', 'Hello?', 20)).toMatchObject({ status: 200, body: waited.body });
  expect(await user.post(session, 'm1', 'Another text')).toMatchObject({ status: 409, body: { code: 'id_conflict' } });
  const both = await Promise.all(Array.from({ length: 8 }, () => user.post(session, 'm2', 'At the same time', 20)));
  for (const { status, body } of both) expect({ status, body }).toEqual({ status: 200, body: both[0]?.body });
  expect((await readPages(user, session)).map(({ role }) => role)).toEqual(['user', 'bot', 'user', 'bot']);
});

test.concurrent('who waits less long than the answer takes gets 202, and the answer later', async () => {
  const user = server.user();
  const session = await user.session();
  const slow = 'Slowly [[sim tokens=20 tokenMs=100]]';
  expect(await user.post(session, 'slow', slow, 1)).toMatchObject({ status: 202, body: { id: 'slow', seq: 2 } });
  expect(await user.post(session, 'slow', slow, 20)).toMatchObject({ status: 200, body: { reply: { turn: 2 } } });
});

test.concurrent('a failed turn is told as such to who waits', async () => {
  const user = server.user();
  const session = await user.session();
  expect(await user.post(session, 'bad', 'Fail [[sim fault=html]]', 20)).toMatchObject({
    status: 200,
    body: { reply: { status: 'failed', error: { code: 'endpoint_not_json' } } },
  });
});

test.concurrent('messages come in pages, newest first, each in order, none left out', async () => {
  const user = server.user();
  const session = await user.session();
  for (let count = 1; count <= 4; count += 1) await user.post(session, `m${count}`, `Question ${count}`, 20);
  const { body } = await user.request(`/api/sessions/${session}/messages?limit=3`);
  const page = z.object({ messages: z.array(z.object({ seq: z.int() })), nextCursor: z.int() }).parse(body);
  expect(page.messages).toHaveLength(3);
  const whole = await readPages(user, session);
  expect(whole).toHaveLength(8);
  expect(page.messages.map(({ seq }) => seq)).toEqual(whole.slice(-3).map(({ seq }) => seq));
  for (const limit of [1, 2, 3, 5, 7, 8]) expect(await readPages(user, session, limit)).toEqual(whole);
  for (const bad of ['limit=0', 'limit=x', 'before=-1', 'limit=1e9']) {
    expect(await user.request(`/api/sessions/${session}/messages?${bad}`)).toMatchObject({
      status: 400,
      body: { code: 'bad_request' },
    });
  }
});

test.concurrent('sessions are listed, named, filed, archived, and seen so in every tab', async () => {
  const user = server.user();
  const [one, two] = [await user.session({ title: 'One' }), await user.session()];
  const tab = await user.join(two);
  await user.post(two, 'm', 'Give me a title, please', 20);
  await tab.event('updated', ({ title }) => title === 'Give me a title, please');
  const sessions = await eventually(
    () => listed(user),
    (list) => list[0]?.preview !== null,
    LIST_TIMEOUT_MS,
  );
  expect(sessions.map(({ id, title }) => [id, title])).toEqual([
    [two, 'Give me a title, please'],
    [one, 'One'],
  ]);
  const change = { title: 'Renamed 🗂', archived: true, folder: 'Work' };
  const patched = await user.request(`/api/sessions/${two}`, { method: 'PATCH', body: change });
  expect(patched).toMatchObject({ status: 200, body: { id: two, ...change } });
  await tab.event('updated', ({ title }) => title === 'Renamed 🗂');
  // A person who renames looks at the list next: it is up to date at once.
  expect(await listed(user, '?archived=true')).toMatchObject([{ id: two, ...change }]);
  expect(await listed(user, '?archived=false')).toMatchObject([{ id: one }]);
  expect(await listed(user, '?folder=Work')).toMatchObject([{ id: two }]);
  const { body } = await user.request('/api/sessions?limit=1');
  const page = sessionList.parse(body);
  const next = await listed(user, `?limit=1&cursor=${page.nextCursor}`);
  expect([page.sessions[0]?.id, next[0]?.id].toSorted()).toEqual([one, two].toSorted());
  expect(await user.request('/api/sessions?cursor=xyz')).toMatchObject({ status: 400, body: { code: 'bad_request' } });
});

test.concurrent("search finds words in one's own history, with two messages on each side", async () => {
  const user = server.user();
  const session = await user.session();
  for (const word of ['alpha', 'bravo', 'Ünïcörn and lighthouse', 'delta', 'echo']) {
    await user.post(session, `m-${word.slice(0, 2).toLowerCase().replace(/\W/g, 'u')}`, word, 20);
  }
  const result = await eventually(
    () => found(user, 'unicorn lighthouse'),
    ({ hits }) => hits.some(({ message, after }) => message.role === 'user' && after.length === 2),
    LIST_TIMEOUT_MS,
  );
  const hit = result.hits.find(({ message }) => message.role === 'user');
  expect(hit).toMatchObject({ session: { id: session }, message: { text: 'Ünïcörn and lighthouse' } });
  expect(hit?.before.map(({ role }) => role)).toEqual(['user', 'bot']);
  expect(hit?.before[0]?.text).toBe('bravo');
  expect(hit?.after.map(({ role }) => role)).toEqual(['bot', 'user']);
  const [start, end] = hit?.excerpt.matches[0] ?? [0, 0];
  expect(hit?.excerpt.text.slice(start, end)).toBe('Ünïcörn');
  expect((await found(server.user(), 'lighthouse')).hits).toEqual([]);
  for (const odd of ['"', '*', 'NEAR(', 'a AND OR', "'; DROP TABLE messages; --", '👩‍🚀', '-']) {
    expect((await user.request(`/api/search?q=${encodeURIComponent(odd)}`)).status).toBe(200);
  }
});

test.concurrent('a session leaves the house as markdown and as JSON, whole', async () => {
  const user = server.user();
  const session = await user.session({ title: 'Export: me/you' });
  await user.post(session, 'a', 'What is *this*? 🦜', 20);
  await user.post(session, 'b', 'Fail [[sim fault=cut@3]]', 20);
  const json = await user.request(`/api/sessions/${session}/export?format=json`);
  const pages = await readPages(user, session);
  expect(json.body).toMatchObject({ format: 'switchboard.session', session: { id: session }, messages: pages });
  expect(json.headers.get('content-disposition')).toContain('Export me you.json');
  const markdown = await user.request(`/api/sessions/${session}/export?format=markdown`);
  expect(markdown.body).toContain('# Export: me/you');
  expect(markdown.body).toContain('What is *this*? 🦜');
  expect(markdown.body).toContain('`answer_incomplete`');
  expect(await user.request(`/api/sessions/${session}/export?format=pdf`)).toMatchObject({ status: 400 });
});

test.concurrent('deleting is final: object, history, index and open tabs', async () => {
  const user = server.user();
  const session = await user.session();
  const kept = await user.session();
  await user.post(session, 'a', 'Remember the albatross', 20);
  await user.post(kept, 'a', 'Another albatross', 20);
  const indexed = await eventually(
    () => found(user, 'albatross'),
    ({ hits }) => hits.length >= 2,
    LIST_TIMEOUT_MS,
  );
  expect(new Set(indexed.hits.map((hit) => hit.session.id))).toEqual(new Set([session, kept]));
  const tab = await user.join(session);
  await tab.ask('running', 'Go on [[sim tokens=2000 tokenMs=10]]');
  await tab.frame('delta');
  const before = server.simulator.stats().aborted;

  expect((await user.request(`/api/sessions/${session}`, { method: 'DELETE' })).status).toBe(204);
  // Who deletes looks at the list next.
  expect((await listed(user)).map(({ id }) => id)).toEqual([kept]);
  expect((await tab.closed).code).toBe(4404);
  const gone = { status: 404, body: { code: 'session_not_found' } };
  expect(await user.request(`/api/sessions/${session}`)).toMatchObject(gone);
  expect(await user.request(`/api/sessions/${session}/messages`)).toMatchObject(gone);
  expect(await user.post(session, 'b', 'Anybody there?')).toMatchObject(gone);
  expect(await user.request(`/api/sessions/${session}`, { method: 'DELETE' })).toMatchObject(gone);
  const late = user.wire(session);
  expect(await late.frame('error')).toMatchObject({ code: 'session_not_found' });
  expect((await late.closed).code).toBe(4404);
  expect(
    await eventually(
      async () => server.simulator.stats().aborted,
      (count) => count > before,
      5_000,
    ),
  ).toBe(before + 1);

  const d1 = await server.d1();
  const left = await eventually(
    () => readRows(d1, session),
    (rows) => rows.length === 0,
    LIST_TIMEOUT_MS,
  );
  expect(left).toEqual([]);
  const after = await eventually(
    () => found(user, 'albatross'),
    ({ hits }) => hits.length < indexed.hits.length,
    LIST_TIMEOUT_MS,
  );
  expect(new Set(after.hits.map((hit) => hit.session.id))).toEqual(new Set([kept]));
  // Not merely unlisted: no row and no term of it is left anywhere in the database.
  const orphans = await eventually(
    async () => d1.prepare(`SELECT count(*) AS n FROM messages WHERE text LIKE '%Remember the albatross%'`).first('n'),
    (count) => count === 0,
    LIST_TIMEOUT_MS,
  );
  expect(orphans).toBe(0);
});

test.concurrent('behind a tunnel that ends the encryption cookies are for encrypted connections only', async () => {
  const begin = (headers: Record<string, string>) =>
    fetch(new URL('/api/sessions', server.baseUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{}',
    });
  const plain = await begin({});
  expect(plain.headers.get('set-cookie')).not.toContain('Secure');
  expect(plain.headers.get('strict-transport-security')).toBeNull();
  const encrypted = await begin({ 'x-forwarded-proto': 'https' });
  expect(encrypted.status).toBe(201);
  expect(encrypted.headers.get('set-cookie')).toContain('Secure');
  expect(encrypted.headers.get('strict-transport-security')).not.toBeNull();
});
