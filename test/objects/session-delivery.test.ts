/** What a session owes D1 and its bot, whatever fails meanwhile, and the end of all of it. */
import { describe, expect, test } from 'vitest';
import { quietWorld, send } from '../support/fake-world.ts';

describe('D1 fails', () => {
  test('S4, S19: while D1 is down the chat goes on, and everything arrives after, in order, once', async () => {
    const fake = await quietWorld();
    fake.d1Down = true;
    const tab = await fake.join();
    for (const id of ['a', 'b', 'c']) {
      await fake.say(tab, send(id));
      await fake.model.say(id);
      await fake.model.end();
      await fake.advance(3_000);
    }
    expect(tab.of('event').filter((event) => event.kind === 'reply')).toHaveLength(3);
    expect(fake.delivered).toHaveLength(1);
    fake.d1Down = false;
    await fake.advance(120_000);
    expect(fake.delivered).toEqual(fake.records());
    expect(fake.alarmAt).toBeNull();
  });

  test('S4, S19: a D1 that never answers a call delays the delivery, and does not end it', async () => {
    const fake = await quietWorld();
    fake.d1Silent = true;
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.end();
    await fake.advance(5_000);
    fake.d1Silent = false;
    await fake.advance(60_000);
    expect(fake.delivered).toEqual(fake.records());
    expect(fake.alarmAt).toBeNull();
  });

  test('deleting waits a moment for D1 to have forgotten, so that a list read next does not show it', async () => {
    const fake = await quietWorld();
    await fake.advance(5_000);
    fake.runtime.remove(4404);
    // Who asks at the same time waits for the same call.
    await Promise.all([fake.runtime.deliverNow(), fake.runtime.deliverNow()]);
    expect(fake.forgotten).toBe(1);
    // A D1 that does not answer is not waited for.
    const slow = await quietWorld();
    slow.d1Silent = true;
    slow.runtime.remove(4404);
    const waited = slow.runtime.deliverNow();
    await slow.advance(1_000);
    await waited;
    slow.d1Silent = false;
    await slow.advance(60_000);
    expect(slow.destroyed).toBe(true);
  });

  test('S18: while D1 is down a quiet session sleeps between its tries', async () => {
    const fake = await quietWorld();
    fake.d1Down = true;
    fake.runtime.dispatch({ type: 'update', title: 'New' });
    await fake.advance(30_000);
    expect(fake.alarming).toBeNull();
    expect(fake.alarmAt).toBeGreaterThan(fake.time);
  });

  test('deleting ends what runs, closes the tabs, and erases log and history, also when D1 is down at first', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    fake.d1Down = true;
    fake.runtime.remove(4404);
    expect(tab.closed?.code).toBe(4404);
    expect(fake.model.questions[0]?.aborted).toBe(true);
    await fake.advance(2_000);
    await fake.restart();
    expect(fake.runtime.removed).toBe(true);
    fake.d1Down = false;
    await fake.advance(120_000);
    expect(fake.forgotten).toBe(1);
    expect(fake.destroyed).toBe(true);
    expect(fake.records()).toEqual([]);
  });
});

describe('what its bot counts of it', () => {
  test('a session that is deleted has no connections, though the page that asked for it was still connected', async () => {
    const fake = await quietWorld();
    await fake.join();
    await fake.advance(1_000);
    expect(fake.calls.at(-1)?.call.connections).toBe(1);
    fake.runtime.remove(4404);
    await fake.advance(1_000);
    expect(fake.calls.at(-1)).toMatchObject({ bot: 'b', call: { claim: null, connections: 0 } });
  });

  test('a session that is deleted again, or that D1 takes once more, has no bot to tell', async () => {
    const fake = await quietWorld();
    await fake.join();
    fake.d1Down = true;
    await fake.advance(5_000);
    fake.runtime.remove(4404);
    fake.runtime.remove(4404);
    fake.d1Down = false;
    await fake.advance(120_000);
    expect(new Set(fake.calls.map(({ bot }) => bot))).toEqual(new Set(['b']));
  });

  test('what waited for D1 is told as soon as D1 has it, though nobody says anything', async () => {
    const fake = await quietWorld();
    await fake.advance(2_000);
    fake.d1Down = true;
    fake.runtime.dispatch({ type: 'update', title: 'New' });
    await fake.join();
    await fake.advance(300_000);
    const told = fake.calls.length;
    fake.d1Down = false;
    await fake.advance(120_000);
    expect(fake.calls.slice(told).map(({ call }) => call.undeliveredMs)).toEqual([0]);
  });
});

describe('work that nobody asks for', () => {
  test('S14, S18: with D1 failing and its retry far away, a killed turn is still taken up within two seconds', async () => {
    const fake = await quietWorld();
    fake.d1Down = true;
    fake.runtime.dispatch({ type: 'update', title: 'New' });
    await fake.advance(60_000);
    expect(fake.alarmAt).toBeGreaterThan(fake.time + 3_000);
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    expect(fake.alarmAt).toBeLessThanOrEqual(fake.time + 2_000);
  });

  test('a change of settings is in D1 when its caller is told, also behind a delivery under way', async () => {
    const fake = await quietWorld();
    fake.runtime.dispatch({ type: 'update', title: 'One' });
    const first = fake.runtime.deliverNow();
    fake.runtime.dispatch({ type: 'update', title: 'Two' });
    await fake.runtime.deliverNow();
    await first;
    expect(fake.delivered.at(-1)).toMatchObject({ title: 'Two' });
  });

  test('a caller does not wait for a D1 that was down a moment ago, nor does asking again put its retry off', async () => {
    const fake = await quietWorld();
    fake.d1Down = true;
    for (let index = 0; index < 20; index += 1) {
      fake.runtime.dispatch({ type: 'update', title: `Title ${index}` });
      await fake.runtime.deliverNow();
    }
    fake.d1Down = false;
    await fake.advance(2_000);
    expect(fake.delivered.at(-1)).toMatchObject({ title: 'Title 19' });
  });
});
