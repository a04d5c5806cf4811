/**
 * Between clients and Worker: whatever the network does while messages are sent and an answer is
 * read, afterwards every message is in the log exactly once and what is shown is the log.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { RealServer } from '../support/real-server.ts';
import type { Faults } from '../support/tcp-lane.ts';
import type { Direction, TcpProxy } from '../support/tcp-proxy.ts';
import { expectNothingLost, pause, Traveller, until } from './traveller.ts';

const FAULT_MS = 1_000;
/** An answer that begins before the fault and goes on after it. */
const STORY_TOKENS = 250;
const STORY_TOKEN_MS = 15;

// They wait most of the time, each on a network of its own.
vi.setConfig({ maxConcurrency: 40 });

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({ simulator: { tokens: 4 } });
});
afterAll(() => server.close());

interface Kind {
  name: string;
  begin: (proxy: TcpProxy) => void | Promise<void>;
  /** Before the network is whole again. */
  end?: (proxy: TcpProxy) => void;
}

const set = (name: string, faults: Partial<Faults>, direction?: Direction): Kind => ({
  name,
  begin: (proxy) => proxy.set(faults, direction),
});
const reset = (proxy: TcpProxy): void => void proxy.reset();

const KINDS: Kind[] = [
  set('delays 300 ms each way', { latencyMs: 300 }),
  set('has 4 KB a second', { bytesPerSecond: 4_096 }),
  set('brings byte by byte', { pieceBytes: 1 }),
  set('holds everything back for a while', { blackhole: true }),
  set('holds back what the client says', { blackhole: true }, 'up'),
  set('holds back what the server says', { blackhole: true }, 'down'),
  set('does not read what the server says', { paused: true }, 'down'),
  set('ends every connection after 700 bytes to the client', { truncateAfterBytes: 700 }, 'down'),
  set('ends every connection after 700 bytes to the server', { truncateAfterBytes: 700 }, 'up'),
  set('ends every connection in its first bytes', { truncateAfterBytes: 3 }),
  set('resets every connection after 700 bytes to the client', { resetAfterBytes: 700 }, 'down'),
  set('resets every connection after 700 bytes to the server', { resetAfterBytes: 700 }, 'up'),
  { name: 'loses acknowledgements', begin: (proxy) => proxy.set({ blackhole: true }, 'down'), end: reset },
  { name: 'loses what the client says', begin: (proxy) => proxy.set({ blackhole: true }, 'up'), end: reset },
  {
    name: 'is not there',
    async begin(proxy) {
      await proxy.refuse();
      proxy.reset();
    },
  },
];

describe.concurrent('S1, S2, S8, S15, S16: nothing is lost or doubled when the network', () => {
  test.for(KINDS)('$name', async ({ begin, end }, context) => {
    const traveller = await Traveller.start(server, context);
    const { proxy } = traveller;
    await traveller.listen(STORY_TOKENS, STORY_TOKEN_MS);
    await begin(proxy);
    for (let count = 0; count < 3; count += 1) {
      await traveller.send(`During the fault, ${count}`);
      await pause(FAULT_MS / 3);
    }
    end?.(proxy);
    await proxy.heal();
    // What a browser says when its network is back.
    traveller.client.wake();
    const [story] = await expectNothingLost(traveller);
    // The story was read to its end, over all connections; so its pieces are all of it.
    expect(traveller.joined(story?.turn ?? 0)).toBe(story?.text);
  });
});

test.concurrent('byte by byte from the first byte on, handshake included', async (context) => {
  const traveller = await Traveller.start(server, context, (proxy) => proxy.set({ pieceBytes: 1 }));
  await traveller.listen(20, 5);
  await traveller.send('And é👩‍🚀 another');
  await expectNothingLost(traveller);
  expect(traveller.connections).toBe(1);
});

test.concurrent('S1: over a slow network an acknowledgement comes late, never early', async (context) => {
  const latencyMs = 300;
  const traveller = await Traveller.start(server, context, (proxy) => proxy.set({ latencyMs }));
  const sentAt = performance.now();
  await traveller.send('Slowly');
  const acceptedAt = until('accepted', () => traveller.watcher.events().some(({ kind }) => kind === 'message'));
  const acknowledgedAt = until('acknowledged', () => traveller.view.pending.length === 0);
  // One way to be in the log, both ways to be told so.
  expect((await acceptedAt) - sentAt).toBeGreaterThanOrEqual(latencyMs - 5);
  expect((await acknowledgedAt) - sentAt).toBeGreaterThanOrEqual(2 * latencyMs - 5);
  await expectNothingLost(traveller);
  expect(traveller.connections).toBe(1);
});
