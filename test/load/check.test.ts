/** The checker must find what it is there to find. */
import { expect, test } from 'vitest';
import { countRecorded, differences } from '../../load/check.ts';
import type { Exchange } from '../../load/driver.ts';
import type { Message } from '../../src/protocol/transcript.ts';

function exchange(number: number, changes: Partial<Exchange> = {}): Exchange {
  const text = `question ${number}`;
  return {
    id: `m${number}`,
    text,
    ackMs: 1,
    firstMs: 2,
    replyMs: 3,
    reply: `reply ${number}`,
    problem: null,
    ...changes,
  };
}

function asked(number: number, seq: number): Message {
  const common = { seq, turn: seq, id: `m${number}`, text: `question ${number}`, at: 0 };
  return { role: 'user', ...common, status: 'accepted', priority: 0 };
}

function replied(number: number, turn: number, seq: number): Message {
  const common = { seq, turn, id: `${turn}.1`, text: `reply ${number}`, at: 0 };
  return { role: 'bot', ...common, status: 'complete', attempt: 1 };
}

const EXCHANGES = [exchange(1), exchange(2)];
const HISTORY = [asked(1, 2), replied(1, 2, 3), asked(2, 4), replied(2, 4, 5)];
const WELL = { sent: 2, acknowledged: 2, answered: 2, lost: 0, doubled: 0, outOfOrder: 0, altered: 0 };

test('a history that is right counts as such', () => {
  expect(countRecorded(EXCHANGES, HISTORY)).toEqual(WELL);
});

test('what was acknowledged and is not in the history is lost', () => {
  expect(countRecorded(EXCHANGES, HISTORY.slice(0, 2)).lost).toBe(1);
  expect(countRecorded(EXCHANGES, HISTORY.slice(0, 3)).lost).toBe(1);
});

test('what was never acknowledged is not lost, but is not answered either', () => {
  const exchanges = [
    exchange(1),
    exchange(2, { ackMs: null, replyMs: null, reply: null, problem: 'no reply in time' }),
  ];
  expect(countRecorded(exchanges, HISTORY.slice(0, 2))).toEqual({ ...WELL, acknowledged: 1, answered: 1 });
});

test('a second reply, a second message of one id, and a message that nobody sent are doubled', () => {
  expect(countRecorded(EXCHANGES, [...HISTORY, replied(2, 4, 6)]).doubled).toBe(1);
  expect(countRecorded(EXCHANGES, [...HISTORY, asked(2, 6), replied(2, 6, 7)]).doubled).toBe(1);
  expect(countRecorded(EXCHANGES, [...HISTORY, asked(3, 6), replied(3, 6, 7)]).doubled).toBe(1);
});

test('messages in another order than they were sent are out of order', () => {
  const history = [asked(2, 2), replied(2, 2, 3), asked(1, 4), replied(1, 4, 5)];
  expect(countRecorded(EXCHANGES, history).outOfOrder).toBe(1);
});

test('another text than was sent, or another reply than was seen, is altered', () => {
  expect(countRecorded([exchange(1, { text: 'other' }), exchange(2)], HISTORY).altered).toBe(1);
  expect(countRecorded([exchange(1), exchange(2, { reply: 'other' })], HISTORY).altered).toBe(1);
});

test('two tellings of one conversation differ by what one of them lacks or says otherwise', () => {
  expect(differences(HISTORY, HISTORY)).toBe(0);
  expect(differences(HISTORY, HISTORY.slice(1))).toBeGreaterThan(0);
  expect(differences(HISTORY, HISTORY.slice(0, 3))).toBe(1);
  expect(differences(HISTORY, HISTORY.with(1, replied(9, 2, 3)))).toBe(1);
});
