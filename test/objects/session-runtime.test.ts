import { describe, expect, test } from 'vitest';
import {
  PROTOCOL_VERSION,
  CREDIT_WINDOW_BYTES,
  MAX_BAD_FRAMES,
  MAX_FRAMES_AT_ONCE,
  MAX_QUEUE_LENGTH,
} from '../../src/protocol/limits.ts';
import { TurnFailure } from '../../src/responders/port.ts';
import { FakeWorld, joined } from '../support/fake-world.ts';

async function world(): Promise<FakeWorld> {
  const fake = new FakeWorld();
  await fake.advance(5_000);
  return fake;
}
const send = (id: string, text = 'hi') => ({ type: 'send' as const, id, text });

describe('a turn', () => {
  test('S1, S16: acknowledged, streamed and answered; the deltas join to the reply', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.think('hmm');
    await fake.model.say('Hel');
    await fake.model.say('lo');
    await fake.model.end();
    expect(tab.frames.slice(1).map((frame) => frame.type)).toEqual([
      'event',
      'ack',
      'event',
      'delta',
      'delta',
      'delta',
      'event',
    ]);
    expect(tab.of('event').at(-1)).toMatchObject({
      kind: 'reply',
      text: 'Hello',
      thinking: 'hmm',
      turn: 2,
      attempt: 1,
    });
    expect(joined(tab.frames, 2, 1)).toBe('Hello');
  });

  test('S8: a failure ends the turn with its code and what had come, and the next one runs', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.say(tab, send('b', 'second'));
    await fake.model.say('part');
    await fake.model.fail(new TurnFailure('idle_timeout', 'Nothing came for 60 s.'));
    expect(tab.of('event').at(-1)).toMatchObject({ kind: 'failed', code: 'idle_timeout', text: 'part' });
    expect(fake.model.questions[1]?.question.text).toBe('second');
  });

  test('a fault of ours is told as one, without its details', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.fail(new TypeError('secret detail'));
    expect(tab.of('event').at(-1)).toMatchObject({ kind: 'failed', code: 'endpoint_error' });
    expect(JSON.stringify(tab.frames)).not.toContain('secret detail');
    expect(fake.reports).toContain('generation_fault');
  });

  test('S12: stop keeps what had come, closes the connection, and nothing of the attempt follows', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.say('Hel');
    await fake.say(tab, { type: 'stop', turn: 2 });
    const seen = tab.frames.length;
    expect(tab.of('event').at(-1)).toMatchObject({ kind: 'stopped', text: 'Hel' });
    expect(fake.model.questions[0]?.aborted).toBe(true);
    await fake.advance(60_000);
    expect(tab.frames.length).toBe(seen);
  });

  test('S12: a disconnect is not a stop', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    fake.runtime.leave(tab);
    await fake.model.say('Hello');
    await fake.model.end();
    expect(fake.records().at(-1)).toMatchObject({ kind: 'reply', text: 'Hello' });
  });

  test('the prompt carries the earlier turns and the text as edited last', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a', 'first'));
    await fake.say(tab, send('b', 'second'));
    await fake.say(tab, { type: 'edit', id: 'b', text: 'better' });
    await fake.model.say('one');
    await fake.model.end();
    expect(fake.model.questions[1]).toMatchObject({
      question: { text: 'better' },
      history: [{ user: 'first', bot: 'one' }],
    });
  });

  test('S13: a regenerated turn is asked again without its earlier answer', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a', 'first'));
    await fake.model.say('one');
    await fake.model.end();
    await fake.say(tab, { type: 'regenerate', turn: 2, baseSeq: fake.runtime.state.seq });
    expect(fake.model.questions[1]).toMatchObject({ question: { text: 'first' }, history: [] });
    await fake.model.say('two');
    await fake.model.end();
    expect(joined(tab.frames, 2, 2)).toBe('two');
    const { messages } = fake.runtime.page(Number.MAX_SAFE_INTEGER, 10);
    expect(messages.map((message) => [message.text, message.status])).toEqual([
      ['first', 'accepted'],
      ['one', 'superseded'],
      ['two', 'complete'],
    ]);
  });
});

describe('readers', () => {
  test('S15: a second tab gets the page and then the same, live', async () => {
    const fake = await world();
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
    const fake = await world();
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
    const fake = await world();
    await fake.say(await fake.join(), send('a'));
    await fake.model.say('Hello');
    const back = await fake.join({ seq: 2, turn: 2, attempt: 1, offset: 900 });
    expect(back.of('delta')).toMatchObject([{ offset: 0, text: 'Hello' }]);
  });

  test('a reader that claims more than the log holds is reset', async () => {
    const fake = await world();
    const tab = await fake.join({ seq: 99 });
    expect(tab.of('welcome')[0]).toMatchObject({ reset: true, from: 0, seq: 1 });
  });

  test('S17: a tab that does not credit is sent no more than its window, and catches up by one delta', async () => {
    const fake = await world();
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
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    for (let index = 0; index < 30; index += 1) await fake.model.say('y'.repeat(10_000));
    await fake.model.end();
    expect(tab.of('event').some((event) => event.kind === 'reply')).toBe(false);
    await fake.say(tab, { type: 'credit', bytes: CREDIT_WINDOW_BYTES });
    expect(tab.of('event').at(-1)).toMatchObject({ kind: 'reply', text: 'y'.repeat(300_000) });
  });

  test('S17: a reader that owes less than a step of credit gets a frame of any length', async () => {
    const fake = await world();
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
    const fake = await world();
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
    const fake = await world();
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
    const fake = await world();
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
    const fake = await world();
    const { FakeSocket } = await import('../support/fake-world.ts');
    const mute = new FakeSocket();
    fake.runtime.join(mute);
    await fake.say(await fake.join(), send('a'));
    await fake.advance(11_100);
    expect(mute.closed?.code).toBe(4102);
  });

  test('in a quiet session they cost nothing, and the next hello finds them', async () => {
    const fake = await world();
    const dead = await fake.join();
    dead.pingedAt = fake.time;
    await fake.advance(60_000);
    expect(dead.closed).toBeNull();
    expect(fake.alarmsSet).toBe(1);
    const tab = await fake.join();
    expect(dead.closed?.code).toBe(4101);
    expect(tab.of('welcome')[0]).toMatchObject({ tabs: 1 });
  });
});

describe('faults', () => {
  test('S14: after the process ended, the turn goes on by itself under the next attempt, nobody connected', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a', 'the question'));
    await fake.say(tab, send('b'));
    await fake.model.say('Hel');
    await fake.restart();
    expect(fake.model.questions.at(-1)?.question.text).toBe('the question');
    await fake.model.say('Hello');
    await fake.model.end();
    await fake.model.end();
    const kinds = fake.records().map((record) => record.kind);
    expect(kinds).toEqual(['created', 'message', 'message', 'restarted', 'reply', 'reply']);
    expect(fake.records()[4]).toMatchObject({ turn: 2, attempt: 2, text: 'Hello' });
  });

  test('S16: a reader over the restart drops the dead attempt', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.say('Hel');
    await fake.restart();
    const back = await fake.join({ seq: 2, turn: 2, attempt: 1, offset: 3 });
    await fake.model.say('Ho');
    expect(back.of('event')[0]).toMatchObject({ kind: 'restarted', attempt: 2 });
    expect(back.of('delta')[0]).toMatchObject({ attempt: 2, offset: 0, text: 'Ho' });
  });

  test('S4, S19: while D1 is down the chat goes on, and everything arrives after, in order, once', async () => {
    const fake = await world();
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
    const fake = await world();
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
    const fake = await world();
    await fake.advance(5_000);
    fake.runtime.remove(4404);
    await fake.runtime.deliverNow();
    expect(fake.forgotten).toBe(1);
    // A D1 that does not answer is not waited for.
    const slow = await world();
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
    const fake = await world();
    fake.d1Down = true;
    fake.runtime.dispatch({ type: 'update', title: 'New' });
    await fake.advance(30_000);
    expect(fake.alarming).toBeNull();
    expect(fake.alarmAt).toBeGreaterThan(fake.time);
  });

  test('deleting ends what runs, closes the tabs, and erases log and history, also when D1 is down at first', async () => {
    const fake = await world();
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
    const fake = await world();
    await fake.join();
    await fake.advance(1_000);
    expect(fake.calls.at(-1)?.call.connections).toBe(1);
    fake.runtime.remove(4404);
    await fake.advance(1_000);
    expect(fake.calls.at(-1)).toMatchObject({ bot: 'b', call: { claim: null, connections: 0 } });
  });

  test('a session that is deleted again, or that D1 takes once more, has no bot to tell', async () => {
    const fake = await world();
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
    const fake = await world();
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
    const fake = await world();
    fake.d1Down = true;
    fake.runtime.dispatch({ type: 'update', title: 'New' });
    await fake.advance(60_000);
    expect(fake.alarmAt).toBeGreaterThan(fake.time + 3_000);
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    expect(fake.alarmAt).toBeLessThanOrEqual(fake.time + 2_000);
  });

  test('a change of settings is in D1 when its caller is told, also behind a delivery under way', async () => {
    const fake = await world();
    fake.runtime.dispatch({ type: 'update', title: 'One' });
    const first = fake.runtime.deliverNow();
    fake.runtime.dispatch({ type: 'update', title: 'Two' });
    await fake.runtime.deliverNow();
    await first;
    expect(fake.delivered.at(-1)).toMatchObject({ title: 'Two' });
  });

  test('a caller does not wait for a D1 that was down a moment ago, nor does asking again put its retry off', async () => {
    const fake = await world();
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

describe('clients that ask too much', () => {
  test('more frames a second than are served are refused, retryable, and the tab goes on after', async () => {
    const fake = await world();
    const tab = await fake.join();
    for (let index = 0; index < MAX_FRAMES_AT_ONCE + 10; index += 1) await fake.say(tab, { type: 'typing' });
    expect(tab.of('error').at(-1)).toMatchObject({ code: 'rate_limited', retryable: true });
    await fake.advance(1_000);
    await fake.say(tab, send('a'));
    expect(tab.of('ack')).toHaveLength(1);
  });

  test('S17: a tab that asks on without reading is closed, and may connect again', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a', 'x'.repeat(30_000)));
    for (let index = 0; index < 10_000 && !tab.closed; index += 1) {
      await fake.say(tab, { type: 'cancel', id: 'nobody'.padEnd(60, '-') });
      fake.time += 20;
    }
    expect(tab.closed?.code).toBe(4103);
  });

  test('a second hello is refused: it would have the whole log sent again', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, { type: 'hello', protocol: PROTOCOL_VERSION });
    expect(tab.frames.at(-1)).toMatchObject({ type: 'error', code: 'bad_frame' });
    expect(tab.of('welcome')).toHaveLength(1);
  });

  test('a hello that comes late is still one', async () => {
    const fake = await world();
    const { FakeSocket } = await import('../support/fake-world.ts');
    const late = new FakeSocket();
    fake.runtime.join(late);
    await fake.advance(60_000);
    await fake.say(late, { type: 'hello', protocol: PROTOCOL_VERSION });
    expect(late.closed).toBeNull();
    expect(late.of('welcome')).toHaveLength(1);
  });
});

describe('bad input', () => {
  const frames: [string, string | ArrayBuffer, string][] = [
    ['not JSON', '{', 'bad_json'],
    ['binary', new ArrayBuffer(3), 'binary_frame'],
    ['an unknown type', '{"type":"drop"}', 'bad_frame'],
    ['no type', '{}', 'bad_frame'],
    ['a list', '[]', 'bad_frame'],
    ['null', 'null', 'bad_frame'],
    ['a wrong type', '{"type":"send","id":1,"text":"x"}', 'bad_frame'],
    ['a field too many', '{"type":"stop","turn":2,"force":true}', 'bad_frame'],
    ['a __proto__ field', '{"type":"send","id":"x","text":"x","__proto__":{"priority":2}}', 'bad_frame'],
    ['deep JSON', `{"type":"send","id":"x","text":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'bad_frame'],
    ['more than 64 KB', JSON.stringify({ type: 'send', id: 'x', text: 'x'.repeat(70_000) }), 'frame_too_large'],
    [
      '64 KB in few characters',
      JSON.stringify({ type: 'send', id: 'x', text: '语'.repeat(22_000) }),
      'frame_too_large',
    ],
    ['a text of 33 KB', JSON.stringify({ type: 'send', id: 'x', text: 'x'.repeat(33_000) }), 'text_too_long'],
    ['an empty text', '{"type":"send","id":"x","text":" \\n"}', 'text_empty'],
    ['a text that shows nothing', '{"type":"send","id":"x","text":"\u200b\u2060 \u202e"}', 'text_empty'],
    ['half a surrogate pair', '{"type":"send","id":"x","text":"\\ud800"}', 'text_malformed'],
    ['an id with spaces', '{"type":"send","id":"a b","text":"x"}', 'bad_frame'],
    ['a turn that is not running', '{"type":"stop","turn":77}', 'not_running'],
    ['an unknown message', '{"type":"cancel","id":"nobody"}', 'not_queued'],
  ];
  test.each(frames)('%s is refused by itself, changes nothing, and the tab goes on', async (_, data, code) => {
    const fake = await world();
    const tab = await fake.join();
    const other = await fake.join();
    const before = fake.records();
    const seen = other.frames.length;
    await fake.sayRaw(tab, data);
    expect(tab.frames.at(-1)).toMatchObject({ type: 'error', code, retryable: false });
    expect(fake.records()).toEqual(before);
    expect(other.frames.length).toBe(seen);
    await fake.say(tab, send('fine'));
    expect(tab.of('ack')).toHaveLength(1);
  });

  test('S2: a duplicate id with another text is refused, with the same text acknowledged', async () => {
    const fake = await world();
    const tab = await fake.join();
    await fake.say(tab, send('a', 'one'));
    await fake.say(tab, send('a', 'one'));
    await fake.say(tab, send('a', 'two'));
    expect(tab.of('ack')).toEqual([
      { type: 'ack', id: 'a', seq: 2, position: 0 },
      { type: 'ack', id: 'a', seq: 2, position: 0 },
    ]);
    expect(tab.of('error')).toMatchObject([{ code: 'id_conflict', id: 'a' }]);
  });

  test('frames before hello are refused, but a ping is answered', async () => {
    const fake = await world();
    const { FakeSocket } = await import('../support/fake-world.ts');
    const socket = new FakeSocket();
    fake.runtime.join(socket);
    await fake.say(socket, send('a'));
    await fake.sayRaw(socket, '{ "type": "ping" }');
    expect(socket.frames).toMatchObject([{ type: 'error', code: 'hello_required' }, { type: 'pong' }]);
    expect(fake.records()).toHaveLength(1);
  });

  test('another protocol version is told so and closed for good', async () => {
    const fake = await world();
    const { FakeSocket } = await import('../support/fake-world.ts');
    const tab = new FakeSocket();
    fake.runtime.join(tab);
    await fake.say(tab, { type: 'hello', protocol: PROTOCOL_VERSION + 1 });
    expect(tab.frames.at(-1)).toMatchObject({ type: 'error', code: 'protocol_version' });
    expect(tab.closed?.code).toBe(4409);
  });

  test('a client that sends nothing but rubbish is closed', async () => {
    const fake = await world();
    const tab = await fake.join();
    for (let index = 0; index < MAX_BAD_FRAMES; index += 1) await fake.sayRaw(tab, '{');
    expect(tab.closed?.code).toBe(4400);
  });

  test('S3: a full line refuses, retryable, naming the message', async () => {
    const fake = await world();
    const tab = await fake.join();
    for (let index = 0; index <= MAX_QUEUE_LENGTH; index += 1) await fake.say(tab, send(`m${index}`));
    await fake.say(tab, { type: 'credit', bytes: 1_000_000 });
    await fake.say(tab, send('over'));
    expect(tab.of('error').at(-1)).toMatchObject({ code: 'queue_full', id: 'over', retryable: true });
  });
});
