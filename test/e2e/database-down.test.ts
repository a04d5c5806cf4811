/** S4, S19: without D1 the conversation goes on, and D1 has everything after; whatever it did before it failed. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { ROOT } from '../../src/local/build-worker.ts';
import { checkHistory } from '../support/history-checker.ts';
import { expectedRows } from '../support/history-model.ts';
import { eventually, readLog, readPages, readRows } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import type { User } from '../support/user.ts';
import type { Wire } from '../support/wire.ts';

const CATCH_UP_TIMEOUT_MS = 30_000;

let server: RealServer;

beforeAll(async () => {
  const entry = join(ROOT, 'test/workers/support/faulty-history.ts');
  server = await RealServer.start({ entry, simulator: { tokens: 6 } });
});
afterAll(() => server.close());
afterEach(() => setDatabase('up'));

const failuresOf = z.object({ failures: z.int() });

async function setDatabase(state: 'up' | 'down' | 'lost' | 'silent'): Promise<number> {
  const { body } = await server.user().request(`/test/d1?state=${state}`, { method: 'POST' });
  return failuresOf.parse(body).failures;
}

async function expectCaughtUp(user: User, session: string, wire: Wire): Promise<void> {
  const log = await readLog(user, session);
  const wanted = expectedRows(log).length;
  const read = async () => readRows(await server.d1(), session);
  const rows = await eventually(read, (found) => found.length === wanted, CATCH_UP_TIMEOUT_MS);
  const pages = await readPages(user, session);
  const history = { session, log, clients: [wire.recording], atRest: true, rows, pages };
  expect(checkHistory(history)).toEqual([]);
}

/** Asks, waits for the answer, revises, regenerates: everything that D1 has to learn of. */
async function converse(wire: Wire, name: string): Promise<void> {
  const first = await wire.ask(`${name}-1`, 'Begin [[sim tokens=10 tokenMs=20]]');
  const second = await wire.ask(`${name}-2`, 'To be edited');
  await wire.ask(`${name}-3`, 'To be withdrawn');
  wire.send({ type: 'edit', id: `${name}-2`, text: 'Edited' });
  wire.send({ type: 'cancel', id: `${name}-3` });
  await wire.outcome(first.seq);
  const last = await wire.outcome(second.seq);
  wire.send({ type: 'regenerate', turn: second.seq, baseSeq: last.seq });
  await wire.outcome(second.seq, 2);
}

test.each(['down', 'lost'] as const)(
  'D1 is %s: everything but lists goes on, and it catches up',
  async (state) => {
    const user = server.user();
    const session = await user.session();
    const wire = await user.join(session);
    await converse(wire, 'before');
    const before = await setDatabase(state);
    await converse(wire, 'during');
    expect(await user.post(session, 'http', 'Over HTTP too', 20)).toMatchObject({ status: 200 });
    expect((await readPages(user, session)).at(-1)).toMatchObject({ role: 'bot', status: 'complete' });
    expect(await user.request('/api/sessions')).toMatchObject({
      status: 503,
      body: { code: 'unavailable', retryable: true },
    });
    expect(await user.request('/api/search?q=edited')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    // A new session, made while there is no D1, and renamed.
    const born = await user.session({ title: 'Born without' });
    await user.request(`/api/sessions/${born}`, { method: 'PATCH', body: { title: 'Renamed without' } });
    await eventually(
      () => setDatabase(state),
      (failures) => failures > before + 2,
      10_000,
    );
    await setDatabase('up');
    await expectCaughtUp(user, session, wire);
    const list = await eventually(
      async () => JSON.stringify((await user.request('/api/sessions')).body),
      (text) => text.includes('Renamed without'),
      CATCH_UP_TIMEOUT_MS,
    );
    expect(list).toContain('Renamed without');
    // Operators are told, and not what was said.
    expect(server.logs.some((line) => line.includes('delivery_failed'))).toBe(true);
    expect(server.logs.join('\n')).not.toContain('To be withdrawn');
  },
  90_000,
);

test('D1 answers never: messages are accepted and answered all the same', async () => {
  const user = server.user();
  const session = await user.session();
  const wire = await user.join(session);
  await setDatabase('silent');
  await converse(wire, 'silent');
  expect(await user.post(session, 'http', 'Over HTTP too', 20)).toMatchObject({ status: 200 });
  // What waits for D1 as a courtesy waits for a moment only.
  const born = await user.session({ title: 'Born in silence' });
  const patched = await user.request(`/api/sessions/${born}`, {
    method: 'PATCH',
    body: { title: 'Renamed in silence' },
  });
  expect(patched).toMatchObject({ status: 200, body: { title: 'Renamed in silence' } });
  expect((await user.request(`/api/sessions/${born}`, { method: 'DELETE' })).status).toBe(204);
});

test('a session deleted while D1 is down is gone for its readers at once, and from D1 after', async () => {
  const user = server.user();
  const session = await user.session();
  await user.post(session, 'a', 'Forget me', 20);
  const read = async () => readRows(await server.d1(), session);
  await eventually(read, (rows) => rows.length === 2, CATCH_UP_TIMEOUT_MS);
  await setDatabase('down');
  expect((await user.request(`/api/sessions/${session}`, { method: 'DELETE' })).status).toBe(204);
  expect((await user.request(`/api/sessions/${session}/messages`)).status).toBe(404);
  await setDatabase('up');
  expect(await eventually(read, (rows) => rows.length === 0, CATCH_UP_TIMEOUT_MS)).toEqual([]);
}, 60_000);
