import { describe, expect, test } from 'vitest';
import { createDeadlines } from '../../src/client/deadlines.ts';
import { TYPING_INTERVAL_MS, TYPING_SHOWN_MS } from '../../src/client/session-client.ts';
import type { Message } from '../../src/protocol/transcript.ts';
import { delta, Harness, message, reply } from './support/fake-server.ts';
import { settle, VirtualClock } from './support/virtual-clock.ts';

const older = (seq: number): Message => ({
  role: 'user',
  seq,
  turn: seq,
  id: `o${seq}`,
  text: 'old',
  at: 1,
  priority: 0,
  status: 'accepted',
});

describe('views', () => {
  test('many frames of one task are one notification with the newest view; reading never waits', async () => {
    const harness = new Harness();
    const socket = await harness.live({ seq: 1 });
    harness.views.length = 0;
    socket.record(1, message('a'));
    for (let offset = 0; offset < 50; offset += 1) socket.say(delta(1, offset, 'x'));
    expect(harness.view.running?.text).toHaveLength(50);
    expect(harness.views).toEqual([]);
    await settle();
    expect(harness.views).toHaveLength(1);
    expect(harness.views[0]).toBe(harness.view);
  });

  test('a view that was given out never changes, and nothing new means the same view', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    socket.record(1, message('a'));
    const before = harness.view;
    const copy = structuredClone(before);
    socket.record(2, message('b'));
    socket.say(delta(1, 0, 'x'));
    socket.record(3, reply(1, 'x'));
    await harness.client.send('c');
    expect(before).toEqual(copy);
    expect(harness.view).not.toBe(before);
    expect(harness.view).toBe(harness.view);
  });

  test('a subscription ends on its own, the same listener twice is two', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    let calls = 0;
    const listener = (): void => void (calls += 1);
    const [first] = [harness.client.subscribe(listener), harness.client.subscribe(listener)];
    first();
    socket.record(1, message('a'));
    await settle();
    expect(calls).toBe(1);
  });
});

describe('older messages', () => {
  test('are asked for once however often that is asked, and end with the beginning', async () => {
    const asked: number[] = [];
    const harness = new Harness({
      loadOlder: async (before) => {
        asked.push(before);
        await settle();
        return { messages: [older(before - 1)], nextBefore: before > 10 ? before - 1 : null };
      },
    });
    const socket = await harness.live({ seq: 11, from: 10, reset: true });
    socket.record(11, message('a'));
    await Promise.all([harness.client.loadOlder(), harness.client.loadOlder()]);
    await harness.client.loadOlder();
    await harness.client.loadOlder();
    expect(asked).toEqual([11, 10]);
    expect(harness.view.messages.map(({ seq }) => seq)).toEqual([9, 10, 11]);
    expect(harness.view.olderBefore).toBeNull();
  });

  test('a page that comes after a reset is dropped; a failed one can be asked for again', async () => {
    const gate = Promise.withResolvers<void>();
    let fails = false;
    const harness = new Harness({
      loadOlder: async (before) => {
        if (fails) throw new Error('down');
        await gate.promise;
        return { messages: [older(before - 1)], nextBefore: null };
      },
    });
    await harness.live({ seq: 10, from: 10, reset: true });
    const loading = harness.client.loadOlder();
    await harness.reconnect({ seq: 2_000, from: 1_999, reset: true });
    gate.resolve();
    await loading;
    expect(harness.view.messages).toEqual([]);
    expect(harness.view.olderBefore).toBe(2_000);
    fails = true;
    await expect(harness.client.loadOlder()).rejects.toThrow('down');
    fails = false;
    await harness.client.loadOlder();
    expect(harness.view.messages.map(({ seq }) => seq)).toEqual([1_999]);
  });
});

describe('presence', () => {
  test('that others type is shown for a while, or until it is taken back', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    socket.say({ type: 'presence', tabs: 3, typing: true });
    expect(harness.view).toMatchObject({ tabs: 3, othersTyping: true });
    await harness.clock.advance(TYPING_SHOWN_MS - 1);
    socket.say({ type: 'presence', tabs: 2 });
    expect(harness.view).toMatchObject({ tabs: 2, othersTyping: true });
    await harness.clock.advance(1);
    expect(harness.view.othersTyping).toBe(false);
    socket.say({ type: 'presence', tabs: 2, typing: true });
    socket.say({ type: 'presence', tabs: 2, typing: false });
    expect(harness.view.othersTyping).toBe(false);
  });

  test('typing is said at most once in a while, and only while connected', async () => {
    const harness = new Harness();
    harness.client.typing();
    const socket = await harness.live();
    for (let key = 0; key < 20; key += 1) harness.client.typing();
    expect(socket.of('typing')).toHaveLength(1);
    await harness.clock.advance(TYPING_INTERVAL_MS);
    harness.client.typing();
    expect(socket.of('typing')).toHaveLength(2);
  });
});

describe('deadlines', () => {
  test('setting a later one a thousand times sets no timer; each runs in its time', async () => {
    const clock = new VirtualClock();
    const deadlines = createDeadlines<'a' | 'b'>(clock);
    const ran: string[] = [];
    deadlines.set('a', clock.now() + 100, () => ran.push('a'));
    for (let later = 1; later <= 1_000; later += 1) deadlines.set('b', clock.now() + 100 + later, () => ran.push('b'));
    expect(clock.timersSet).toBe(1);
    await clock.advance(100);
    expect(ran).toEqual(['a']);
    await clock.advance(999);
    expect(ran).toEqual(['a']);
    await clock.advance(1);
    expect(ran).toEqual(['a', 'b']);
    expect(clock.armed).toBe(0);
  });

  test('one that is set for now while deadlines run waits for the next round', async () => {
    const clock = new VirtualClock();
    const deadlines = createDeadlines<'a'>(clock);
    let rounds = 0;
    const again = (): void => {
      rounds += 1;
      if (rounds < 5) deadlines.set('a', clock.now(), again);
    };
    deadlines.set('a', clock.now(), again);
    await clock.advance(0);
    expect(rounds).toBe(5);
  });
});
