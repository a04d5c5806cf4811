/** A session at work: turns, and what becomes of them when its process ends. */
import { describe, expect, test } from 'vitest';
import { TurnFailure } from '../../src/responders/port.ts';
import { joined, quietWorld, send } from '../support/fake-world.ts';

describe('a turn', () => {
  test('S1, S16: acknowledged, streamed and answered; the deltas join to the reply', async () => {
    const fake = await quietWorld();
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
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.say(tab, send('b', 'second'));
    await fake.model.say('part');
    await fake.model.fail(new TurnFailure('idle_timeout', 'Nothing came for 60 s.'));
    expect(tab.of('event').at(-1)).toMatchObject({ kind: 'failed', code: 'idle_timeout', text: 'part' });
    expect(fake.model.questions[1]?.question.text).toBe('second');
  });

  test('a fault of ours is told as one, without its details', async () => {
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.fail(new TypeError('secret detail'));
    expect(tab.of('event').at(-1)).toMatchObject({ kind: 'failed', code: 'endpoint_error' });
    expect(JSON.stringify(tab.frames)).not.toContain('secret detail');
    expect(fake.reports).toContain('generation_fault');
  });

  test('S12: stop keeps what had come, closes the connection, and nothing of the attempt follows', async () => {
    const fake = await quietWorld();
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
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    fake.runtime.leave(tab);
    await fake.model.say('Hello');
    await fake.model.end();
    expect(fake.records().at(-1)).toMatchObject({ kind: 'reply', text: 'Hello' });
  });

  test('the prompt carries the earlier turns and the text as edited last', async () => {
    const fake = await quietWorld();
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
    const fake = await quietWorld();
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

describe('a process that ended', () => {
  test('S14: after the process ended, the turn goes on by itself under the next attempt, nobody connected', async () => {
    const fake = await quietWorld();
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
    const fake = await quietWorld();
    const tab = await fake.join();
    await fake.say(tab, send('a'));
    await fake.model.say('Hel');
    await fake.restart();
    const back = await fake.join({ seq: 2, turn: 2, attempt: 1, offset: 3 });
    await fake.model.say('Ho');
    expect(back.of('event')[0]).toMatchObject({ kind: 'restarted', attempt: 2 });
    expect(back.of('delta')[0]).toMatchObject({ attempt: 2, offset: 0, text: 'Ho' });
  });
});
