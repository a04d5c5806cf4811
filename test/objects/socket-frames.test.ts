/** Frames that ask too much, and frames that are none. */
import { describe, expect, test } from 'vitest';
import { PROTOCOL_VERSION, MAX_BAD_FRAMES, MAX_FRAMES_AT_ONCE, MAX_QUEUE_LENGTH } from '../../src/protocol/limits.ts';
import { quietWorld, send } from '../support/fake-world.ts';

describe('clients that ask too much', () => {
  test('more frames a second than are served are refused, retryable, and the tab goes on after', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    for (let index = 0; index < MAX_FRAMES_AT_ONCE + 10; index += 1) await fake.say(tab, { type: 'typing' });
    expect(tab.of('error').at(-1)).toMatchObject({ code: 'rate_limited', retryable: true });
    await fake.advance(1_000);
    await fake.say(tab, send('a'));
    expect(tab.of('ack')).toHaveLength(1);
  });

  test('S17: a tab that asks on without reading is closed, and may connect again', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a', 'x'.repeat(30_000)));
    for (let index = 0; index < 10_000 && !tab.closed; index += 1) {
      await fake.say(tab, { type: 'cancel', id: 'nobody'.padEnd(60, '-') });
      fake.time += 20;
    }
    expect(tab.closed?.code).toBe(4103);
  });

  test('a second hello is refused: it would have the whole log sent again', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, { type: 'hello', protocol: PROTOCOL_VERSION });
    expect(tab.frames.at(-1)).toMatchObject({ type: 'error', code: 'bad_frame' });
    expect(tab.of('welcome')).toHaveLength(1);
  });

  test('a hello that comes late is still one', async () => {
    const fake = await quietWorld();
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
    const fake = await quietWorld();
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
    const fake = await quietWorld();
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
    const fake = await quietWorld();
    const { FakeSocket } = await import('../support/fake-world.ts');
    const socket = new FakeSocket();
    fake.runtime.join(socket);
    await fake.say(socket, send('a'));
    await fake.sayRaw(socket, '{ "type": "ping" }');
    expect(socket.frames).toMatchObject([{ type: 'error', code: 'hello_required' }, { type: 'pong' }]);
    expect(fake.records()).toHaveLength(1);
  });

  test('another protocol version is told so and closed for good', async () => {
    const fake = await quietWorld();
    const { FakeSocket } = await import('../support/fake-world.ts');
    const tab = new FakeSocket();
    fake.runtime.join(tab);
    await fake.say(tab, { type: 'hello', protocol: PROTOCOL_VERSION + 1 });
    expect(tab.frames.at(-1)).toMatchObject({ type: 'error', code: 'protocol_version' });
    expect(tab.closed?.code).toBe(4409);
  });

  test('a client that sends nothing but rubbish is closed', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    for (let index = 0; index < MAX_BAD_FRAMES; index += 1) await fake.sayRaw(tab, '{');
    expect(tab.closed?.code).toBe(4400);
  });

  test('S3: a full line refuses, retryable, naming the message', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    for (let index = 0; index <= MAX_QUEUE_LENGTH; index += 1) await fake.say(tab, send(`m${index}`));
    await fake.say(tab, { type: 'credit', bytes: 1_000_000 });
    await fake.say(tab, send('over'));
    expect(tab.of('error').at(-1)).toMatchObject({ code: 'queue_full', id: 'over', retryable: true });
  });
});
