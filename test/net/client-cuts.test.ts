/** A connection that is cut in the middle of a frame, at any place: the next one goes on from there, soon. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FIRST_RETRY_MS } from '../../src/client/backoff.ts';
import { RealServer } from '../support/real-server.ts';
import { expectNothingLost, Traveller, until } from './traveller.ts';

/** What a loaded machine may add; the 250 ms themselves are held on virtual time in test/client. */
const SLACK_MS = 1_000;

// They wait most of the time, each on a network of its own.
vi.setConfig({ maxConcurrency: 40 });

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({ simulator: { tokens: 4 } });
});
afterAll(() => server.close());

/** Bytes after which the connection is cut: inside a frame's header, its payload, between frames. */
const PLACES = [1, 2, 3, 5, 8, 13, 40, 80, 120, 150, 200, 333];

describe.concurrent.each(['truncateAfterBytes', 'resetAfterBytes'] as const)('%s', (kind) => {
  test.for(PLACES)(
    'S16: %i bytes of the answer later, the rest follows on another connection',
    async (bytes, context) => {
      const traveller = await Traveller.start(server, context);
      await traveller.listen(200, 15);
      const cutAt = performance.now();
      traveller.proxy.set({ [kind]: bytes }, 'down');
      await until('connected again', () => traveller.proxy.acceptedAt.length === 2, 3_000);
      await traveller.proxy.heal();
      expect((traveller.proxy.acceptedAt[1] ?? Infinity) - cutAt).toBeLessThan(FIRST_RETRY_MS + 4 * SLACK_MS);
      const [story] = await expectNothingLost(traveller);
      expect(traveller.joined(story?.turn ?? 0)).toBe(story?.text);
    },
  );

  test.for([1, 2, 4, 6, 100, 2_000])('S2: %i bytes into a message, it arrives once', async (bytes, context) => {
    const traveller = await Traveller.start(server, context);
    traveller.proxy.set({ [kind]: bytes }, 'up');
    await traveller.send(`é👩‍🚀 ${'long '.repeat(600)}`);
    await until('connected again', () => traveller.proxy.acceptedAt.length === 2, 3_000);
    await traveller.proxy.heal();
    await expectNothingLost(traveller);
  });
});

test.concurrent('the first try after a loss comes within 250 ms, and not in one wave', async (context) => {
  const all = await Promise.all(Array.from({ length: 12 }, () => Traveller.start(server, context)));
  const lostAt = performance.now();
  for (const { proxy } of all) proxy.reset();
  await Promise.all(all.map(({ proxy }) => until('connected again', () => proxy.acceptedAt.length === 2)));
  const after = all.map(({ proxy }) => (proxy.acceptedAt[1] ?? Infinity) - lostAt);
  expect(Math.max(...after)).toBeLessThan(FIRST_RETRY_MS + SLACK_MS);
  // Twelve even chances over 250 ms lie within 40 ms of each other once in a hundred million times.
  expect(Math.max(...after) - Math.min(...after)).toBeGreaterThan(40);
  await until('live', () => all.every(({ view }) => view.connection === 'live'));
});
