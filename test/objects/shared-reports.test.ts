/** B9: how turns ended is told by one session of a process for all, under fakes and on virtual time. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { SessionReport } from '../../src/objects/bot-rpc.ts';
import { SharedReports, type Reporter } from '../../src/objects/shared-reports.ts';
import { FakeWorld, settle } from '../support/fake-world.ts';
import { GO } from '../support/free-bot.ts';

let one: FakeWorld;
let two: FakeWorld;
beforeEach(() => {
  one = new FakeWorld();
  two = new FakeWorld(one.leaves, one.sharedReports);
});

/** A turn from its message to its answer. */
async function turn(world: FakeWorld, id: string): Promise<void> {
  expect(world.runtime.send({ id, text: id, priority: 1 })).toBeNull();
  await settle();
  await world.model.end();
}

async function advance(ms: number): Promise<void> {
  await one.advance(ms);
  await two.advance(ms);
}

/** The turns whose end each call tells: the caller's own, and those of others. */
const told = (world: FakeWorld): number[][][] => {
  const turns = ({ ended }: SessionReport): number[] => ended.map((report) => report.turn);
  return world.calls.map(({ call }) => [turns(call), ...(call.others ?? []).map(turns)]);
};

describe('B9: turns that ended', () => {
  test('are told a second later in one call for all sessions of the process', async () => {
    await turn(one, 'a');
    await turn(two, 'b');
    one.calls.length = 0;
    await advance(900);
    expect([told(one), told(two)]).toEqual([[], []]);
    await advance(5_000);
    expect([told(one), told(two)]).toEqual([[[[2], [2]]], []]);
  });

  test('are told once: with a call of one’s own that comes before', async () => {
    await turn(one, 'a');
    await turn(two, 'b');
    one.leaves.end('b', one.time);
    two.calls.length = 0;
    await turn(two, 'c');
    expect(told(two)).toEqual([[[2]]]);
    one.calls.length = 0;
    await advance(5_000);
    expect([told(one), told(two)]).toEqual([[[[2], [4]]], [[[2]]]]);
  });

  test('whose call fails stay with their sessions, and travel with the next', async () => {
    await turn(one, 'a');
    await turn(two, 'b');
    one.bot = () => Promise.reject(new Error('the object broke'));
    await advance(1_000);
    one.bot = () => GO;
    one.calls.length = 0;
    await turn(one, 'c');
    await turn(two, 'd');
    expect([told(one), told(two).at(-1)]).toEqual([[[[2]]], [[2]]]);
  });

  test('are told by the next session, where the one that was to call is gone', async () => {
    await turn(one, 'a');
    await turn(two, 'b');
    // Its object ends: nothing of it happens any more, while the process goes on.
    await two.advance(2_500);
    await turn(two, 'c');
    two.calls.length = 0;
    await two.advance(1_000);
    expect(told(two)).toEqual([[[4], [2]]]);
  });

  test('are told as they are when the call leaves, not as they were when it was to leave', async () => {
    await turn(one, 'a');
    await turn(two, 'b');
    one.bots.set('silent', { id: 'silent', name: 'Silent', model: 'm' });
    one.bot = () => new Promise(() => undefined);
    expect(one.runtime.send({ id: 'c', text: '@silent c', priority: 1 })).toBeNull();
    await settle();
    one.bot = () => GO;
    one.calls.length = 0;
    // The call for all waits for the one that is not answered; meanwhile the other session calls by itself.
    await one.advance(1_500);
    await two.advance(1_500);
    expect(one.calls).toEqual([]);
    await turn(two, 'd');
    await one.advance(1_000);
    expect([told(one)[0], told(two).at(-1)]).toEqual([[[2], [4]], [[2]]]);
  });

  test('that failed are told at once, by the session itself', async () => {
    expect(one.runtime.send({ id: 'a', text: 'a', priority: 1 })).toBeNull();
    await settle();
    await one.model.fail(new Error('a fault'));
    await one.advance(1);
    expect(told(one)).toEqual([[[]], [[2]]]);
  });

  test('are told at once and alone where others wait for their end', async () => {
    one.bot = () => ({ do: 'go', revision: 1, spec: null, leaseMs: 5_000, callAgainMs: 1_000 });
    await turn(one, 'a');
    await one.advance(1);
    expect(told(one)).toEqual([[[]], [[2]]]);
    await turn(two, 'b');
    await two.advance(1);
    expect(told(two)).toEqual([[[]]]);
  });
});

describe('groups', () => {
  const reporter = (): Reporter => ({
    hasReport: () => false,
    takeReport: () => expect.unreachable(),
    keepReport: () => undefined,
  });

  test('are for one bot each, and not for more than 500 sessions', () => {
    const reports = new SharedReports();
    expect(reports.add('a', reporter(), 0, 1_000)).not.toBeNull();
    expect(reports.add('b', reporter(), 0, 1_000)).not.toBeNull();
    for (let session = 2; session <= 500; session += 1) expect(reports.add('a', reporter(), 10, 1_010)).toBeNull();
    expect(reports.add('a', reporter(), 20, 1_020)).not.toBeNull();
    expect(reports.add('a', reporter(), 20, 1_020)).toBeNull();
  });

  test('end with their call, with the time for it, and with a clock that is put back', () => {
    const reports = new SharedReports();
    const group = reports.add('a', reporter(), 0, 1_000);
    if (group) reports.close('a', group);
    const second = reports.add('a', reporter(), 500, 1_500);
    expect(second).not.toBeNull();
    // The call of a group that is not the open one any more.
    if (group) reports.close('a', group);
    expect(reports.add('a', reporter(), 2_499, 3_499)).toBeNull();
    expect(reports.add('a', reporter(), 2_500, 3_500)).not.toBeNull();
    expect(reports.add('a', reporter(), 1_000, 2_000)).not.toBeNull();
  });
});
