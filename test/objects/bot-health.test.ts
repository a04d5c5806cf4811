/** A bot's endpoint dying and coming back, over virtual time. Rules of src/bots/SPEC.md. */
import { describe, expect, it } from 'vitest';
import { BotWorld } from './bot-world.ts';

/** Sessions whose answers go on: they call once a second. */
async function beatFor(world: BotWorld, ms: number, progressed: () => boolean, phase = 0): Promise<void> {
  await world.advance(phase);
  for (let passed = phase; passed < ms; passed += 1_000) {
    world.beat('a', { progressed: progressed() });
    await world.advance(Math.min(1_000, ms - passed));
  }
}

describe('B19: an endpoint', () => {
  it.each(['refused', 'silent'] as const)(
    'that is %s while a turn runs is noticed within two seconds, whenever it dies',
    async (gone) => {
      for (let phase = 0; phase < 1_000; phase += 90) {
        const world = await new BotWorld().launched();
        world.ask('a');
        await beatFor(world, 5_000 + phase, () => true);
        const beats = phase % 1_000;
        world.endpoint = gone;
        const diedAt = world.time;
        // What a session says just after is of before.
        await world.advance(1_000 - beats);
        world.beat('a', { progressed: true });
        await world.advance(2_000 - (world.time - diedAt));
        expect(world.view().state, `died ${phase} ms into a second`).toBe('degraded');
        expect(world.ask('b')).toMatchObject({ do: 'wait', reason: 'endpoint' });
      }
    },
  );

  it.each(['refused', 'silent'] as const)(
    'that was %s is back within five seconds, and who waits is told',
    async (gone) => {
      for (let awayMs = 3_000; awayMs < 4_500; awayMs += 170) {
        const world = await new BotWorld().launched();
        world.ask('a');
        world.endpoint = gone;
        await world.advance(2_500);
        expect(world.ask('b')).toMatchObject({ do: 'wait', reason: 'endpoint' });
        await world.advance(awayMs);
        world.wakes.length = 0;
        world.endpoint = 'up';
        await world.advance(2_500);
        expect(world.view()).toMatchObject({ state: 'running', breaker: 'closed', because: null });
        expect(world.wakes.map(({ session }) => session)).toContain('b');
        expect(world.ask('b')).toMatchObject({ do: 'go' });
      }
    },
  );

  it('B20: what cannot be asked, as Workers AI, is tried with a turn when the pause is over', async () => {
    const world = await new BotWorld().launched({ kind: 'workers-ai', model: '@cf/x' });
    for (let turn = 1; turn <= 5; turn += 1) {
      world.ask('a', { turn });
      world.end('a', { turn, outcome: 'failed', code: 'endpoint_error' });
    }
    expect(world.ask('b')).toMatchObject({ do: 'wait', reason: 'endpoint' });
    await world.advance(1_500);
    expect(world.probes).toEqual([]);
    expect(world.wakes.map(({ session }) => session)).toContain('b');
    expect(world.ask('b')).toMatchObject({ do: 'go' });
    expect(world.ask('c')).toMatchObject({ do: 'wait', reason: 'endpoint' });
    world.end('b', { outcome: 'reply' });
    expect(world.view().state).toBe('running');
  });

  it('comes back by itself when nobody waits any more', async () => {
    const world = await new BotWorld().launched();
    world.ask('a');
    world.endpoint = 'refused';
    await world.advance(2_500);
    world.end('a', { outcome: 'failed', code: 'answer_incomplete' });
    await world.advance(5 * 60_000);
    expect(world.view().state).toBe('degraded');
    world.endpoint = 'up';
    await world.advance(5_000);
    expect(world.view().state).toBe('running');
  });

  it('is not asked for ever: ten minutes after the last turn it is left alone, until somebody looks', async () => {
    const world = await new BotWorld().launched();
    world.ask('a');
    world.endpoint = 'refused';
    await world.advance(2_500);
    world.end('a', { outcome: 'failed', code: 'endpoint_unreachable' });
    await world.advance(12 * 60_000);
    const probes = world.probes.length;
    await world.advance(60 * 60_000);
    expect(world.probes.length).toBe(probes);
    expect(world.alarmAt).toBeNull();
    world.endpoint = 'up';
    expect(world.view().state).toBe('degraded');
    await world.advance(10);
    expect(world.view().state).toBe('running');
  });

  it('is asked about once a second while a turn runs, and not at all when none does', async () => {
    const world = await new BotWorld().launched();
    await world.advance(60_000);
    expect(world.probes.length).toBe(1);
    world.ask('a');
    await beatFor(world, 60_000, () => true);
    expect(world.probes.length).toBeGreaterThan(55);
    expect(world.probes.length).toBeLessThan(75);
    world.end('a');
    const probes = world.probes.length;
    await world.advance(60_000);
    expect(world.probes.length).toBeLessThanOrEqual(probes + 1);
  });

  it('of one bot that dies leaves others alone: each has its own object', async () => {
    const [one, other] = [await new BotWorld().launched(), await new BotWorld().launched()];
    one.endpoint = 'refused';
    for (const world of [one, other]) world.ask('a');
    await Promise.all([one.advance(3_000), other.advance(3_000)]);
    expect([one.view().state, other.view().state]).toEqual(['degraded', 'running']);
  });
});

describe('B20: failures of turns', () => {
  it('five in a row open the breaker; then one turn is tried, and its success opens the line', async () => {
    const world = await new BotWorld().launched();
    const failure = {
      outcome: 'failed',
      code: 'endpoint_error',
      message: 'The endpoint refused the request.',
    } as const;
    for (let n = 0; n < 5; n += 1) {
      expect(world.ask(`s${n}`).do).toBe('go');
      world.end(`s${n}`, failure);
    }
    expect(world.view()).toMatchObject({ state: 'degraded', breaker: 'open', because: failure.message });
    expect(world.view().stats.breakerOpened).toBe(1);
    for (const session of ['a', 'b', 'c']) expect(world.ask(session)).toMatchObject({ reason: 'endpoint' });
    await world.advance(4_000);
    expect(world.view().breaker).toBe('half-open');
    expect([world.ask('a').do, world.ask('b').do]).toEqual(['go', 'wait']);
    expect(world.beat('a', { progressed: true }).do).toBe('go');
    expect(world.view().state).toBe('running');
    await world.advance(10);
    expect([world.ask('b').do, world.ask('c').do]).toEqual(['go', 'go']);
  });

  it('a limited bot tries one turn, too, and no other gets a slot meanwhile', async () => {
    const world = await new BotWorld().launched({ concurrency: 3 });
    for (let n = 0; n < 5; n += 1) {
      world.ask(`s${n}`);
      world.end(`s${n}`, { outcome: 'failed', code: 'endpoint_busy' });
    }
    for (const session of ['a', 'b', 'c']) world.ask(session);
    await world.advance(4_000);
    expect(world.ask('a').do).toBe('go');
    expect([world.ask('b').do, world.ask('c').do]).toEqual(['wait', 'wait']);
    world.end('a');
    expect([world.ask('b').do, world.ask('c').do]).toEqual(['go', 'go']);
  });

  it('of the model do not', async () => {
    const world = await new BotWorld().launched();
    for (let n = 0; n < 20; n += 1) {
      world.ask('a', { turn: n + 1 });
      world.end('a', { turn: n + 1, outcome: 'failed', code: 'model_error' });
    }
    expect(world.view().state).toBe('running');
  });
});

it('B21: an answer that goes on keeps the bot open though probes are not answered', async () => {
  const world = await new BotWorld().launched();
  const sessions = Array.from({ length: 10 }, (_, n) => `s${n}`);
  for (const session of sessions) world.ask(session);
  world.endpoint = 'silent';
  for (let tick = 0; tick < 200; tick += 1) {
    await world.advance(100);
    world.beat(sessions[tick % 10] ?? '', { progressed: true });
    expect(world.view().breaker).toBe('closed');
  }
});

it('B21: probes that a busy process gave up too late do not close the bot', async () => {
  const world = await new BotWorld().launched();
  world.ask('a');
  world.endpoint = 'silent';
  for (let stall = 0; stall < 10; stall += 1) {
    await world.advance(300);
    // Nothing runs for so long: timers fire when they can.
    world.time += 1_500;
    await world.advance(0);
  }
  expect(world.view().breaker).toBe('closed');
  world.beat('a', { progressed: false });
  await world.advance(2_500);
  expect(world.view().breaker).toBe('open');
});

it('B19: a change of endpoint forgets what was known of the old one', async () => {
  const world = new BotWorld({ ALLOWED_ENDPOINTS: 'http://127.0.0.1:9000' });
  await world.launched();
  world.ask('a');
  world.endpoint = 'refused';
  await world.advance(2_500);
  expect(world.ask('b')).toMatchObject({ do: 'wait', reason: 'endpoint' });
  world.endpoint = 'up';
  world.runtime.update('token', null, { endpoint: 'http://127.0.0.1:9000' });
  expect(world.ask('b')).toMatchObject({ do: 'go', revision: 2 });
});
