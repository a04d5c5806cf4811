/** Connections that only look open: nothing comes and nobody is told. Both sides notice within 10 s. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIRST_RETRY_MS } from '../../src/client/backoff.ts';
import { WAKE_PROBE_TIMEOUT_MS } from '../../src/client/connection.ts';
import { RealServer } from '../support/real-server.ts';
import { expectNothingLost, pause, Traveller, until } from './traveller.ts';

/** A loaded machine's delays, over what is promised. */
const SLACK_MS = 250;
const NOTICED_WITHIN_MS = 10_000;

let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start({ simulator: { tokens: 4 } });
});
afterAll(() => server.close());

test.concurrent('half-open: both sides notice within 10 s, and nothing is lost', async (context) => {
  const traveller = await Traveller.start(server, context);
  // The session is at work all the while: that is when it looks after its connections.
  await traveller.listen(400, 30);
  expect(await traveller.toldOfTabs(2, 1_000)).toBe(2);
  await pause(500);
  traveller.proxy.strand();
  const strandedAt = performance.now();
  await traveller.send('Into the void');
  const client = until('noticed by the client', () => traveller.view.connection !== 'live', NOTICED_WITHIN_MS);
  await client;
  expect(performance.now() - strandedAt).toBeLessThan(NOTICED_WITHIN_MS);
  await until('live again', () => traveller.view.connection === 'live', 1_000);
  await expectNothingLost(traveller);
}, 30_000);

test.concurrent('half-open: the server lets the connection go and tells the other tabs within 10 s', async (context) => {
  const traveller = await Traveller.start(server, context);
  await traveller.listen(400, 30);
  expect(await traveller.toldOfTabs(2, 1_000)).toBe(2);
  await pause(500);
  // Nobody comes back, so that what the server tells is about the dead connection alone.
  await traveller.proxy.refuse();
  traveller.proxy.strand();
  const strandedAt = performance.now();
  expect(await traveller.toldOfTabs(1, NOTICED_WITHIN_MS)).toBe(1);
  expect(performance.now() - strandedAt).toBeLessThan(NOTICED_WITHIN_MS);
  await traveller.proxy.heal();
  traveller.client.wake();
  await expectNothingLost(traveller);
}, 30_000);

test.concurrent('half-open and then `online`: known within 2 s instead', async (context) => {
  const traveller = await Traveller.start(server, context);
  // Whatever is still on its way to the client would be taken for a sign of life.
  await pause(200);
  traveller.proxy.strand();
  await traveller.send('Into the void');
  const wokenAt = performance.now();
  traveller.client.wake();
  await until('connected again', () => traveller.proxy.acceptedAt.length === 2, 5_000);
  expect(performance.now() - wokenAt).toBeLessThan(WAKE_PROBE_TIMEOUT_MS + FIRST_RETRY_MS + SLACK_MS);
  await expectNothingLost(traveller);
});
