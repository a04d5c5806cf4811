/**
 * An idle session's object leaves memory while its sockets stay open; the next frame brings it back.
 * Slow: the runtime waits 10 s before it evicts.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkHistory } from '../support/history-checker.ts';
import { eventually, readLog, readPages, readRows } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';

/** The runtime evicts after 10 s without anything to do; the delivery to D1 comes before. */
const EVICTED_AFTER_MS = 11_500;

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({ simulator: { tokens: 6 } });
});
afterAll(() => server.close());

test('S15, S18: an idle session hibernates with its sockets, and goes on as if it had not', async () => {
  const user = server.user();
  const session = await user.session();
  const wire = await user.wire(session).opened();
  const before = await wire.hello();
  const other = await user.join(session);
  const first = await wire.ask('a', 'Before the sleep');
  await wire.outcome(first.seq);
  const delivered = await eventually(
    async () => readRows(await server.d1(), session),
    (rows) => rows.length === 2,
    5_000,
  );
  expect(delivered).toHaveLength(2);
  const [frames, otherFrames] = [wire.received.length, other.received.length];

  await new Promise((resolve) => setTimeout(resolve, EVICTED_AFTER_MS));
  // Pings went on meanwhile and woke nobody.
  expect([wire.received.length, other.received.length]).toEqual([frames, otherFrames]);

  // No hello: the socket is still welcome where it was.
  const second = await wire.ask('b', 'After the sleep [[sim tokens=20 tokenMs=5]]');
  const reply = await wire.outcome(second.seq);
  expect(await other.outcome(second.seq)).toEqual(reply);
  expect(wire.joined(second.seq, 1)).toBe(reply.text);
  expect(wire.events().filter(({ seq }) => seq >= second.seq)).toEqual(
    other.events().filter(({ seq }) => seq >= second.seq),
  );

  // A new process would not know these sockets: it was the object that was replaced, not the server.
  const { epoch } = await user
    .wire(session)
    .opened()
    .then((late) => late.hello());
  expect(epoch).not.toBe(before.epoch);

  const log = await readLog(user, session);
  expect(log.some(({ kind }) => kind === 'restarted')).toBe(false);
  const rows = await eventually(
    async () => readRows(await server.d1(), session),
    (all) => all.length === 4,
    10_000,
  );
  const pages = await readPages(user, session);
  expect(checkHistory({ session, log, clients: [wire.recording, other.recording], atRest: true, rows, pages })).toEqual(
    [],
  );
}, 60_000);
