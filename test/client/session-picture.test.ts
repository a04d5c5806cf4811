import { describe, expect, test } from 'vitest';
import { SessionPicture } from '../../src/client/session-picture.ts';
import type { EventFrame, RecordBody } from '../../src/protocol/records.ts';
import type { Message } from '../../src/protocol/transcript.ts';
import { delta, message, reply, welcome } from './support/fake-server.ts';

const event = (seq: number, body: RecordBody): EventFrame => ({ type: 'event', seq, at: seq, ...body });
const summary = (messages: readonly Message[]): string[] =>
  messages.map(({ seq, role, text, status }) => `${seq} ${role} ${text} ${status}`);

/** A picture that was greeted and has read these records live. */
function live(...bodies: RecordBody[]): SessionPicture {
  const picture = new SessionPicture();
  picture.welcome(welcome({ reset: true }));
  bodies.forEach((body, index) => picture.event(event(index + 1, body)));
  return picture;
}

describe('records', () => {
  test('one that was read is ignored, one beyond the next is a gap and changes nothing', () => {
    const picture = live(message('a'), message('b'));
    const before = picture.part();
    expect(picture.event(event(2, message('x')))).toBe('ignored');
    expect(picture.event(event(4, message('x')))).toBe('gap');
    expect(picture.part()).toEqual(before);
    expect(picture.event(event(3, message('c')))).toBe('applied');
  });

  test('messages show who waits and who is answered, by the records alone', () => {
    const picture = live(message('a'), message('b'), message('c'), message('d', 'd', 2));
    expect(summary(picture.part().messages)).toEqual([
      '1 user a answering',
      '2 user b queued',
      '3 user c queued',
      '4 user d queued',
    ]);
    expect(picture.part().queue.waiting.map(({ id }) => id)).toEqual(['d', 'b', 'c']);
    picture.event(event(5, { kind: 'cancelled', turn: 2 }));
    picture.event(event(6, { kind: 'edited', turn: 3, text: 'C' }));
    picture.event(event(7, reply(1, 'A')));
    expect(summary(picture.part().messages)).toEqual([
      '1 user a accepted',
      '2 user b cancelled',
      '3 user C queued',
      '4 user d answering',
      '7 bot A complete',
    ]);
    expect(picture.running).toEqual({ turn: 4, attempt: 1, text: '', thinking: '' });
  });

  test('the queue of the server wins over what the records suggest', () => {
    const picture = live(message('a'));
    picture.queue({ running: null, waiting: [{ turn: 1, id: 'a', priority: 0 }] });
    expect(summary(picture.part().messages)).toEqual(['1 user a queued']);
    expect(picture.running).toBeNull();
  });

  test('a queue frame that is ahead of its records comes to the same end', () => {
    const picture = live(message('a'));
    picture.queue({ running: { turn: 4, attempt: 1 }, waiting: [] });
    for (const body of [message('b'), reply(1, 'A'), message('d'), reply(2, 'B')]) {
      picture.event(event(picture.lastSeq + 1, body));
    }
    expect(picture.part().queue).toEqual({ running: { turn: 4, attempt: 1 }, waiting: [] });
  });

  test('replayed records do not undo what the welcome told about the present', () => {
    const picture = new SessionPicture();
    picture.welcome(
      welcome({ reset: true, seq: 4, title: 'Now', queue: { running: { turn: 1, attempt: 2 }, waiting: [] } }),
    );
    expect(picture.caughtUp).toBe(false);
    picture.delta(delta(1, 0, 'Better', 2));
    const bodies: RecordBody[] = [
      message('a'),
      { kind: 'updated', title: 'Then' },
      reply(1, 'Bad'),
      { kind: 'regenerated', turn: 1, attempt: 2 },
    ];
    bodies.forEach((body, index) => picture.event(event(index + 1, body)));
    expect(picture.caughtUp).toBe(true);
    expect(picture.part()).toMatchObject({
      title: 'Now',
      queue: { running: { turn: 1, attempt: 2 }, waiting: [] },
      running: { turn: 1, attempt: 2, text: 'Better' },
    });
    expect(summary(picture.part().messages)).toEqual(['1 user a answering', '3 bot Bad superseded']);
  });

  test('settings follow the records that come after the welcome', () => {
    const picture = live();
    const bot = { id: 'c', name: 'C', model: 'n' };
    picture.event(event(1, { kind: 'updated', title: 'New' }));
    picture.event(event(2, { kind: 'updated', archived: true, bot }));
    expect(picture.part()).toMatchObject({ title: 'New', archived: true, bot });
  });
});

describe('a turn that waits', () => {
  const wait = (place: number, reason: 'line' | 'stopped' = 'line') => ({ reason, place });

  test('shows every move of its place and every other reason, and until it begins no answer', () => {
    const picture = live(message('a'));
    const seen = [wait(3), wait(2), wait(2, 'stopped')].map((next) => {
      picture.queue({ running: { turn: 1, attempt: 1, wait: next }, waiting: [] });
      return picture.part().queue.running?.wait;
    });
    expect(seen).toEqual([wait(3), wait(2), wait(2, 'stopped')]);
    expect(picture.running).toMatchObject({ turn: 1, text: '' });
    picture.queue({ running: { turn: 1, attempt: 1 }, waiting: [] });
    expect(picture.part().queue.running).toEqual({ turn: 1, attempt: 1 });
  });

  test('waits no longer once something came of it, though the frame that says so was left out', () => {
    const picture = live(message('a'));
    picture.queue({ running: { turn: 1, attempt: 1, wait: wait(1) }, waiting: [] });
    picture.delta(delta(1, 0, 'At last'));
    expect(picture.part().queue.running).toEqual({ turn: 1, attempt: 1 });
  });

  test('its outcome says who answered', () => {
    const picture = live(message('a'));
    const by = { id: 'coder', name: 'Coder', revision: 2 };
    picture.event(event(2, { kind: 'failed', turn: 1, attempt: 1, text: '', code: 'line_full', message: 'Full.', by }));
    expect(picture.part().messages.at(-1)).toMatchObject({ by, error: { code: 'line_full' } });
  });
});

describe('the running answer', () => {
  test('a late piece of an answer that has ended does not bring it back', () => {
    const picture = live(message('a'));
    picture.delta(delta(1, 0, 'Half'));
    picture.event(event(2, reply(1, 'Half and half')));
    expect(picture.delta(delta(1, 4, ' and'))).toBe('ignored');
    expect(picture.running).toBeNull();
  });

  test('a restart keeps nothing of the attempt before', () => {
    const picture = live(message('a'));
    picture.delta(delta(1, 0, 'Half'));
    picture.event(event(2, { kind: 'restarted', turn: 1, attempt: 2 }));
    expect(picture.running).toEqual({ turn: 1, attempt: 2, text: '', thinking: '' });
    expect(picture.delta(delta(1, 4, ' more', 1))).toBe('ignored');
  });

  test('a welcome keeps what was read of the same attempt, also when it resets the log', () => {
    const picture = live(message('a'));
    picture.delta(delta(1, 0, 'Half'));
    picture.welcome(
      welcome({ seq: 500, from: 0, reset: true, queue: { running: { turn: 1, attempt: 1 }, waiting: [] } }),
    );
    expect(picture.delta(delta(1, 4, '!'))).toBe('applied');
    expect(picture.running?.text).toBe('Half!');
    picture.welcome(welcome({ seq: 500, from: 0, queue: { running: { turn: 1, attempt: 2 }, waiting: [] } }));
    expect(picture.running).toEqual({ turn: 1, attempt: 2, text: '', thinking: '' });
    picture.welcome(welcome({ seq: 500, from: 0 }));
    expect(picture.running).toBeNull();
  });
});

describe('resets and older pages', () => {
  test('a reset drops everything, older pages too, and so does a welcome that would leave a hole', () => {
    for (const reset of [true, false]) {
      const picture = live(message('a'), message('b'));
      picture.welcome(welcome({ seq: 101, from: 100, reset }));
      expect(picture.part()).toMatchObject({ messages: [], olderBefore: 101 });
      expect(picture.turnOf('a')).toBeUndefined();
      expect(picture.event(event(101, message('c')))).toBe('applied');
    }
  });

  test('pages go before what is held, without doubles, with what was learned about them since', () => {
    const picture = new SessionPicture();
    picture.welcome(
      welcome({ seq: 10, from: 10, queue: { running: null, waiting: [{ turn: 5, id: 'e', priority: 0 }] } }),
    );
    picture.event(event(11, { kind: 'regenerated', turn: 7, attempt: 2 }));
    picture.event(event(12, { kind: 'edited', turn: 5, text: 'E' }));
    picture.event(event(13, { kind: 'cancelled', turn: 6 }));
    const user = (seq: number, id: string): Message => ({
      role: 'user',
      seq,
      turn: seq,
      id,
      text: id,
      at: 1,
      priority: 0,
      status: 'accepted',
    });
    const bot: Message = { role: 'bot', seq: 8, turn: 7, attempt: 1, id: '7.1', text: 'G', at: 1, status: 'complete' };
    expect(picture.older(11, [user(5, 'e'), user(6, 'f'), user(7, 'g'), bot, user(11, 'double')], 5)).toBe(true);
    expect(summary(picture.part().messages)).toEqual([
      '5 user E queued',
      '6 user f cancelled',
      '7 user g answering',
      '8 bot G superseded',
    ]);
    expect(picture.turnOf('e')).toBe(5);
    expect(picture.part().olderBefore).toBe(5);
    expect(picture.older(11, [user(1, 'late')], null)).toBe(false);
    expect(picture.older(5, [user(1, 'first')], null)).toBe(true);
    expect(picture.part().messages.map(({ seq }) => seq)).toEqual([1, 5, 6, 7, 8]);
    expect(picture.part().olderBefore).toBeNull();
  });
});

describe('sharing', () => {
  test('equal parts keep their identity; the pieces of an answer copy no list', () => {
    const picture = live(message('a'), message('b'));
    const before = picture.part();
    picture.delta(delta(1, 0, 'Hel'));
    const during = picture.part();
    expect(during.messages).toBe(before.messages);
    expect(during.queue).toBe(before.queue);
    picture.queue(structuredClone(before.queue));
    expect(picture.part().queue).toBe(before.queue);
    picture.event(event(3, reply(1, 'Hello')));
    const after = picture.part();
    expect(after.messages).not.toBe(before.messages);
    expect(before.messages).toHaveLength(2);
    picture.event(event(4, message('c')));
    const [one, two, three] = picture.part().messages;
    expect([one, two, three]).toEqual(after.messages);
    expect([one, three]).toEqual([after.messages[0], after.messages[2]]);
    expect(one).toBe(after.messages[0]);
    expect(two).toBe(after.messages[1]);
  });

  test('ten thousand pieces beside ten thousand messages cost less than copying the list each time would', () => {
    const picture = live(...Array.from({ length: 10_000 }, () => ({ kind: 'updated' as const, title: 'x' })));
    for (let turn = 10_001; turn < 20_001; turn += 2) {
      picture.event(event(turn, message(`m${turn}`)));
      picture.event(event(turn + 1, reply(turn, 'x')));
    }
    picture.event(event(20_001, message('last')));
    const { messages } = picture.part();
    expect(messages).toHaveLength(10_001);
    for (let offset = 0; offset < 10_000; offset += 1) {
      picture.delta(delta(20_001, offset, 'y'));
      expect(picture.part().messages === messages).toBe(true);
    }
    expect(picture.running?.text).toBe('y'.repeat(10_000));
  });
});
