import { describe, expect, test } from 'vitest';
import { memoryOutbox } from '../../src/client/memory-outbox.ts';
import { ACK_TIMEOUT_MS, RETRY_AFTER_MS } from '../../src/client/outbox.ts';
import type { OutboxStore } from '../../src/client/types.ts';
import type { RequestErrorCode } from '../../src/protocol/codes.ts';
import type { RecordBody } from '../../src/protocol/records.ts';
import { delta, FakeSocket, Harness, message, reply } from './support/fake-server.ts';
import { settle } from './support/virtual-clock.ts';

const ids = async (store: OutboxStore): Promise<string[]> => (await store.load('s')).map(({ id }) => id);
const refusal = (id: string, code: RequestErrorCode, retryable: boolean, retryAfterMs?: number) => ({
  type: 'error' as const,
  code,
  message: code,
  retryable,
  id,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const sentTexts = (socket: FakeSocket): string[] => socket.of('send').map(({ text }) => text);

describe('sending', () => {
  test.each([
    ['', 'text_empty'],
    [' \n', 'text_empty'],
    ['x'.repeat(32 * 1024 + 1), 'text_too_long'],
    ['é'.repeat(16 * 1024 + 1), 'text_too_long'],
    ['half \ud83d', 'text_malformed'],
  ])('an unusable text is refused with its code before anything is stored', async (text, code) => {
    const store = memoryOutbox();
    const harness = new Harness({}, store);
    await harness.live();
    await expect(harness.client.send(text)).rejects.toMatchObject({ name: 'ClientError', code });
    expect(await ids(store)).toEqual([]);
    expect(harness.view.pending).toEqual([]);
    expect(harness.socket.of('send')).toEqual([]);
  });

  test('an unusable id is refused, an id in use too unless the text is the same', async () => {
    const harness = new Harness();
    await expect(harness.client.send('a', { id: 'no spaces' })).rejects.toMatchObject({ code: 'bad_request' });
    await harness.client.send('a', { id: 'x' });
    await expect(harness.client.send('a', { id: 'x' })).resolves.toBe('x');
    await expect(harness.client.send('b', { id: 'x' })).rejects.toMatchObject({ code: 'id_conflict' });
    expect(harness.view.pending).toHaveLength(1);
  });

  test('a message is in the store before it is on the wire', async () => {
    const steps: string[] = [];
    const memory = memoryOutbox();
    const gate = Promise.withResolvers<void>();
    const store: OutboxStore = {
      ...memory,
      put: async (session, pending) => {
        await gate.promise;
        await memory.put(session, pending);
        steps.push('stored');
      },
    };
    const harness = new Harness({}, store);
    const socket = await harness.live();
    const sending = harness.client.send('a').then(() => steps.push('resolved'));
    await settle();
    expect(socket.of('send')).toEqual([]);
    expect(harness.view.pending).toEqual([]);
    gate.resolve();
    await sending;
    expect(steps).toEqual(['stored', 'resolved']);
    expect(socket.of('send')).toEqual([{ type: 'send', id: 'm1', text: 'a' }]);
  });

  test('a message that cannot be stored is neither sent nor shown, and the next one goes its way', async () => {
    const memory = memoryOutbox();
    let full = true;
    const store: OutboxStore = {
      ...memory,
      put: (session, pending) => (full ? Promise.reject(new Error('quota')) : memory.put(session, pending)),
    };
    const harness = new Harness({}, store);
    const socket = await harness.live();
    await expect(harness.client.send('a')).rejects.toMatchObject({ code: 'outbox', cause: { message: 'quota' } });
    full = false;
    await harness.client.send('b');
    expect(sentTexts(socket)).toEqual(['b']);
    expect(harness.view.pending.map(({ text }) => text)).toEqual(['b']);
  });

  test('one message is on the wire at a time, the next one when it is acknowledged', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await Promise.all(['a', 'b', 'c'].map((text) => harness.client.send(text, { id: text })));
    expect(sentTexts(socket)).toEqual(['a']);
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    expect(sentTexts(socket)).toEqual(['a', 'b']);
    socket.record(1, message('a'));
    socket.record(2, message('b'));
    expect(sentTexts(socket)).toEqual(['a', 'b', 'c']);
  });

  test('priority travels, the normal one is left out', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a', priority: 2 });
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    await harness.client.send('b', { id: 'b' });
    expect(socket.of('send')).toEqual([
      { type: 'send', id: 'a', text: 'a', priority: 2 },
      { type: 'send', id: 'b', text: 'b' },
    ]);
  });
});

describe('acknowledgement', () => {
  test('an ack removes from the store; the message stays visible until its record takes its place', async () => {
    const store = memoryOutbox();
    const harness = new Harness({}, store);
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    await settle();
    expect(await ids(store)).toEqual([]);
    expect(harness.view.pending).toHaveLength(1);
    socket.record(1, message('a'));
    expect(harness.view.pending).toEqual([]);
    expect(harness.view.messages).toHaveLength(1);
    for (const view of harness.views) {
      expect(view.pending.length + view.messages.length).toBeLessThanOrEqual(1);
    }
  });

  test('the record alone acknowledges too, live and in a replay: nothing is sent twice for it', async () => {
    const store = memoryOutbox();
    const harness = new Harness({}, store);
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    await harness.client.send('b', { id: 'b' });
    expect(sentTexts(socket)).toEqual(['a']);
    const next = await harness.reconnect({ seq: 1 });
    expect(next.of('send')).toEqual([]);
    next.record(1, message('a'));
    await settle();
    expect(sentTexts(next)).toEqual(['b']);
    expect(await ids(store)).toEqual(['b']);
  });

  test('what was not acknowledged is sent again after the log was read, in order', async () => {
    const harness = new Harness();
    await harness.live();
    for (const text of ['a', 'b', 'c']) await harness.client.send(text, { id: text });
    const next = await harness.reconnect();
    expect(sentTexts(next)).toEqual(['a']);
    next.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    next.say({ type: 'ack', id: 'b', seq: 2, position: 1 });
    expect(sentTexts(next)).toEqual(['a', 'b', 'c']);
  });

  test('a reset that skips the record of an acknowledged message does not keep it pending', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    await harness.reconnect({ seq: 200, from: 200, reset: true });
    expect(harness.view.pending).toEqual([]);
  });

  test('an acknowledgement that a restored log knows nothing of is worth nothing: the message is sent again', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    socket.say({ type: 'ack', id: 'a', seq: 7, position: 0 });
    const next = await harness.reconnect({ seq: 0, reset: true });
    expect(sentTexts(next)).toEqual(['a']);
  });

  test('a connection that pongs but never acknowledges is given up', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a');
    for (let waited = 0; waited < ACK_TIMEOUT_MS; waited += 1_000) {
      expect(harness.view.connection).toBe('live');
      socket.say({ type: 'presence', tabs: 1 });
      await harness.clock.advance(1_000);
    }
    expect(harness.view.connection).toBe('waiting');
    expect(harness.view.pending).toHaveLength(1);
  });
});

describe('refusals', () => {
  test('one for good marks the message, keeps it, and lets the next one go', async () => {
    const store = memoryOutbox();
    const harness = new Harness({}, store);
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    await harness.client.send('b', { id: 'b' });
    socket.say(refusal('a', 'bot_not_found', false));
    await settle();
    expect(harness.view.pending[0]).toMatchObject({ id: 'a', refused: { code: 'bot_not_found' } });
    expect(sentTexts(socket)).toEqual(['a', 'b']);
    expect((await store.load('s'))[0]).toMatchObject({ id: 'a', refused: { code: 'bot_not_found' } });
    const next = await harness.reconnect();
    expect(sentTexts(next)).toEqual(['b']);
  });

  test('one that passes is tried again after the time it names, and later messages wait behind it', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    await harness.client.send('b', { id: 'b' });
    socket.say(refusal('a', 'queue_full', true, 2_000));
    await harness.clock.advance(1_999);
    expect(sentTexts(socket)).toEqual(['a']);
    await harness.clock.advance(1);
    expect(sentTexts(socket)).toEqual(['a', 'a']);
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    expect(sentTexts(socket)).toEqual(['a', 'a', 'b']);
  });

  test('without a named time the wait begins at 1 s and doubles', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    for (const [round, waitMs] of [RETRY_AFTER_MS, RETRY_AFTER_MS * 2, RETRY_AFTER_MS * 4].entries()) {
      socket.say(refusal('a', 'rate_limited', true));
      await harness.clock.advance(waitMs - 1);
      expect(sentTexts(socket)).toHaveLength(round + 1);
      await harness.clock.advance(1);
      expect(sentTexts(socket)).toHaveLength(round + 2);
    }
  });

  test('the wait holds over a reconnect', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    socket.say(refusal('a', 'rate_limited', true, 20_000));
    const next = await harness.reconnect();
    expect(next.of('send')).toEqual([]);
    for (let waited = 0; waited < 20_000; waited += 1_000) {
      next.say({ type: 'presence', tabs: 1 });
      await harness.clock.advance(1_000);
    }
    expect(sentTexts(next)).toEqual(['a']);
  });

  test('a passing refusal that names no message is taken for the one on the wire', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    socket.say({ type: 'error', code: 'rate_limited', message: 'slow down', retryable: true, retryAfterMs: 500 });
    await harness.clock.advance(500);
    expect(sentTexts(socket)).toEqual(['a', 'a']);
  });

  test('editing a refused message sends it again; after id_conflict under a new id', async () => {
    const store = memoryOutbox();
    const harness = new Harness({}, store);
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    socket.say(refusal('a', 'bot_not_found', false));
    await harness.client.edit('a', 'A');
    expect(socket.of('send').at(-1)).toEqual({ type: 'send', id: 'a', text: 'A' });
    socket.say(refusal('a', 'id_conflict', false));
    await harness.client.edit('a', 'AA');
    expect(socket.of('send').at(-1)).toEqual({ type: 'send', id: 'm1', text: 'AA' });
    await settle();
    expect(await ids(store)).toEqual(['m1']);
    expect(harness.view.pending).toEqual([expect.objectContaining({ id: 'm1', text: 'AA', refused: null })]);
  });

  test('a refusal about something else is shown, and gone with the next act', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    socket.say({ type: 'error', code: 'stale_base', message: 'moved on', retryable: false });
    expect(harness.view.lastError).toEqual({ code: 'stale_base', message: 'moved on' });
    await harness.client.send('a');
    expect(harness.view.lastError).toBeNull();
    socket.say({ type: 'error', code: 'not_running', message: 'not running', retryable: false });
    expect(harness.view.lastError).toBeNull();
  });
});

describe('changing a message that was not sent', () => {
  test('an edit and a cancel stay local', async () => {
    const store = memoryOutbox();
    const harness = new Harness({}, store);
    for (const text of ['a', 'b', 'c']) await harness.client.send(text, { id: text });
    await harness.client.edit('a', 'A');
    await harness.client.cancel('b');
    expect(harness.view.pending.map(({ text }) => text)).toEqual(['A', 'c']);
    const socket = await harness.live();
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    socket.say({ type: 'ack', id: 'c', seq: 2, position: 1 });
    socket.record(1, message('a', 'A'));
    socket.record(2, message('c'));
    expect(socket.sent.slice(1).map((frame) => frame.type)).toEqual(['send', 'send']);
    expect(sentTexts(socket)).toEqual(['A', 'c']);
    expect(harness.view.lastError).toBeNull();
    await settle();
    expect(await ids(store)).toEqual([]);
  });

  test('an edit that cannot be stored leaves the text as it was', async () => {
    const memory = memoryOutbox();
    let puts = 0;
    const store: OutboxStore = {
      ...memory,
      put: (session, pending) => ((puts += 1) > 1 ? Promise.reject(new Error('quota')) : memory.put(session, pending)),
    };
    const harness = new Harness({}, store);
    await harness.client.send('a', { id: 'a' });
    await expect(harness.client.edit('a', 'A')).rejects.toMatchObject({ code: 'outbox' });
    expect(harness.view.pending[0]?.text).toBe('a');
    const socket = await harness.live();
    expect(sentTexts(socket)).toEqual(['a']);
  });

  test('what nobody knows cannot be changed', async () => {
    const harness = new Harness();
    await harness.live();
    await expect(harness.client.edit('x', 'X')).rejects.toMatchObject({ code: 'not_queued' });
    await expect(harness.client.cancel('x')).rejects.toMatchObject({ code: 'not_queued' });
    await harness.client.send('a', { id: 'a' });
    await expect(harness.client.edit('a', ' ')).rejects.toMatchObject({ code: 'text_empty' });
  });
});

describe('changing a message that may be on the wire', () => {
  test('an edit waits for the acknowledgement and its record, then goes as an edit', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    await harness.client.edit('a', 'A');
    expect(socket.of('edit')).toEqual([]);
    expect(harness.view.pending[0]?.text).toBe('A');
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 3 });
    socket.record(1, message('a'));
    expect(socket.of('edit')).toEqual([{ type: 'edit', id: 'a', text: 'A' }]);
    expect(sentTexts(socket)).toEqual(['a']);
  });

  test('a cancel hides it at once and follows the acknowledgement as a cancel', async () => {
    const store = memoryOutbox();
    const harness = new Harness({}, store);
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    await harness.client.send('b', { id: 'b' });
    await harness.client.cancel('a');
    expect(await ids(store)).toEqual(['b']);
    expect(harness.view.pending.map(({ id }) => id)).toEqual(['b']);
    expect(socket.sent.slice(1).map((frame) => frame.type)).toEqual(['send']);
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    expect(socket.sent.slice(1).map((frame) => frame.type)).toEqual(['send', 'cancel', 'send']);
  });

  test('a cancel that comes too late says so', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    await harness.client.send('a', { id: 'a' });
    await harness.client.cancel('a');
    socket.say({ type: 'ack', id: 'a', seq: 1, position: 0 });
    socket.say(refusal('a', 'not_queued', false));
    await settle();
    expect(harness.view.lastError).toMatchObject({ code: 'not_queued' });
  });

  test('after a reconnect, what the log does not have is changed locally; a late arrival is changed there', async () => {
    const harness = new Harness();
    await harness.live();
    await harness.client.send('a', { id: 'a' });
    harness.socket.shut(1006);
    await harness.client.cancel('a');
    await harness.client.send('b', { id: 'b' });
    await harness.clock.advance(10_000);
    const next = await harness.live();
    expect(sentTexts(next)).toEqual(['b']);
    // The bytes of the lost connection arrive after all.
    next.record(1, message('a'));
    expect(next.of('cancel')).toEqual([{ type: 'cancel', id: 'a' }]);
  });

  test('an edit before a reconnect is sent with the new text, or as an edit where the old one had arrived', async () => {
    for (const arrived of [true, false]) {
      const harness = new Harness();
      await harness.live();
      await harness.client.send('a', { id: 'a' });
      harness.socket.shut(1006);
      await harness.client.edit('a', 'A');
      await harness.clock.advance(10_000);
      const next = await harness.live({ seq: arrived ? 1 : 0 });
      if (arrived) next.record(1, message('a'));
      expect(sentTexts(next)).toEqual(arrived ? [] : ['A']);
      next.record(arrived ? 2 : 1, arrived ? { kind: 'updated', title: 'x' } : message('a', 'A'));
      expect(next.of('edit')).toEqual(arrived ? [{ type: 'edit', id: 'a', text: 'A' }] : []);
    }
  });
});

describe('changing a message in the queue of the server', () => {
  async function queued(): Promise<Harness> {
    const harness = new Harness();
    const socket = await harness.live();
    socket.record(1, message('a'));
    socket.record(2, message('b'));
    return harness;
  }

  test('an edit is done when its record is read, a cancel too', async () => {
    const harness = await queued();
    const done: string[] = [];
    void harness.client.edit('b', 'B').then(() => done.push('edited'));
    await settle();
    expect(harness.socket.of('edit')).toEqual([{ type: 'edit', id: 'b', text: 'B' }]);
    expect(done).toEqual([]);
    harness.socket.record(3, { kind: 'edited', turn: 2, text: 'B' });
    void harness.client.cancel('b').then(() => done.push('cancelled'));
    await settle();
    harness.socket.record(4, { kind: 'cancelled', turn: 2 });
    await settle();
    expect(done).toEqual(['edited', 'cancelled']);
    expect(harness.view.messages.at(-1)).toMatchObject({ text: 'B', status: 'cancelled' });
  });

  test('a refusal rejects', async () => {
    const harness = await queued();
    const change = harness.client.cancel('a');
    await settle();
    harness.socket.say(refusal('a', 'not_queued', false));
    await expect(change).rejects.toMatchObject({ code: 'not_queued' });
    expect(harness.view.lastError).toBeNull();
  });

  test('S23: a change that is refused for now is asked for again when the server said, and those after it in order', async () => {
    const harness = await queued();
    const done: string[] = [];
    void harness.client.edit('a', 'A').then(() => done.push('edited'));
    await settle();
    harness.socket.say(refusal('a', 'rate_limited', true, 1_000));
    void harness.client.cancel('b').then(() => done.push('cancelled'));
    await harness.clock.advance(999);
    expect(done).toEqual([]);
    expect(harness.view.lastError).toBeNull();
    expect(harness.socket.sent.slice(1).map(({ type }) => type)).toEqual(['edit']);
    await harness.clock.advance(1);
    expect(harness.socket.sent.slice(1).map(({ type }) => type)).toEqual(['edit', 'edit', 'cancel']);
    harness.socket.record(3, { kind: 'edited', turn: 1, text: 'A' });
    harness.socket.record(4, { kind: 'cancelled', turn: 2 });
    await settle();
    expect(done).toEqual(['edited', 'cancelled']);
  });

  test('S23: one that is refused for now never undoes what was asked of the same message after it', async () => {
    const harness = await queued();
    const changes = [harness.client.edit('b', 'one'), harness.client.edit('b', 'two')];
    await settle();
    harness.socket.say(refusal('b', 'rate_limited', true, 1_000));
    harness.socket.record(3, { kind: 'edited', turn: 2, text: 'two' });
    await harness.clock.advance(5_000);
    await Promise.all(changes);
    expect(harness.socket.of('edit').map(({ text }) => text)).toEqual(['one', 'two']);
  });

  test('S23: a refusal does not say which of two changes it is about: the last is asked for again', async () => {
    const harness = await queued();
    const done: string[] = [];
    void harness.client.edit('b', 'one').then(() => done.push('one'));
    void harness.client.edit('b', 'two').then(() => done.push('two'));
    await settle();
    // Of the second; the record of the first is still on its way.
    harness.socket.say(refusal('b', 'rate_limited', true, 1_000));
    harness.socket.record(3, { kind: 'edited', turn: 2, text: 'one' });
    await harness.clock.advance(1_000);
    expect(harness.socket.of('edit').map(({ text }) => text)).toEqual(['one', 'two', 'two']);
    expect(done).toEqual(['one']);
    harness.socket.record(4, { kind: 'edited', turn: 2, text: 'two' });
    await settle();
    expect(done).toEqual(['one', 'two']);
  });

  test('S23: one that was refused for now is asked for at once on the next connection', async () => {
    const harness = await queued();
    const change = harness.client.cancel('b');
    await settle();
    harness.socket.say(refusal('b', 'rate_limited', true, 60_000));
    const next = await harness.reconnect({ seq: 2, from: 2 });
    expect(next.of('cancel')).toHaveLength(1);
    next.record(3, { kind: 'cancelled', turn: 2 });
    await change;
  });

  test('a change outlives the connection: asked again, unless the replay shows that it happened', async () => {
    for (const happened of [true, false]) {
      const harness = await queued();
      const change = harness.client.edit('b', 'B');
      await settle();
      const next = await harness.reconnect({ seq: happened ? 3 : 2, from: 2 });
      if (happened) next.record(3, { kind: 'edited', turn: 2, text: 'B' });
      expect(next.of('edit')).toHaveLength(happened ? 0 : 1);
      if (!happened) next.record(3, { kind: 'edited', turn: 2, text: 'B' });
      await change;
    }
  });
});

describe('stop and regenerate', () => {
  test('a stop that the connection swallowed is asked again while the same answer runs', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    harness.client.stop();
    expect(socket.of('stop')).toEqual([]);
    socket.record(1, message('a'));
    harness.client.stop();
    expect(socket.of('stop')).toEqual([{ type: 'stop', turn: 1 }]);
    const running = { queue: { running: { turn: 1, attempt: 1 }, waiting: [] } };
    const next = await harness.reconnect({ seq: 1, from: 1, ...running });
    expect(next.of('stop')).toEqual([{ type: 'stop', turn: 1 }]);
    next.record(2, { kind: 'stopped', turn: 1, attempt: 1, text: '' });
    next.record(3, message('b'));
    const last = await harness.reconnect({ seq: 3, from: 3, queue: { running: { turn: 3, attempt: 1 }, waiting: [] } });
    expect(last.of('stop')).toEqual([]);
  });

  test('S12: a stop goes with its turn through a restart of the server, which begins the answer anew', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    socket.record(1, message('a'));
    socket.say(delta(1, 0, 'half'));
    socket.shut(1006);
    harness.client.stop();
    await harness.clock.advance(10_000);
    const running = { queue: { running: { turn: 1, attempt: 2 }, waiting: [] } };
    const next = await harness.live({ seq: 2, from: 1, ...running });
    expect(next.of('stop')).toEqual([]);
    next.record(2, { kind: 'restarted', turn: 1, attempt: 2 });
    expect(next.of('stop')).toEqual([{ type: 'stop', turn: 1 }]);
  });

  test.each<RecordBody>([
    { kind: 'stopped', turn: 1, attempt: 1, text: '' },
    { kind: 'failed', turn: 1, attempt: 1, text: '', code: 'interrupted', message: 'No.' },
    reply(1, 'done'),
  ])('an answer that is asked for again is not stopped by what stopped the one before: $kind', async (outcome) => {
    const harness = new Harness();
    const socket = await harness.live();
    socket.record(1, message('a'));
    harness.client.stop();
    const running = { queue: { running: { turn: 1, attempt: 2 }, waiting: [] } };
    const next = await harness.reconnect({ seq: 3, from: 1, ...running });
    next.record(2, outcome);
    next.record(3, { kind: 'regenerated', turn: 1, attempt: 2 });
    expect(harness.view.running).toMatchObject({ turn: 1, attempt: 2 });
    expect(next.of('stop')).toEqual([]);
    const last = await harness.reconnect({ seq: 3, from: 3, ...running });
    expect(last.of('stop')).toEqual([]);
  });

  test('regenerate names the last answered turn and the last record held; offline it only says so', async () => {
    const harness = new Harness();
    const socket = await harness.live();
    socket.record(1, message('a'));
    socket.record(2, reply(1, 'A'));
    socket.record(3, { kind: 'updated', title: 'x' });
    harness.client.regenerate();
    expect(socket.of('regenerate')).toEqual([{ type: 'regenerate', turn: 1, baseSeq: 3 }]);
    socket.shut(1006);
    harness.client.regenerate();
    expect(harness.view.lastError?.code).toBe('connection');
    await harness.clock.advance(10_000);
    expect((await harness.live({ seq: 3, from: 3 })).of('regenerate')).toEqual([]);
  });
});
