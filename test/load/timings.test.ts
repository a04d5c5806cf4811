/** All that is said of times comes from these columns: what is ours, the model's, and the generator's own lateness. */
import { expect, test } from 'vitest';
import type { TalkColumns } from '../../load/generator/open-loop.ts';
import { timingsOf } from '../../load/measure/timings.ts';
import { messageKey } from '../../load/message.ts';

/** Of one message of user 1, to be sent at 1,000 ms, sent 2 ms late, shown at 1,040 and whole at 1,250. */
const ONE = {
  user: 1,
  number: 0,
  intendedAt: 1_000,
  sentAt: 1_002,
  ackAt: 1_006,
  firstAt: 1_040,
  replyAt: 1_250,
  failedAt: Number.NaN,
};
const GENERATION = { key: messageKey(1, 0), receivedAt: 1_010, firstAt: 1_030, endAt: 1_230 };

function columns(...rows: (typeof ONE)[]): TalkColumns {
  const column = (name: keyof typeof ONE): Float64Array => Float64Array.from(rows, (row) => row[name]);
  return {
    user: column('user'),
    number: column('number'),
    intendedAt: column('intendedAt'),
    sentAt: column('sentAt'),
    ackAt: column('ackAt'),
    firstAt: column('firstAt'),
    replyAt: column('replyAt'),
    failedAt: column('failedAt'),
  };
}

function timings(rows: (typeof ONE)[], generations: (typeof GENERATION)[] | null) {
  const column = (name: keyof typeof GENERATION): Float64Array =>
    Float64Array.from(generations ?? [], (row) => row[name]);
  const made = {
    key: column('key'),
    receivedAt: column('receivedAt'),
    firstAt: column('firstAt'),
    endAt: column('endAt'),
  };
  const all = timingsOf(columns(...rows), generations && made);
  const { acknowledged, firstToken, answered, oursToFirst, oursToEnd, late, model } = all;
  const named = { acknowledged, firstToken, answered, oursToFirst, oursToEnd, late, model };
  return Object.fromEntries(Object.entries(named).map(([name, { count, max }]) => [name, count === 0 ? null : max]));
}

test('every time counts from when the message was to be sent; ours is what the model did not take', () => {
  const all = { acknowledged: 6, firstToken: 40, answered: 250, late: 2, model: 220 };
  // 40 - 20 of the model’s to the first token, 250 - 220 to the end: its way to the model, too, is ours.
  expect(timings([ONE], [GENERATION])).toEqual({ ...all, oursToFirst: 20, oursToEnd: 30 });
});

test('of an attempt that was begun again the last generation counts', () => {
  const died = { ...GENERATION, receivedAt: 1_003, firstAt: 1_004, endAt: 1_005 };
  expect(timings([ONE], [died, GENERATION])).toMatchObject({ oursToFirst: 20, oursToEnd: 30 });
});

test('an answer that came all at once began when it was there', () => {
  const atOnce = { ...ONE, firstAt: Number.NaN };
  expect(timings([atOnce], [GENERATION])).toMatchObject({ firstToken: 250, oursToFirst: 230, oursToEnd: 30 });
});

test('what never came is in no percentile, and ours is unknown where the model is', () => {
  const lost = { ...ONE, number: 1, ackAt: Number.NaN, firstAt: Number.NaN, replyAt: Number.NaN };
  expect(timings([lost], [])).toMatchObject({ acknowledged: null, firstToken: null, answered: null, oursToEnd: null });
  expect(timings([ONE], [])).toMatchObject({ answered: 250, oursToFirst: null, oursToEnd: null, model: null });
  expect(timings([ONE], null)).toMatchObject({ answered: 250, oursToFirst: null, oursToEnd: null, model: null });
});
