/** Bad input through the whole house: each kind gets its own typed error, and no other session notices. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  PROTOCOL_VERSION,
  MAX_BAD_FRAMES,
  MAX_FRAME_BYTES,
  MAX_QUEUE_LENGTH,
  MAX_TEXT_BYTES,
} from '../../src/protocol/limits.ts';
import { checkHistory } from '../support/history-checker.ts';
import { readLog } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import type { User } from '../support/user.ts';
import type { Wire } from '../support/wire.ts';

let server: RealServer;
let user: User;
let session: string;
let wire: Wire;
/** Somebody else's session, with an answer under way all the time. */
let other: Wire;

beforeAll(async () => {
  server = await RealServer.start({ simulator: { tokens: 3 } });
  user = server.user();
  session = await user.session();
  wire = await user.join(session);
  const stranger = server.user();
  other = await stranger.join(await stranger.session());
  await other.ask('long', 'Go on and on [[sim tokens=20000 tokenMs=10]]');
  await other.frame('delta');
});
afterAll(() => server.close());

const send = (id: string, text: string) => JSON.stringify({ type: 'send', id, text });
const LONG_TEXT = 'x'.repeat(100_000);

/** The last place of the shared session's log, as a newcomer is told. */
async function logEnd(): Promise<number> {
  const newcomer = await user.wire(session).opened();
  const { seq } = await newcomer.hello();
  newcomer.close();
  return seq;
}

describe('over the WebSocket', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['text that is not JSON', '{', 'bad_json'],
    ['an empty frame', '', 'bad_json'],
    ['a binary frame', new Uint8Array([0, 255, 1]), 'binary_frame'],
    ['JSON as a binary frame', Buffer.from(send('bin', 'x')), 'binary_frame'],
    ['an unknown type', '{"type":"drop"}', 'bad_frame'],
    ['a frame of the server', '{"type":"ack","id":"x","seq":1,"position":0}', 'bad_frame'],
    ['no type', '{}', 'bad_frame'],
    ['a list', '[{"type":"ping"}]', 'bad_frame'],
    ['null', 'null', 'bad_frame'],
    ['a wrong type of a field', '{"type":"send","id":1,"text":"x"}', 'bad_frame'],
    ['a priority out of bounds', '{"type":"send","id":"p","text":"x","priority":9}', 'bad_frame'],
    ['a number that is no number', '{"type":"stop","turn":1e999}', 'bad_frame'],
    ['a field too many', '{"type":"typing","loud":true}', 'bad_frame'],
    ['__proto__ as a field', '{"type":"send","id":"x","text":"x","__proto__":{"priority":2}}', 'bad_frame'],
    ['constructor as the type', '{"type":"constructor"}', 'bad_frame'],
    ['deep JSON', `{"type":"send","id":"d","text":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'bad_frame'],
    ['deep objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'bad_frame'],
    ['a frame of more than 64 KB', send('big', 'x'.repeat(MAX_FRAME_BYTES)), 'frame_too_large'],
    ['a message of 100 KB', send('huge', LONG_TEXT), 'frame_too_large'],
    ['a text of more than 32 KB', send('long', 'x'.repeat(MAX_TEXT_BYTES + 1)), 'text_too_long'],
    ['an empty message', send('empty', ''), 'text_empty'],
    ['white space as a message', send('blank', ' \n\t\u00a0'), 'text_empty'],
    ['a lone surrogate', '{"type":"send","id":"half","text":"a\\ud83d"}', 'text_malformed'],
    [
      'the halves of a pair the wrong way round',
      '{"type":"send","id":"swap","text":"\\ude00\\ud83d"}',
      'text_malformed',
    ],
    ['an id with a space', send('a b', 'x'), 'bad_frame'],
    ['an empty id', send('', 'x'), 'bad_frame'],
    ['an id of 65 characters', send('i'.repeat(65), 'x'), 'bad_frame'],
    ['a stop of nothing', '{"type":"stop","turn":77}', 'not_running'],
    ['a cancel of nothing', '{"type":"cancel","id":"nobody"}', 'not_queued'],
    ['an edit of nothing', '{"type":"edit","id":"nobody","text":"x"}', 'not_queued'],
    ['a regenerate of nothing', '{"type":"regenerate","turn":77,"baseSeq":1}', 'nothing_to_regenerate'],
    ['another protocol in a second hello', '{"type":"hello","protocol":"1"}', 'bad_frame'],
  ])('%s', async (_, data, code) => {
    // A wire of its own: who sends too much rubbish is closed.
    const own = await user.join(session);
    const before = await logEnd();
    expect(await own.refused(data)).toMatchObject({ code, retryable: false });
    expect(await logEnd()).toBe(before);
    own.close();
  });

  test('a second hello', async () => {
    const own = await user.join(session);
    expect(await own.refused({ type: 'hello', protocol: PROTOCOL_VERSION })).toMatchObject({ code: 'bad_frame' });
    own.close();
  });

  test('S2: the same id with the same text is acknowledged again, with another text refused', async () => {
    const first = await wire.ask('twice', 'the same');
    const mark = wire.received.length;
    wire.send({ type: 'send', id: 'twice', text: 'the same' });
    expect(await wire.frame('ack', ({ id }) => id === 'twice', mark)).toMatchObject({ seq: first.seq });
    expect(await wire.refused({ type: 'send', id: 'twice', text: 'another' })).toMatchObject({
      code: 'id_conflict',
      id: 'twice',
    });
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is an id like any other', async (id) => {
    const { seq } = await wire.ask(id, 'a strange name');
    expect(await wire.outcome(seq)).toMatchObject({ kind: 'reply' });
  });

  test('frames before hello are refused, and hello is still welcome', async () => {
    const own = await user.wire(session).opened();
    expect(await own.refused({ type: 'send', id: 'early', text: 'x' })).toMatchObject({ code: 'hello_required' });
    expect(await own.refused({ type: 'typing' })).toMatchObject({ code: 'hello_required' });
    const { seq } = await own.hello();
    expect(own.events().every((event) => event.kind !== 'message' || event.id !== 'early')).toBe(true);
    expect(seq).toBeGreaterThan(0);
    own.close();
  });

  test('another protocol version is told so and closed for good', async () => {
    const own = await user.wire(session).opened();
    expect(await own.refused({ type: 'hello', protocol: 99 })).toMatchObject({ code: 'protocol_version' });
    expect((await own.closed).code).toBe(4409);
  });

  test('a client that sends nothing but rubbish is closed, and only that one', async () => {
    const own = await user.join(session);
    for (let index = 0; index < MAX_BAD_FRAMES; index += 1) own.raw('{');
    expect((await own.closed).code).toBe(4400);
    expect(await wire.refused({ type: 'stop', turn: 77 })).toMatchObject({ code: 'not_running' });
  });

  test('S3: a full queue refuses, retryable, and takes the message when there is room', async () => {
    const own = server.user();
    const full = await own.join(await own.session());
    const { seq } = await full.ask('runs', 'wait for it [[sim fault=stall@1]]');
    for (let index = 0; index < MAX_QUEUE_LENGTH; index += 1) {
      full.send({ type: 'send', id: `q${index}`, text: 'x' });
    }
    await full.frame('ack', ({ id }) => id === `q${MAX_QUEUE_LENGTH - 1}`);
    const over = { type: 'send', id: 'over', text: 'x' } as const;
    expect(await full.refused(over)).toMatchObject({ code: 'queue_full', id: 'over', retryable: true });
    full.send({ type: 'stop', turn: seq });
    await full.outcome(seq);
    expect(await full.ask('over', 'x')).toMatchObject({ id: 'over' });
    full.drop();
  });

  test('a session that does not exist says so on an open socket, and closes for good', async () => {
    for (const id of [`s_${'0'.repeat(32)}`, 's_x', '__proto__', '%2e%2e']) {
      const own = user.wire(id);
      expect(await own.frame('error')).toMatchObject({ code: 'session_not_found', retryable: false });
      expect((await own.closed).code).toBe(4404);
    }
  });

  test('somebody without a cookie, or with a forged one, is not let in', async () => {
    const nobody = server.user();
    expect(await nobody.wire(session).frame('error')).toMatchObject({ code: 'unauthorized' });
    nobody.cookie = user.cookie.slice(0, -3);
    const forged = nobody.wire(session);
    expect(await forged.frame('error')).toMatchObject({ code: 'unauthorized' });
    expect((await forged.closed).code).toBe(4401);
  });
});

describe('over HTTP', () => {
  const post = (body: unknown, headers = {}) => user.request(`/api/sessions/${session}/messages`, { body, headers });

  test.each<[string, unknown, number, string]>([
    ['not JSON', '{', 400, 'bad_json'],
    ['not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 400, 'bad_json'],
    ['a list', [], 400, 'bad_request'],
    ['no id', { text: 'x' }, 400, 'bad_request'],
    ['no text', { id: 'x' }, 400, 'bad_request'],
    ['a wrong type', { id: 'x', text: 7 }, 400, 'bad_request'],
    ['a field too many', { id: 'x', text: 'x', role: 'bot' }, 400, 'bad_request'],
    ['__proto__', '{"id":"x","text":"x","__proto__":{}}', 400, 'bad_request'],
    ['deep JSON', `{"id":"x","text":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400, 'bad_request'],
    ['an id with a slash', { id: 'a/b', text: 'x' }, 400, 'bad_request'],
    ['an empty message', { id: 'x', text: '' }, 400, 'text_empty'],
    ['a lone surrogate', '{"id":"x","text":"\\ud83d"}', 400, 'text_malformed'],
    ['a text of more than 32 KB', { id: 'x', text: 'x'.repeat(MAX_TEXT_BYTES + 1) }, 413, 'text_too_long'],
    ['a message of 100 KB', { id: 'x', text: LONG_TEXT }, 413, 'body_too_large'],
  ])('%s', async (_, body, status, code) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status, body: { code, status } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  test('a body that is not said to be JSON', async () => {
    expect(await post({ id: 'x', text: 'x' }, { 'content-type': 'text/plain' })).toMatchObject({
      status: 400,
      body: { code: 'bad_request' },
    });
  });

  test('an unknown session, bot, path and method', async () => {
    expect(await user.request('/api/sessions/s_1')).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
    expect(await user.post(`s_${'0'.repeat(32)}`, 'x', 'x')).toMatchObject({ body: { code: 'session_not_found' } });
    expect(await user.request('/api/sessions', { body: { bot: 'nobody' } })).toMatchObject({
      status: 404,
      body: { code: 'bot_not_found' },
    });
    expect(await user.request('/api/sessions', { body: { bot: '../x' } })).toMatchObject({
      body: { code: 'bot_not_found' },
    });
    expect(await user.request('/api/nothing')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await user.request('/api/sessions', { method: 'PUT' })).toMatchObject({
      status: 405,
      body: { code: 'method_not_allowed' },
    });
    expect(await user.request(`/api/sessions/${session}/connect`)).toMatchObject({
      status: 426,
      body: { code: 'upgrade_required' },
    });
  });

  test('a page of another origin is refused', async () => {
    const answer = await post({ id: 'foreign', text: 'x' }, { origin: 'https://evil.example' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'origin_forbidden' } });
  });
});

test('after all of it: nothing was lost here, and the other session noticed nothing', async () => {
  const { seq } = await wire.ask('after', 'Still there?');
  expect(await wire.outcome(seq)).toMatchObject({ kind: 'reply' });
  const log = await readLog(user, session);
  const ids = log.flatMap((record) => (record.kind === 'message' ? [record.id] : []));
  expect(ids).toEqual(['twice', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'after']);
  const clients = [wire.recording];
  expect(checkHistory({ session, log, clients, atRest: true, rows: null, pages: null })).toEqual([]);

  expect(other.received.some(({ type }) => type === 'error' || type === 'presence')).toBe(false);
  expect(other.events().map(({ kind }) => kind)).not.toContain('restarted');
  const soFar = other.received.length;
  await other.frame('delta', () => true, soFar);
  other.send({ type: 'stop', turn: 2 });
  const stopped = await other.outcome(2);
  expect(stopped.text).toBe(other.joined(2, 1));
});
