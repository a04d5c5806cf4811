/** What a fault did is worked out from times: here the times are known, and so is what must come of them. */
import { expect, test } from 'vitest';
import {
  healedForFirst,
  liveUsers,
  losses,
  lostSince,
  recovery,
  timesByPhase,
  unexplained,
  type Wound,
} from '../../load/drills/outcome.ts';
import { tallyOf, type TalkColumns } from '../../load/generator/open-loop.ts';

const NEVER = Number.NaN;
const SPAN = { beginAt: 1_000, endAt: 5_000 };
const FIRST: Wound = { name: 'first', at: 1_000, healedAt: 1_500 };
const SECOND: Wound = { name: 'second', at: 4_000, healedAt: 4_200 };

interface Row {
  user: number;
  intendedAt: number;
  ackAt?: number;
  replyAt?: number;
}

function columnsOf(rows: readonly Row[]): TalkColumns {
  const column = (of: (row: Row) => number): Float64Array => Float64Array.from(rows, of);
  return {
    user: column(({ user }) => user),
    number: column(() => 0),
    intendedAt: column(({ intendedAt }) => intendedAt),
    sentAt: column(({ intendedAt }) => intendedAt),
    ackAt: column(({ ackAt = NEVER }) => ackAt),
    firstAt: column(({ ackAt = NEVER }) => ackAt + 5),
    replyAt: column(({ replyAt = NEVER }) => replyAt),
    failedAt: column(() => NEVER),
  };
}

test('a message belongs to the time at which it was to be sent, and its wait counts from there', () => {
  const columns = columnsOf([
    { user: 0, intendedAt: 900, ackAt: 1_600, replyAt: 1_700 },
    { user: 0, intendedAt: 2_000, ackAt: 2_010 },
    { user: 1, intendedAt: 6_000, ackAt: 6_003, replyAt: 6_100 },
  ]);
  const { before, during, after } = timesByPhase(columns, SPAN);
  expect([before.sent, during.sent, after.sent]).toEqual([1, 1, 1]);
  expect([before.answered, during.answered, after.answered]).toEqual([1, 0, 1]);
  expect(before.acknowledged.max).toBeCloseTo(700, 0);
  expect(during.answer.max).toBeNull();
  expect(timesByPhase(columns, SPAN, (user) => user === 1).before.sent).toBe(0);
});

test('what was answered and what was said to fail is counted by the messages; the others are open', () => {
  const columns = columnsOf([
    { user: 0, intendedAt: 0, replyAt: 100 },
    { user: 0, intendedAt: 1 },
    { user: 1, intendedAt: 2 },
  ]);
  columns.failedAt[1] = 50;
  expect(tallyOf(columns)).toEqual({ sent: 3, answered: 1, failed: 1 });
});

test('a loss is counted to the fault before it, once a user, up to the last time it came back', () => {
  const outages = [
    { user: 7, lostAt: 900, liveAt: 950 },
    { user: 7, lostAt: 1_010, liveAt: 1_300 },
    { user: 7, lostAt: 1_400, liveAt: 1_800 },
    { user: 8, lostAt: 4_020, liveAt: NEVER },
  ];
  expect(losses([FIRST, SECOND], outages)).toEqual([
    { user: 7, wound: FIRST, lostAt: 1_010, liveAt: 1_800, connections: 2 },
    { user: 8, wound: SECOND, lostAt: 4_020, liveAt: NEVER, connections: 1 },
  ]);
  expect(unexplained(SPAN, outages)).toBe(1);
});

test('a connection lost in the fault’s own moment is of the fault, and one lost long after it, too', () => {
  const outages = [999, 1_000, 4_020, 9_000].map((lostAt, user) => ({ user, lostAt, liveAt: NEVER }));
  expect(lostSince(SPAN, outages)).toBe(3);
  expect(unexplained(SPAN, outages)).toBe(1);
});

test('who is on the way back has no connection', () => {
  const outages = [
    { user: 1, lostAt: 1_010, liveAt: 1_300 },
    { user: 2, lostAt: 1_010, liveAt: 3_000 },
    { user: 3, lostAt: 1_010, liveAt: NEVER },
  ];
  expect([1_010, 1_200, 1_300, 4_000].map((at) => liveUsers(5, outages, at))).toEqual([5, 2, 3, 4]);
});

test('recovery is the wait of the first message acknowledged after the connection is back', () => {
  const lost = losses([FIRST], [{ user: 3, lostAt: 1_010, liveAt: 1_800 }]);
  const columns = columnsOf([
    // Acknowledged while the process was dying: no recovery yet.
    { user: 3, intendedAt: 995, ackAt: 1_001 },
    { user: 3, intendedAt: 1_200, ackAt: 1_810 },
    { user: 3, intendedAt: 3_000, ackAt: 3_002 },
    // Was not hit.
    { user: 4, intendedAt: 1_200, ackAt: 1_201 },
  ]);
  const back = recovery(columns, [FIRST], lost, null);
  expect(back.acknowledged.count).toBe(1);
  expect(back.acknowledged.max).toBeCloseTo(610, 0);
  expect(back.acknowledgedHealed.max).toBeCloseTo(310, 0);
  expect(back.never).toBe(0);
});

test('an acknowledgement that was lost with its connection is made good by the answer', () => {
  const lost = losses([FIRST], [{ user: 3, lostAt: 1_010, liveAt: 1_800 }]);
  const back = recovery(columnsOf([{ user: 3, intendedAt: 1_005, replyAt: 1_900 }]), [FIRST], lost, null);
  expect(back.never).toBe(0);
  expect(back.acknowledged.max).toBeCloseTo(895, 0);
});

test('who is never acknowledged again has not recovered, and is counted', () => {
  const lost = losses([FIRST], [{ user: 3, lostAt: 1_010, liveAt: 1_800 }]);
  const back = recovery(columnsOf([{ user: 3, intendedAt: 1_200 }]), [FIRST], lost, null);
  expect(back.never).toBe(1);
  expect(back.acknowledged.max).toBeNull();
});

test('where no connection is lost, recovery counts from the end of the fault', () => {
  const columns = columnsOf([
    { user: 1, intendedAt: 1_100, ackAt: 1_102 },
    { user: 1, intendedAt: 1_490, ackAt: 1_530 },
  ]);
  const back = recovery(columns, [FIRST], [], () => true);
  expect(back.acknowledgedHealed.max).toBeCloseTo(30, 0);
});

test('a fault is over as soon as the server is back for anybody who lost it', () => {
  const outages = [
    { user: 1, lostAt: 1_010, liveAt: 1_400 },
    { user: 2, lostAt: 1_010, liveAt: 3_000 },
    { user: 3, lostAt: 900, liveAt: 950 },
  ];
  const [first, second] = healedForFirst([FIRST, SECOND], outages);
  expect(first?.healedAt).toBe(1_400);
  expect(second?.healedAt).toBe(4_200);
});
