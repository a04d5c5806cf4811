import { describe, expect, it } from 'vitest';
import type { BotMessage } from '../../src/protocol/transcript.ts';
import { waitSeconds } from '../../src/server/prefer.ts';
import { harness, postJson, problemOf, userMessage, withSession } from './harness.ts';

const reply: BotMessage = {
  role: 'bot',
  status: 'complete',
  seq: 3,
  turn: 2,
  attempt: 1,
  id: '2.1',
  text: 'Hello!',
  at: 1_700_000_000_003,
};

async function prepared() {
  const h = harness();
  const { id, path, cookie } = await withSession(h);
  const session = h.session(id);
  const send = (body: unknown, headers: Record<string, string> = {}) =>
    h.app.request(`${path}/messages`, postJson(body, { cookie, ...headers }));
  const read = (query = '') => h.app.request(`${path}/messages${query}`, { headers: { cookie } });
  return { h, session, send, read };
}

describe('sending without a socket', () => {
  it('answers 202 once the message is durable', async () => {
    const { send } = await prepared();
    const response = await send({ id: 'm1', text: 'Hi' });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ id: 'm1', seq: 2, position: 0 });
  });

  it('answers the same for the same id and text, 409 for another text', async () => {
    const { send, session } = await prepared();
    const first: unknown = await (await send({ id: 'm1', text: 'Hi' })).json();
    expect(await (await send({ id: 'm1', text: 'Hi' })).json()).toEqual(first);
    const other = await send({ id: 'm1', text: 'Ho' });
    expect(other.status).toBe(409);
    expect(await problemOf(other)).toMatchObject({ code: 'id_conflict', id: 'm1' });
    expect(session.log).toHaveLength(1);
  });

  it('waits for the reply when it is preferred', async () => {
    const { send, session } = await prepared();
    session.reply = reply;
    const response = await send({ id: 'm1', text: 'Hi' }, { prefer: 'wait=30' });
    expect(response.status).toBe(200);
    expect(response.headers.get('preference-applied')).toBe('wait=30');
    expect(await response.json()).toMatchObject({
      id: 'm1',
      seq: 2,
      reply: { seq: 3, text: 'Hello!', status: 'complete' },
    });
    expect(session.waits).toEqual([30_000]);
  });

  it('answers 202 when the reply takes longer than preferred', async () => {
    const { send } = await prepared();
    const response = await send({ id: 'm1', text: 'Hi' }, { prefer: 'wait=1' });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ id: 'm1', seq: 2, position: 0 });
  });

  it.each<[string, number]>([
    ['wait=30', 30],
    ['WAIT = 5', 5],
    ['wait="7"', 7],
    ['respond-async, wait=9', 9],
    ['wait=3, wait=8', 3],
    ['wait=4; foo=bar', 4],
    ['wait=121', 120],
    ['wait=999999999', 120],
    ['wait=0', 0],
    ['wait=-1', 0],
    ['wait=1.5', 0],
    ['wait=soon', 0],
    ['wait', 0],
    ['await=5', 0],
    ['', 0],
  ])('reads Prefer: %s as %d s, never more than 120', (prefer, seconds) => {
    expect(waitSeconds(prefer)).toBe(seconds);
  });

  it.each<[string, unknown, number, string]>([
    ['no id', { text: 'Hi' }, 400, 'bad_request'],
    ['no text', { id: 'm1' }, 400, 'bad_request'],
    ['an id with a space', { id: 'm 1', text: 'Hi' }, 400, 'bad_request'],
    ['an id too long', { id: 'm'.repeat(65), text: 'Hi' }, 400, 'bad_request'],
    ['a text of a wrong type', { id: 'm1', text: ['Hi'] }, 400, 'bad_request'],
    ['an unknown priority', { id: 'm1', text: 'Hi', priority: 3 }, 400, 'bad_request'],
    ['an unknown field', { id: 'm1', text: 'Hi', role: 'system' }, 400, 'bad_request'],
    ['no body', '', 400, 'bad_request'],
    ['an empty text', { id: 'm1', text: '' }, 400, 'text_empty'],
    ['nothing but spaces', { id: 'm1', text: ' \n' }, 400, 'text_empty'],
    ['half of a surrogate pair', '{"id":"m1","text":"\\ud800"}', 400, 'text_malformed'],
    ['a text too long', { id: 'm1', text: 'x'.repeat(32 * 1024 + 1) }, 413, 'text_too_long'],
    ['a text of 100 KB', { id: 'm1', text: 'x'.repeat(100 * 1024) }, 413, 'body_too_large'],
  ])('refuses %s and stores nothing', async (_, body, status, code) => {
    const { send, session } = await prepared();
    const response = await send(body);
    expect(response.status).toBe(status);
    expect(await problemOf(response)).toMatchObject({ code });
    expect(session.log).toEqual([]);
  });
});

describe('reading messages', () => {
  it('gives the newest page in order, and by its cursor the one before, to the beginning', async () => {
    const { read, session } = await prepared();
    session.log = [2, 3, 4, 5, 6].map((seq) => userMessage(seq, `m${seq}`, 'Hi'));
    const newest = await (await read('?limit=2')).json();
    expect(newest).toMatchObject({ messages: [{ seq: 5 }, { seq: 6 }], nextCursor: 5 });
    expect(await (await read('?limit=3&before=5')).json()).toMatchObject({
      messages: [{ seq: 2 }, { seq: 3 }, { seq: 4 }],
      nextCursor: null,
    });
  });

  it('gives 50 messages unless told otherwise', async () => {
    const { read, session } = await prepared();
    session.log = Array.from({ length: 60 }, (_, i) => userMessage(i + 2, `m${i}`, 'Hi'));
    const page: unknown = await (await read()).json();
    expect(page).toHaveProperty('messages.length', 50);
  });

  it.each(['limit=0', 'limit=201', 'limit=ten', 'before=0', 'before=-1', 'before=1.5', 'before=9999999999999999'])(
    'refuses %s, naming it',
    async (query) => {
      const { read } = await prepared();
      const response = await read(`?${query}`);
      expect(response.status).toBe(400);
      expect((await problemOf(response))['detail']).toContain(`"${query.split('=')[0]}"`);
    },
  );
});
