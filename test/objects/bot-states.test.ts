/** What operators do to a bot, over virtual time. Rules of src/bots/SPEC.md. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/env.ts';
import { TurnFailure } from '../../src/responders/port.ts';
import { BotWorld, REF, SPEC, callOf, valueOf } from './bot-world.ts';

describe('B1: a bot of the configuration', () => {
  it('runs from the start, and looking at it writes nothing', async () => {
    const world = new BotWorld();
    expect(world.view()).toMatchObject({ state: 'running', revision: 0, spec: null, uptimeMs: 0 });
    await world.advance(60_000);
    expect([world.writes, world.alarmsSet, world.rows.length]).toEqual([0, 0, 0]);
  });

  it('is stopped and launched like any other', async () => {
    const world = new BotWorld();
    valueOf(world.runtime.act('token', REF, 'stop'));
    expect(world.ask('a')).toMatchObject({ do: 'wait', reason: 'stopped' });
    await world.restart();
    expect(world.view().state).toBe('stopped');
    valueOf(world.runtime.act('token', REF, 'launch'));
    await world.advance(100);
    expect(world.ask('a')).toMatchObject({ do: 'go', revision: 0, spec: null });
  });

  it('is up for no less than nothing where the clock was set back since', async () => {
    const world = await new BotWorld().launched();
    world.time -= 3_600_000;
    expect(world.view().uptimeMs).toBe(0);
  });

  it('counts its time up also where the first who did something with it was an operator', async () => {
    const world = new BotWorld();
    valueOf(world.runtime.act('token', REF, 'pause'));
    valueOf(world.runtime.act('token', REF, 'resume'));
    await world.advance(5_000);
    expect(world.view().uptimeMs).toBe(5_000);
  });

  it('cannot be deleted, only what an operator changed of it', () => {
    const world = new BotWorld();
    expect(world.runtime.remove('token', REF)).toMatchObject({ ok: false, error: { code: 'bad_request' } });
    valueOf(world.runtime.update('token', REF, { systemPrompt: 'Rhyme.' }));
    expect(world.view()).toMatchObject({ revision: 1, spec: { systemPrompt: 'Rhyme.' } });
    expect(world.runtime.remove('token', REF)).toMatchObject({ ok: true });
    expect(world.view()).toMatchObject({ revision: 2, spec: null, state: 'running' });
  });
});

describe('B2: a launch', () => {
  it('is durable at once, asks the endpoint, loads the model, and the bot runs', async () => {
    const world = new BotWorld();
    world.runtime.create('token', SPEC);
    expect(world.view()).toMatchObject({ state: 'stopped', revision: 1 });
    expect(valueOf(world.runtime.act('token', null, 'launch')).state).toBe('starting');
    expect(world.probes).toEqual([]);
    await world.advance(100);
    expect([world.probes.length, world.preloads]).toEqual([1, 1]);
    expect(world.view()).toMatchObject({ state: 'running', because: null });
    await world.advance(5_000);
    expect(world.view().uptimeMs).toBe(5_100);
  });

  it('lets turns begin once the endpoint answered, while its model still loads', async () => {
    const world = new BotWorld();
    world.loadMs = 60_000;
    world.runtime.create('token', SPEC);
    world.runtime.act('token', null, 'launch');
    expect(world.ask('a')).toMatchObject({ do: 'wait', reason: 'endpoint' });
    await world.advance(100);
    expect(world.wakes.map(({ session }) => session)).toEqual(['a']);
    expect(world.view().state).toBe('starting');
    expect(world.ask('a')).toMatchObject({ do: 'go' });
    await world.advance(60_000);
    expect(world.view().state).toBe('running');
  });

  it.each(['refused', 'silent'] as const)(
    'of a bot whose endpoint is %s ends degraded, and it runs once the endpoint is back',
    async (gone) => {
      const world = new BotWorld();
      world.endpoint = gone;
      world.runtime.create('token', SPEC);
      world.runtime.act('token', null, 'launch');
      await world.advance(5_100);
      expect(world.view().state).toBe('degraded');
      expect(world.view().because).toMatch(/endpoint/);
      world.endpoint = 'up';
      await world.advance(3_000);
      expect(world.view()).toMatchObject({ state: 'running', because: null });
    },
  );

  it('of a bot whose model is missing ends degraded until a turn succeeds', async () => {
    const world = new BotWorld();
    world.loadFailure = new TurnFailure('model_not_found', 'The endpoint does not have the model.');
    await world.launched();
    expect(world.view()).toMatchObject({ state: 'degraded', because: 'The endpoint does not have the model.' });
    expect(world.ask('a')).toMatchObject({ do: 'go' });
    await world.advance(5_000);
    expect(world.view().state).toBe('degraded');
    world.end('a');
    expect(world.view().state).toBe('running');
  });

  it('is gone on with by the next process', async () => {
    const world = new BotWorld();
    world.loadMs = 10_000;
    world.runtime.create('token', SPEC);
    world.runtime.act('token', null, 'launch');
    await world.advance(50);
    await world.restart();
    expect(world.view().state).toBe('starting');
    await world.advance(10_200);
    expect(world.view().state).toBe('running');
    expect(world.preloads).toBe(2);
  });

  it('that is stopped meanwhile does not come back', async () => {
    const world = new BotWorld();
    world.loadMs = 10_000;
    await world.launched();
    world.runtime.act('token', null, 'stop');
    await world.advance(20_000);
    expect(world.view()).toMatchObject({ state: 'stopped', uptimeMs: 0 });
  });
});

describe('B3: a stop', () => {
  it('lets nothing begin, lets what runs go on for its grace, then fails it', async () => {
    const world = await new BotWorld().launched({ graceMs: 3_000 });
    expect(world.ask('a')).toMatchObject({ do: 'go', callAgainMs: 1_000 });
    world.runtime.act('token', null, 'stop');
    expect(world.ask('b')).toMatchObject({ do: 'wait', reason: 'stopped', place: 0 });
    await world.advance(1_000);
    expect(world.beat('a')).toMatchObject({ do: 'go', callAgainMs: 1_000 });
    await world.advance(1_600);
    // So that it ends when its grace does, not up to a second later.
    expect(world.beat('a')).toMatchObject({ do: 'go', callAgainMs: 400 });
    await world.advance(400);
    expect(world.beat('a')).toMatchObject({ do: 'fail', code: 'bot_stopped' });
  });

  it('is learned of within two seconds, however many sessions run', async () => {
    const world = await new BotWorld().launched();
    for (let n = 0; n < 3_000; n += 1) {
      const answer = world.ask(`s${n}`);
      if (answer.do !== 'go') throw new Error('not begun');
      world.beat(`s${n}`);
      expect(answer.callAgainMs).toBeLessThanOrEqual(1_500);
    }
  });

  it('keeps what waits, without a deadline, and the next launch tells it', async () => {
    const world = await new BotWorld().launched({ concurrency: 1, queueTimeoutMs: 60_000 });
    world.runtime.act('token', null, 'stop');
    for (const session of ['a', 'b']) expect(world.ask(session)).toMatchObject({ do: 'wait', reason: 'stopped' });
    for (let minute = 0; minute < 120; minute += 1) {
      await world.advance(60_000);
      for (const session of ['a', 'b']) expect(world.ask(session).do).toBe('wait');
    }
    await world.restart();
    world.runtime.act('token', null, 'launch');
    await world.advance(100);
    expect(new Set(world.wakes.map(({ session }) => session))).toEqual(new Set(['a', 'b']));
    expect(world.ask('a')).toMatchObject({ do: 'go' });
    expect(world.ask('b')).toMatchObject({ do: 'wait', reason: 'line', place: 1 });
  });

  it('the next launch also tells who only spoke of connections meanwhile: a page that is loaded again still waits', async () => {
    const world = await new BotWorld().launched();
    world.runtime.act('token', null, 'stop');
    for (const session of ['a', 'b']) expect(world.ask(session)).toMatchObject({ do: 'wait', reason: 'stopped' });
    world.attend(callOf('a', null, { connections: 2 }));
    world.runtime.act('token', null, 'launch');
    await world.advance(100);
    expect(world.wakes.map(({ session }) => session).slice(0, 2)).toEqual(['b', 'a']);
    expect(world.ask('a')).toMatchObject({ do: 'go' });
  });

  it('costs nothing while it lasts, also with turns that wait: no probe, no alarm', async () => {
    const world = await new BotWorld().launched();
    world.runtime.act('token', null, 'stop');
    world.ask('a');
    await world.advance(60_000);
    const before = [world.probes.length, world.alarmsSet, world.writes];
    await world.advance(10 * 60_000);
    expect([world.probes.length, world.alarmsSet, world.writes]).toEqual(before);
    expect(world.alarmAt).toBeNull();
  });
});

describe('B4: a pause', () => {
  it('lets what runs end and nothing begin', async () => {
    const world = await new BotWorld().launched();
    world.ask('a');
    world.runtime.act('token', null, 'pause');
    await world.advance(60_000);
    expect(world.beat('a')).toMatchObject({ do: 'go' });
    expect(world.ask('b')).toMatchObject({ do: 'wait', reason: 'paused' });
    world.runtime.act('token', null, 'resume');
    await world.advance(10);
    expect(world.wakes.at(-1)?.session).toBe('b');
    expect(world.ask('b')).toMatchObject({ do: 'go' });
    // Nobody asked the endpoint again: it was never stopped.
    expect(world.preloads).toBe(1);
  });

  it('of a stopped bot is refused', () => {
    const world = new BotWorld();
    world.runtime.create('token', SPEC);
    for (const action of ['pause', 'resume'] as const) {
      expect(world.runtime.act('token', null, action)).toMatchObject({ ok: false, error: { code: 'bad_request' } });
    }
  });
});

describe('B6: again', () => {
  it.each(['launch', 'stop', 'pause', 'resume'] as const)('%s is a success that writes nothing', async (action) => {
    const world = await new BotWorld().launched();
    world.runtime.act('token', null, action);
    await world.advance(30_000);
    const entries = world.runtime.verify().entries;
    const writes = world.writes;
    for (let again = 0; again < 1_000; again += 1) valueOf(world.runtime.act('token', null, action));
    await world.advance(30_000);
    expect(world.runtime.verify().entries).toBe(entries);
    expect(world.writes).toBe(writes);
  });
});

describe('B7: a definition', () => {
  it('changes under a new revision, which sessions are told with their next leave', async () => {
    const world = await new BotWorld().launched();
    expect(world.ask('a')).toMatchObject({ revision: 1, spec: SPEC });
    expect(world.beat('a', {}, { revision: 1 })).not.toHaveProperty('spec');
    const changed = valueOf(world.runtime.update('token', null, { model: 'other', think: true }, 1));
    expect(changed).toMatchObject({ revision: 2, model: 'other', spec: { model: 'other', think: true } });
    expect(world.beat('a', {}, { revision: 1 })).toMatchObject({ do: 'go', revision: 2, spec: { model: 'other' } });
    expect(valueOf(world.runtime.update('token', null, { think: null })).spec).not.toHaveProperty('think');
  });

  it('is not changed by who knew an older one, nor by a change that changes nothing', async () => {
    const world = await new BotWorld().launched();
    valueOf(world.runtime.update('token', null, { name: 'Other' }));
    expect(world.runtime.update('token', null, { name: 'Third' }, 1)).toMatchObject({
      ok: false,
      error: { code: 'stale_base' },
    });
    const { entries } = world.runtime.verify();
    expect(valueOf(world.runtime.update('token', null, { name: 'Other' })).revision).toBe(2);
    expect(world.runtime.verify().entries).toBe(entries);
  });

  it('that is wrong changes nothing', async () => {
    const world = await new BotWorld().launched();
    for (const patch of [
      { name: '' },
      { endpoint: 'http://evil.example' },
      { id: 'other' },
      { name: null },
      { x: 1 },
    ]) {
      expect(world.runtime.update('token', null, patch)).toMatchObject({ ok: false, error: { code: 'bad_request' } });
    }
    expect(world.view().revision).toBe(1);
  });

  it('B25: that configuration allows no more is not used, which is said', async () => {
    const world = new BotWorld({ ALLOWED_ENDPOINTS: 'http://127.0.0.1:9000' });
    await world.launched({ endpoint: 'http://127.0.0.1:9000' });
    expect(world.ask('a').do).toBe('go');
    world.config = new BotWorld().config;
    await world.restart();
    expect(world.view()).toMatchObject({ state: 'degraded', because: expect.stringContaining('endpoint') });
    expect(world.beat('a')).toMatchObject({ do: 'fail', code: 'bot_unavailable' });
  });
});

describe('a definition that the present rules do not allow', () => {
  it('makes the bot degraded, which is said, and can be mended or deleted', async () => {
    const world = await new BotWorld().launched();
    const [row] = world.sql.exec<{ body: string }>('SELECT body FROM bot').toArray();
    world.sql.exec('UPDATE bot SET body = ?', row?.body.replace('"name":"Helper"', '"name":"","later":1') ?? '');
    await world.restart();
    expect(world.view()).toMatchObject({ state: 'degraded', because: '"name" is empty.' });
    expect(world.ask('a')).toMatchObject({ do: 'fail', code: 'bot_unavailable' });
    const half = world.runtime.update('token', null, { name: 'Mended' });
    expect(half).toMatchObject({ ok: false, error: { message: '"later" is not a known field.' } });
    valueOf(world.runtime.update('token', null, { name: 'Mended', later: null }));
    expect(world.ask('a')).toMatchObject({ do: 'go', spec: { name: 'Mended' } });
    valueOf(world.runtime.remove('token', null));
  });
});

describe('B8: deleting', () => {
  it('cuts what runs and fails what waits, and leaves the log', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    world.ask('a');
    world.ask('b');
    valueOf(world.runtime.remove('token', null));
    await world.advance(10);
    expect(world.wakes.map(({ session }) => session)).toContain('b');
    expect(world.beat('a')).toMatchObject({ do: 'fail', code: 'bot_unavailable' });
    expect(world.ask('b')).toMatchObject({ do: 'fail', code: 'bot_unavailable' });
    expect(world.runtime.view(null)).toMatchObject({ ok: false, error: { code: 'bot_not_found' } });
    expect(world.runtime.act('token', null, 'launch')).toMatchObject({ ok: false, error: { code: 'bot_not_found' } });
    expect(world.runtime.remove('token', null)).toMatchObject({ ok: false, error: { code: 'bot_not_found' } });
    await world.restart();
    await world.advance(100);
    expect(world.runtime.verify()).toMatchObject({ entries: 3, brokenAt: null });
    expect(world.rows.at(-1)).toMatchObject({ deleted: true });
  });

  it('of a bot that meanwhile is defined elsewhere, too, leaves that one', async () => {
    const world = await new BotWorld().launched({ systemPrompt: 'Rhyme.' });
    valueOf(world.runtime.remove('token', REF));
    expect(world.view()).toMatchObject({ revision: 2, spec: null, state: 'running' });
    expect(world.ask('a')).toMatchObject({ do: 'go', spec: null });
    expect(world.runtime.remove('token', REF)).toMatchObject({ ok: false, error: { code: 'bad_request' } });
  });

  it('ends when configuration defines a bot of that id: it runs, and can be stopped', async () => {
    const world = await new BotWorld().launched();
    valueOf(world.runtime.remove('token', null));
    expect(world.ask('a')).toMatchObject({ do: 'fail', code: 'bot_unavailable' });
    world.config = parseConfig({ SESSION_SECRET: 'x'.repeat(32), BOTS: JSON.stringify([SPEC]) });
    await world.restart();
    expect(world.view()).toMatchObject({ state: 'running', revision: 3, spec: null });
    expect(world.ask('a')).toMatchObject({ do: 'go', revision: 3, spec: null });
    expect(valueOf(world.runtime.act('token', REF, 'stop')).state).toBe('stopped');
    await world.advance(1_000);
    expect(world.rows.at(-1)).toMatchObject({ deleted: false, state: 'stopped', revision: 3 });
    expect(world.runtime.verify()).toMatchObject({ entries: 4, brokenAt: null });
  });

  it('of an id that a model of the endpoint has now is undone by a launch, not by who remembers it', async () => {
    const world = await new BotWorld().launched();
    valueOf(world.runtime.remove('token', null));
    expect(world.ask('a')).toMatchObject({ do: 'fail', code: 'bot_unavailable' });
    expect(world.view()).toMatchObject({ state: 'stopped', because: 'Deleted by token.' });
    valueOf(world.runtime.act('token', REF, 'launch'));
    await world.advance(100);
    expect(world.ask('a')).toMatchObject({ do: 'go', revision: 3, spec: null });
  });

  it('leaves the id free, and revisions go on counting', async () => {
    const world = await new BotWorld().launched();
    expect(world.runtime.create('token', SPEC)).toMatchObject({ ok: false, error: { code: 'bot_exists' } });
    world.runtime.remove('token', null);
    expect(valueOf(world.runtime.create('token', SPEC))).toMatchObject({ revision: 3, state: 'stopped' });
    expect(world.runtime.verify()).toMatchObject({ entries: 4, brokenAt: null });
  });
});

describe('B22: the log', () => {
  it('says who did what, prompts only as digests', async () => {
    const world = await new BotWorld().launched({ systemPrompt: 'A secret prompt.' });
    world.runtime.update('access:abc', null, { systemPrompt: 'Another secret.', concurrency: 2 });
    await world.advance(1_000);
    const entries = [...world.entries.values()];
    expect(entries.map(({ seq, actor, action }) => [seq, actor, action])).toEqual([
      [1, 'token', 'create'],
      [2, 'token', 'launch'],
      [3, 'access:abc', 'update'],
    ]);
    expect(entries[2]?.detail).toMatchObject({ revision: 2, concurrency: 2, systemPrompt: { length: 15 } });
    expect(JSON.stringify(entries)).not.toContain('secret');
  });

  it('shows where it was tampered with', async () => {
    const world = await new BotWorld().launched();
    world.runtime.act('token', null, 'stop');
    expect(world.runtime.verify()).toMatchObject({ entries: 3, brokenAt: null });
    world.sql.exec(`UPDATE log SET body = replace(body, 'launch', 'resume') WHERE seq = 2`);
    expect(world.runtime.verify().brokenAt).toMatchObject({ seq: 2 });
    world.sql.exec('DELETE FROM log WHERE seq = 1');
    expect(world.runtime.verify().brokenAt).toMatchObject({ seq: 2, reason: 'record 1 is missing' });
  });
});

describe('B30: how far D1 is behind', () => {
  let world: BotWorld;
  const lag = (): number => world.view().stats.undeliveredMs;
  const tell = (session: string, undeliveredMs: number) => world.attend(callOf(session, null, { undeliveredMs }));
  beforeEach(async () => {
    world = await new BotWorld().launched();
  });

  it('is told by the session that is most behind, whoever called last', async () => {
    tell('old', 70_000);
    for (let index = 0; index < 200; index += 1) tell(`young-${index}`, index % 50);
    expect(lag()).toBe(70_000);
    await world.advance(20_000);
    tell('older', 80_000);
    tell('old', 0);
    tell('young-1', 0);
    expect(lag()).toBe(80_000);
    tell('older', 0);
    for (let index = 0; index < 200; index += 1) tell(`young-${index}`, 0);
    expect(lag()).toBe(0);
  });

  it('is not told any more, a minute later, by one that was never heard of again', async () => {
    tell('gone', 70_000);
    await world.advance(59_000);
    tell('here', 10);
    expect(lag()).toBe(70_000);
    await world.advance(2_000);
    tell('here', 20);
    expect(lag()).toBe(20);
  });

  it('fires an alert though many sessions are young', async () => {
    for (let second = 0; second < 60; second += 1) {
      tell('old', 70_000 + second * 1_000);
      for (let index = 0; index < 20; index += 1) tell(`young-${second}-${index}`, 500);
      await world.advance(1_000);
    }
    expect(world.view().alerts).toMatchObject([{ rule: 'outbox_lag', severity: 'warning' }]);
  });
});

describe('B23: D1', () => {
  it('down stops nothing, and has everything once it is back', async () => {
    const world = new BotWorld();
    world.d1 = 'down';
    await world.launched({ concurrency: 1 });
    expect(world.ask('a')).toMatchObject({ do: 'go' });
    for (let n = 0; n < 150; n += 1) world.runtime.act('token', null, n % 2 ? 'resume' : 'pause');
    await world.advance(60_000);
    expect(world.rows).toEqual([]);
    await world.restart();
    world.d1 = 'up';
    await world.advance(61_000);
    expect(world.entries.size).toBe(152);
    expect(world.rows.at(-1)).toMatchObject({ state: 'running', revision: 1 });
  });

  it('silent keeps nobody waiting', async () => {
    const world = new BotWorld();
    world.d1 = 'silent';
    await world.launched();
    expect(world.view().state).toBe('running');
    let settled = false;
    void world.runtime.settled(25).then(() => void (settled = true));
    await world.advance(25);
    expect(settled).toBe(true);
  });

  it('hears of counters at most every ten seconds, of states at once', async () => {
    const world = await new BotWorld().launched();
    await world.advance(10_000);
    const before = world.rows.length;
    for (let n = 0; n < 600; n += 1) {
      world.attend(callOf('a', { phase: 'running' }, { rowsWritten: 3 }));
      await world.advance(100);
    }
    expect(world.rows.length - before).toBeLessThanOrEqual(7);
    const known = world.rows.length;
    world.runtime.act('token', null, 'pause');
    await world.advance(50);
    expect(world.rows.slice(known).map(({ state }) => state)).toEqual(['paused']);
    expect(JSON.parse(world.rows.at(-1)?.status ?? '').stats.rowsWritten).toBe(1_800);
  });
});

it('B24: without anything due there is no alarm; a running one never spins', async () => {
  const world = await new BotWorld().launched({ concurrency: 1 });
  world.ask('a');
  world.end('a');
  await world.advance(120_000);
  expect(world.alarmAt).toBeNull();
  expect(world.isAlarming).toBe(false);
  const runs = world.alarmRuns;
  await world.advance(60 * 60_000);
  expect(world.alarmRuns).toBe(runs);
});
