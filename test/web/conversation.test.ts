import { describe, expect, test } from 'vitest';
import type { Pending, SessionView } from '../../src/client/types.ts';
import type { BotMessage, BotStatus, UserMessage } from '../../src/protocol/transcript.ts';
import { arrange, isSameEntry } from '../../src/web/state/conversation.ts';

const user = (seq: number, status: UserMessage['status'] = 'accepted'): UserMessage => {
  return { role: 'user', seq, turn: seq, id: `m${seq}`, text: `text ${seq}`, at: seq, priority: 0, status };
};
const bot = (seq: number, turn: number, attempt = 1, status: BotStatus = 'complete'): BotMessage => {
  return { role: 'bot', seq, turn, attempt, id: `${turn}.${attempt}`, text: `answer ${turn}`, at: seq, status };
};
const pending = (id: string, refused: Pending['refused'] = null): Pending => {
  return { id, text: `text ${id}`, priority: 0, at: 1, refused };
};
const waiting = (turn: number, priority = 0) => ({ turn, id: `m${turn}`, priority });

type Part = Parameters<typeof arrange>[0];
const IDLE: SessionView['queue'] = { running: null, waiting: [] };
const view = (part: Partial<Part>): Part => {
  return { messages: [], queue: IDLE, pending: [], connection: 'live', running: null, ...part };
};
const keys = (part: Partial<Part>) => arrange(view(part)).entries.map(({ key }) => key);

describe('the conversation', () => {
  test('an answer stands under its question, though later questions came first in the log', () => {
    const messages = [user(2), user(3), bot(4, 2), bot(5, 3)];
    expect(keys({ messages })).toEqual(['m2', '2.1', 'm3', '3.1']);
  });

  test('a message that was answered before earlier ones stands before them', () => {
    expect(keys({ messages: [user(2), user(3), bot(4, 3), bot(5, 2)] })).toEqual(['m3', '3.1', 'm2', '2.1']);
  });

  test('an entry is drawn again when something in it changed, and only then', () => {
    const messages = [user(2), bot(4, 2)];
    const before = arrange(view({ messages })).entries;
    const same = (part: Partial<Part>) =>
      arrange(view(part)).entries.map((entry, at) => before[at] !== undefined && isSameEntry(before[at], entry));
    expect(same({ messages: [...messages] })).toEqual([true, true]);
    expect(same({ messages: [{ ...user(2), text: 'edited' }, ...messages.slice(1)] })).toEqual([false, true]);
    // Only the last answer can be asked for again.
    expect(same({ messages: [...messages, user(5), bot(6, 5)] })).toEqual([true, false, false, false]);
  });

  test('the running answer is last and has the key of the message that it becomes', () => {
    const running = { turn: 3, attempt: 2 };
    const messages = [user(2), bot(4, 2), user(3, 'answering')];
    const before = arrange(view({ messages, running, queue: { running, waiting: [] } })).entries.at(-1);
    const after = arrange(view({ messages: [...messages, bot(6, 3, 2)] })).entries.at(-1);
    expect(before?.key).toBe('3.2');
    expect(after?.key).toBe(before?.key);
  });

  test('an earlier answer stays above the one that replaced it', () => {
    const messages = [user(2), bot(3, 2, 1, 'superseded'), bot(5, 2, 2)];
    expect(keys({ messages })).toEqual(['m2', '2.1', '2.2']);
  });

  test('a withdrawn message is not shown', () => {
    expect(keys({ messages: [user(2), bot(3, 2), user(4, 'cancelled')] })).toEqual(['m2', '2.1']);
  });

  test('only the last answer may be asked for again, and only while nothing else goes on', () => {
    const messages = [user(2), bot(3, 2), user(4), bot(5, 4)];
    const last = (part: Partial<Part>) =>
      arrange(view(part)).entries.flatMap((entry) => (entry.kind === 'answer' && entry.last ? [entry.key] : []));
    expect(last({ messages })).toEqual(['4.1']);
    expect(last({ messages: [...messages, user(6)], running: { turn: 6, attempt: 1 } })).toEqual([]);
    expect(
      last({ messages: [...messages, user(6, 'queued')], queue: { running: null, waiting: [waiting(6)] } }),
    ).toEqual([]);
  });
});

describe('what waits', () => {
  const running = { turn: 2, attempt: 1 };

  test('queued messages are in the order in which they will be answered, not in the conversation', () => {
    const messages = [user(2, 'answering'), user(3, 'queued'), user(4, 'queued')];
    const queue = { running, waiting: [waiting(4, 2), waiting(3)] };
    const arranged = arrange(view({ messages, running, queue }));
    expect(arranged.entries.map(({ key }) => key)).toEqual(['m2', '2.1']);
    expect(arranged.queue.map(({ id, ahead, state }) => [id, ahead, state])).toEqual([
      ['m4', 1, 'waiting'],
      ['m3', 2, 'waiting'],
    ]);
  });

  test('the first message does not flicker through the queue on its way to be answered', () => {
    const sending = arrange(view({ pending: [pending('m2')] }));
    expect(sending.entries.map(({ key }) => key)).toEqual(['m2']);
    expect(sending.queue).toEqual([]);
    const durable = arrange(view({ messages: [user(2, 'queued')], queue: { running: null, waiting: [waiting(2)] } }));
    expect(durable.entries.map(({ key }) => key)).toEqual(['m2']);
    expect(durable.queue).toEqual([]);
  });

  test('without a connection nothing looks sent', () => {
    const offline = arrange(view({ connection: 'waiting', pending: [pending('a'), pending('b')] }));
    expect(offline.entries).toEqual([]);
    expect(offline.queue.map(({ id, state }) => [id, state])).toEqual([
      ['a', 'unsent'],
      ['b', 'unsent'],
    ]);
  });

  test('a refused message stays with its reason and lets the next one pass', () => {
    const refused = pending('a', { code: 'text_too_long', message: 'Too long.' });
    const arranged = arrange(view({ pending: [refused, pending('b')] }));
    expect(arranged.entries.map(({ key }) => key)).toEqual(['b']);
    expect(arranged.queue).toMatchObject([{ id: 'a', state: 'refused', reason: 'Too long.' }]);
  });

  test('a message is shown once while its acknowledgement is on the way', () => {
    const messages = [user(2, 'answering'), user(3, 'queued')];
    const queue = { running, waiting: [waiting(3)] };
    const arranged = arrange(view({ messages, running, queue, pending: [pending('m3')] }));
    expect(arranged.queue.map(({ id }) => id)).toEqual(['m3']);
  });
});
