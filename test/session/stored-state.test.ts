import { expect, test } from 'vitest';
import { EMPTY_STATE, type SessionState } from '../../src/session/state.ts';
import { decodeState, encodeState } from '../../src/session/stored-state.ts';

const MESSAGES = 100;
/** Ids as the page makes them. */
const idOf = (turn: number): string => `00000000-0000-4000-8000-${String(turn).padStart(12, '0')}`;
const waiting = Array.from({ length: MESSAGES }, (_, index) => ({
  turn: index + 3,
  id: idOf(index + 3),
  priority: index === 0 ? 5 : 0,
}));
const state: SessionState = {
  ...EMPTY_STATE,
  seq: MESSAGES + 2,
  running: { turn: 2, id: idOf(2), priority: 0, attempt: 1, restarts: 0 },
  waiting,
};
const ids = new Map(waiting.map(({ turn, id }) => [turn, id]));

test('a long queue is stored by its places in the log, and comes back with its ids', () => {
  const text = encodeState(state);
  expect(text.length).toBeLessThan(MESSAGES * 10 + 400);
  const asked: number[][] = [];
  const decoded = decodeState(text, (turns) => {
    asked.push([...turns]);
    return ids;
  });
  expect(decoded).toEqual(state);
  expect(asked).toEqual([waiting.map(({ turn }) => turn)]);
});

test('a state whose queue has its ids, as it was written before, is read too', () => {
  expect(decodeState(JSON.stringify(state), () => new Map())).toEqual(state);
});

test('a queue of which the log has not every message is damage', () => {
  ids.delete(7);
  expect(() => decodeState(encodeState(state), () => ids)).toThrow('The message at 7 waits, but is not in the log.');
});
