/** What tabs are sent, wherever they left and came back, and which connections are let go. */
import { describe, expect, test } from 'vitest';
import { CREDIT_WINDOW_BYTES } from '../../src/protocol/limits.ts';
import { joined, quietWorld, send } from '../support/fake-world.ts';

describe('readers', () => {
  test('S15: a second tab gets the page and then the same, live', async () => {
    const fake = await quietWorld();
    const one = await fake.join();
    await fake.say(one, send('a'));
    await fake.model.say('Hel');
    const two = await fake.join();
    expect(two.of('welcome')[0]).toMatchObject({
      seq: 2,
      from: 0,
      reset: true,
      tabs: 2,
      queue: { running: { turn: 2 } },
    });
    await fake.model.say('lo');
    await fake.model.end();
    expect(two.of('event')).toEqual(one.of('event'));
    expect(joined(two.frames, 2, 1)).toBe('Hello');
    expect(one.of('presence').at(-1)).toMatchObject({ tabs: 2 });
  });

  test('S16: who comes back with (turn, attempt, offset) gets the rest from that character', async () => {
    const fake = await quietWorld();
    const one = await fake.join();
    await fake.say(one, send('a'));
    await fake.model.say('I am 👩‍👩‍👧');
    fake.runtime.leave(one);
    await fake.model.say(' and é');
    const back = await fake.join({ seq: 2, turn: 2, attempt: 1, offset: 9 });
    expect(back.of('event')).toEqual([]);
    expect(back.of('welcome')[0]).toMatchObject({ reset: false });
    expect(joined(back.frames, 2, 1, 'I am 👩‍👩‍👧'.slice(0, 9))).toBe('I am 👩‍👩‍👧 and é');
    expect(back.of('delta')[0]?.offset).toBe(9);
  });

  test('an offset beyond what there is starts the answer again', async () => {
    const fake = await quietWorld();
    await fake.say(await fake.join(), send('a'));
    await fake.model.say('Hello');
    const back = await fake.join({ seq: 2, turn: 2, attempt: 1, offset: 900 });
    expect(back.of('delta')).toMatchObject([{ offset: 0, text: 'Hello' }]);
  });

  test('a reader that claims more than the log holds is reset', async () => {
    const fake = await quietWorld();
    const tab = await fake.join({ seq: 99 });
    expect(tab.of('welcome')[0]).toMatchObject({ reset: true, from: 0, seq: 1 });
  });

  test('S17: a tab that does not credit is sent no more than its window, and catches up by one delta', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    const piece = 'x'.repeat(10_000);
    for (let index = 0; index < 40; index += 1) await fake.model.say(piece);
    const sent = tab.frames.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0);
    expect(sent).toBeLessThanOrEqual(CREDIT_WINDOW_BYTES);
    const before = tab.of('delta').length;
    await fake.say(tab, { type: 'credit', bytes: sent });
    expect(tab.of('delta').length).toBe(before + 1);
    expect(joined(tab.frames, 2, 1).length).toBe(400_000);
  });

  test('S17: a tab that lags over the end of an answer gets the reply itself', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    for (let index = 0; index < 30; index += 1) await fake.model.say('y'.repeat(10_000));
    await fake.model.end();
    expect(tab.of('event').some((event) => event.kind === 'reply')).toBe(false);
    await fake.say(tab, { type: 'credit', bytes: CREDIT_WINDOW_BYTES });
    expect(tab.of('event').at(-1)).toMatchObject({ kind: 'reply', text: 'y'.repeat(300_000) });
  });

  test('S17: a reader that owes less than a step of credit gets a frame of any length', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.say('z'.repeat(60_000));
    await fake.model.say('z'.repeat(195_000));
    await fake.model.end();
    expect(joined(tab.frames, 2, 1).length).toBe(255_000);
    await fake.say(tab, { type: 'credit', bytes: 250_000 });
    expect(tab.of('event').at(-1)).toMatchObject({ kind: 'reply' });
  });

  test('after hibernation a tab goes on where it was', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.say('A');
    await fake.model.end();
    await fake.advance(10_000);
    await fake.restart([tab]);
    const seen = tab.of('event').length;
    await fake.say(tab, send('b'));
    expect(tab.of('event').length).toBe(seen + 1);
  });

  test('a long history comes as its newest page, and never without the queue', async () => {
    const fake = await quietWorld();
    const one = await fake.join();
    await fake.say(one, send('first'));
    for (let index = 0; index < 60; index += 1) {
      await fake.say(one, send(`q${index}`));
      await fake.say(one, { type: 'cancel', id: `q${index}` });
    }
    await fake.say(one, { type: 'credit', bytes: 1_000_000 });
    const late = await fake.join();
    expect(late.of('welcome')[0]?.from).toBe(1);
    await fake.model.end();
    const later = await fake.join();
    expect(later.of('welcome')[0]).toMatchObject({ from: fake.runtime.state.seq - 100, reset: true });
    expect(later.of('event')).toHaveLength(100);
  });
});

describe('connections that only look open', () => {
  test('are let go within 10 s while the session works, and others are told', async () => {
    const fake = await quietWorld();
    const dead = await fake.join();
    const live = await fake.join();
    dead.pingedAt = fake.time;
    await fake.say(live, send('a'));
    await fake.advance(9_000);
    expect(dead.closed).toBeNull();
    await fake.advance(1_100);
    expect(dead.closed?.code).toBe(4101);
    expect(live.closed).toBeNull();
    expect(live.of('presence').at(-1)).toMatchObject({ tabs: 1 });
  });

  test('a socket that never says hello is let go too', async () => {
    const fake = await quietWorld();
    const { FakeSocket } = await import('../support/fake-world.ts');
    const mute = new FakeSocket();
    fake.runtime.join(mute);
    await fake.say(await fake.join(), send('a'));
    await fake.advance(11_100);
    expect(mute.closed?.code).toBe(4102);
  });

  test('in a quiet session they cost nothing, and the next hello finds them', async () => {
    const fake = await quietWorld();
    const dead = await fake.join();
    dead.pingedAt = fake.time;
    await fake.advance(60_000);
    expect(dead.closed).toBeNull();
    expect(fake.alarmsSet).toBe(1);
    const tab = await fake.join();
    expect(dead.closed?.code).toBe(4101);
    expect(tab.of('welcome')[0]).toMatchObject({ tabs: 1 });
  });

  test('a session that has slept takes none of them for just heard: they would keep others out for good', async () => {
    const fake = await quietWorld();
    const { FakeSocket } = await import('../support/fake-world.ts');
    const mute = new FakeSocket();
    fake.runtime.join(mute);
    const [dead, live] = [await fake.join(), await fake.join()];
    dead.pingedAt = fake.time;
    await fake.advance(60_000);
    live.pingedAt = fake.time - 5_000;
    await fake.restart([mute, dead, live]);
    fake.runtime.sweep();
    expect(dead.closed?.code).toBe(4101);
    expect(mute.closed?.code).toBe(4102);
    expect(live.closed).toBeNull();
    expect(fake.runtime.tabs.size).toBe(1);
  });
});

describe('requests that wait for an answer', () => {
  test('S24: one whose time is over leaves nothing behind, however long the answer takes', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    for (let round = 0; round < 50; round += 1) {
      const outcome = fake.runtime.outcome(2, 100);
      await fake.advance(100);
      expect(await outcome).toBeNull();
    }
    const before = fake.timersCancelled;
    fake.runtime.dispatch({ type: 'update', title: 'New' });
    expect(fake.timersCancelled - before).toBeLessThan(10);
    const outcome = fake.runtime.outcome(2, 60_000);
    await fake.model.say('So.');
    await fake.model.end();
    expect(await outcome).toMatchObject({ text: 'So.' });
  });
});
