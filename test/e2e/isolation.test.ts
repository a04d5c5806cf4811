/** A session of another user looks as if it did not exist: on every route, over the WebSocket, in lists and search. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, readLog } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import type { RequestOptions, User } from '../support/user.ts';

let server: RealServer;
let owner: User;
let stranger: User;
let session: string;
const NOWHERE = `s_${'0'.repeat(32)}`;

beforeAll(async () => {
  server = await RealServer.start({ simulator: { tokens: 4 } });
  [owner, stranger] = [server.user(), server.user()];
  session = await owner.session({ title: 'Private' });
  await owner.post(session, 'secret', 'The treasure is under the walrus', 20);
  await stranger.session();
});
afterAll(() => server.close());

const ROUTES: [string, RequestOptions][] = [
  ['', {}],
  ['', { method: 'PATCH', body: { title: 'Mine' } }],
  ['', { method: 'DELETE' }],
  ['/messages', {}],
  ['/messages?before=5&limit=1', {}],
  ['/messages', { body: { id: 'secret', text: 'The treasure is under the walrus' } }],
  ['/messages', { body: { id: 'other', text: 'x' }, headers: { prefer: 'wait=5' } }],
  ['/export', {}],
  ['/export?format=json', {}],
];

test.each(ROUTES)('%s %j', async (path, options) => {
  const theirs = await stranger.request(`/api/sessions/${session}${path}`, options);
  expect(theirs).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
  // Not even the wording or a header tells a session of somebody else from none at all.
  const none = await stranger.request(`/api/sessions/${NOWHERE}${path}`, options);
  expect(withoutRequestId(none.body)).toEqual(withoutRequestId(theirs.body));
  expect([...none.headers.keys()]).toEqual([...theirs.headers.keys()]);
});

test('over the WebSocket', async () => {
  const [theirs, none] = [stranger.wire(session), stranger.wire(NOWHERE)];
  expect(await theirs.frame('error')).toEqual(await none.frame('error'));
  expect(await theirs.closed).toEqual(await none.closed);
  expect(await theirs.closed).toMatchObject({ code: 4404 });
});

test('a header that names the owner does not help', async () => {
  const [, name] = /sb_user=([^.]+)\./.exec(owner.cookie) ?? [];
  const headers = { 'x-switchboard-user': name ?? '' };
  const answer = await stranger.request(`/api/sessions/${session}`, { headers });
  expect(answer.status).toBe(404);
});

test('neither in the list nor in the search', async () => {
  const read = async (user: User) => JSON.stringify((await user.request('/api/search?q=walrus')).body);
  expect(
    await eventually(
      () => read(owner),
      (text) => text.includes('treasure'),
      15_000,
    ),
  ).toContain('treasure');
  expect(await read(stranger)).toBe('{"hits":[],"nextCursor":null}');
  const listed = JSON.stringify((await stranger.request('/api/sessions')).body);
  expect(listed).not.toContain(session);
});

test('and after all these tries the session is as it was', async () => {
  const log = await readLog(owner, session);
  expect(log.map(({ kind }) => kind)).toEqual(['created', 'message', 'reply']);
  expect(server.logs.join('\n')).not.toContain('walrus');
});

function withoutRequestId(body: unknown): unknown {
  return typeof body === 'object' && body !== null ? { ...body, requestId: '' } : body;
}
