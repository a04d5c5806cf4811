/** B19, B20: an endpoint that dies is noticed, what was asked meanwhile waits and is answered by itself, other bots never know. */
import { expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../src/local/simulator/server.ts';
import { eventually } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** The rules' own figures, and what a loaded machine adds to them; with the clock held they are exact (test/objects/bot-health.test.ts). */
const NOTICED_WITHIN_MS = 2_000;
const RECOVERED_WITHIN_MS = 5_000;
const SLACK_MS = 1_500;
const QUICK = 'Quick [[sim tokens=5]]';

test.each(['refuses connections', 'swallows everything'])('an endpoint that %s', async (how) => {
  const model = await startSimulator({ tokens: 5 });
  onTestFinished(() => model.close());
  const proxy = await TcpProxy.start(model.url);
  onTestFinished(() => proxy.close());
  const bots = [{ id: 'frail', name: 'Frail', endpoint: proxy.url, model: 'simulator' }];
  const server = await RealServer.forTest({ variables: { BOTS: JSON.stringify(bots) } });
  const user = server.user();
  const wire = await user.join(await user.session({ bot: 'frail' }));
  const other = await user.join(await user.session());
  await wire.outcome((await wire.ask('before', QUICK)).seq);
  const state = async () => {
    const { body } = await user.request('/api/bots/frail/status');
    return typeof body === 'object' && body !== null && 'state' in body ? body.state : null;
  };

  const { seq: cut } = await wire.ask('cut', 'Slowly [[sim tokens=100 tokenMs=20]]');
  await eventually(
    async () => wire.joined(cut, 1).length,
    (length) => length > 20,
    5_000,
  );
  const diedAt = performance.now();
  if (how === 'refuses connections') {
    await proxy.refuse();
    proxy.reset();
  } else proxy.set({ blackhole: true });
  await eventually(state, (now) => now === 'degraded', NOTICED_WITHIN_MS + SLACK_MS);
  const noticedMs = performance.now() - diedAt;

  const beside = await other.ask('beside', QUICK);
  expect(await other.outcome(beside.seq)).toMatchObject({ kind: 'reply' });
  const waiting = await wire.ask('waiting', QUICK);
  const later = await wire.ask('later', QUICK);

  const healedAt = performance.now();
  await proxy.heal();
  for (const { seq } of [waiting, later]) expect(await wire.outcome(seq)).toMatchObject({ kind: 'reply' });
  const recoveredMs = performance.now() - healedAt;
  expect(recoveredMs).toBeLessThan(RECOVERED_WITHIN_MS + SLACK_MS);
  await eventually(state, (now) => now === 'running', RECOVERED_WITHIN_MS);
  console.log(
    `${how}: noticed after ${noticedMs.toFixed(0)} ms, answered ${recoveredMs.toFixed(0)} ms after it was back`,
  );
});
