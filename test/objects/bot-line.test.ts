/** The line before a limited bot, over virtual time and crashes. Rules of src/bots/SPEC.md. */
import { describe, expect, it } from 'vitest';
import { LEASE_MS } from '../../src/objects/bot-admission.ts';
import { MAX_CONNECTIONS_PER_USER } from '../../src/objects/bot-sessions.ts';
import type { SessionAnswer } from '../../src/objects/bot-rpc.ts';
import { BotWorld, Crash, callOf, reportOf } from './bot-world.ts';

const places = (world: BotWorld, sessions: readonly string[]): (number | string)[] =>
  sessions.map((session) => {
    const answer = world.ask(session);
    return answer.do === 'wait' ? answer.place : answer.do;
  });

describe('B9: a bot without a limit', () => {
  it('gives leave without a lease and writes no row for a turn', async () => {
    const world = await new BotWorld().launched();
    await world.advance(30_000);
    world.ask('a', {}, { connections: 0 });
    const writes = world.writes;
    expect(world.ask('b', {}, { connections: 0 })).toMatchObject({ do: 'go', leaseMs: null, callAgainMs: 1_000 });
    for (let beat = 0; beat < 5; beat += 1) world.beat('b', { progressed: true }, { connections: 0 });
    world.attend(callOf('b', null, { ended: [reportOf()], connections: 0 }));
    expect(world.writes).toBe(writes);
  });

  it('hears from one session how turns of others ended, and of each once', async () => {
    const world = await new BotWorld().launched();
    const counts = { rowsWritten: 0, undeliveredMs: 0, restarts: 0, silentCloses: 0 };
    const others = [
      { session: 'b', ended: [reportOf({ turn: 4 })], ...counts },
      { session: 'c', ended: [reportOf({ turn: 6 }), reportOf({ turn: 8, outcome: 'stopped' })], ...counts },
    ];
    world.beat('b', { turn: 4 });
    const call = callOf('a', null, { ended: [reportOf()], others });
    for (let time = 0; time < 2; time += 1) expect(world.attend(call)).toEqual({ do: 'nothing' });
    expect(world.view()).toMatchObject({ running: 0, stats: { replies: 3, stopped: 1 } });
    // It may overtake calls of their own.
    expect(world.beat('b', { turn: 4 })).toEqual({ do: 'nothing' });
  });

  it('leaves a session in the line of which another one tells', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    world.ask('a');
    expect(world.ask('b', { turn: 4 })).toMatchObject({ do: 'wait', place: 1 });
    const counts = { rowsWritten: 1, undeliveredMs: 0, restarts: 0, silentCloses: 0 };
    const connections = world.view().connections;
    world.attend(callOf('c', null, { connections: 0, others: [{ session: 'b', ended: [reportOf()], ...counts }] }));
    expect(world.view()).toMatchObject({ connections, queued: 1, stats: { replies: 1 } });
    world.attend(callOf('a', null, { ended: [reportOf()] }));
    await world.advance(1);
    expect(world.wakes).toMatchObject([{ session: 'b' }]);
  });

  it('lets turns begin unasked only while nothing else has to be said', async () => {
    const world = await new BotWorld().launched();
    const mayOthers = (answer: SessionAnswer): boolean => answer.do === 'go' && answer.unasked === true;
    expect(mayOthers(world.ask('a'))).toBe(true);
    expect(mayOthers(world.beat('a'))).toBe(true);
    // B4, B3: what runs goes on, nothing begins.
    for (const action of ['pause', 'stop'] as const) {
      const ended = world.leavesEnded;
      world.runtime.act('token', null, action);
      expect(world.leavesEnded).toBeGreaterThan(ended);
      const going = world.beat('a');
      expect(going.do).toBe('go');
      expect(mayOthers(going)).toBe(false);
    }
    // B2: nobody knows yet whether the endpoint is there.
    world.endpoint = 'silent';
    world.runtime.act('token', null, 'launch');
    await world.advance(100);
    expect(world.beat('a').do).toBe('go');
    expect(mayOthers(world.beat('a'))).toBe(false);
    world.endpoint = 'up';
    await world.advance(10_000);
    expect(mayOthers(world.ask('a'))).toBe(true);
    // B20: on trial is one turn, not everybody's.
    for (let turn = 1; turn <= 5; turn += 1) world.end('b', { turn, outcome: 'failed', code: 'endpoint_error' });
    expect(world.view().breaker).not.toBe('closed');
    expect(mayOthers(world.beat('a'))).toBe(false);
    // B17: tokens are counted turn by turn.
    const counted = await new BotWorld().launched({ tokensPerDay: 1_000 });
    const counting = counted.ask('a');
    expect(counting).toMatchObject({ do: 'go', leaseMs: null });
    expect(mayOthers(counting)).toBe(false);
  });

  it('has nobody in its line who began unasked', async () => {
    const world = await new BotWorld().launched();
    world.runtime.act('token', null, 'stop');
    for (const session of ['a', 'b', 'c']) expect(world.ask(session).do).toBe('wait');
    world.runtime.act('token', null, 'launch');
    await world.advance(100);
    expect(world.ask('a').do).toBe('go');
    // Both took the leave that was given to the first: the one runs, the other is over already.
    expect(world.beat('b').do).toBe('go');
    world.end('c');
    expect(world.view()).toMatchObject({ queued: 0 });
  });

  it('keeps no token waiting for an alarm: that is set when the answer has left', async () => {
    const world = await new BotWorld().launched();
    await world.advance(120_000);
    expect(world.alarmAt).toBeNull();
    const set = world.alarmsSet;
    expect(world.ask('a').do).toBe('go');
    expect(world.ask('b').do).toBe('go');
    expect(world.alarmsSet).toBe(set);
    await world.advance(0);
    expect(world.alarmsSet).toBeGreaterThan(set);
  });

  it('a lease has its alarm at once', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    await world.advance(120_000);
    expect(world.alarmAt).toBeNull();
    expect(world.ask('a').do).toBe('go');
    expect(world.alarmAt).not.toBeNull();
  });
});

describe('B10: slots', () => {
  it('are as many as there are, and who waits gets the next one, and is told', async () => {
    const world = await new BotWorld().launched({ concurrency: 2 });
    expect(places(world, ['a', 'b', 'c', 'd'])).toEqual(['go', 'go', 1, 2]);
    expect(world.view()).toMatchObject({ running: 2, queued: 2, slots: 2, queueLimit: 1_000 });
    world.end('a');
    await world.advance(10);
    expect(world.wakes.map(({ session }) => session)).toEqual(['c']);
    expect(places(world, ['c', 'd'])).toEqual(['go', 1]);
  });

  it('are not given away by a call that comes late, of an attempt that is over', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    expect(world.ask('a', { attempt: 2 }).do).toBe('go');
    expect(world.ask('b').do).toBe('wait');
    expect(world.ask('a', { attempt: 1 })).toEqual({ do: 'nothing' });
    expect(world.beat('a', { attempt: 1 })).toEqual({ do: 'nothing' });
    expect(world.ask('b').do).toBe('wait');
    expect(world.beat('a', { attempt: 2 }).do).toBe('go');
  });

  it('asked for again by who holds one is the same one', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    for (let again = 0; again < 3; again += 1) expect(world.ask('a')).toMatchObject({ do: 'go', leaseMs: LEASE_MS });
    expect(world.ask('b').do).toBe('wait');
  });

  it('a report that came late frees nothing of the turn after it', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    world.ask('a', { turn: 2 });
    world.end('a', { turn: 1 });
    expect(world.ask('b').do).toBe('wait');
    expect(world.beat('a', { turn: 2 }).do).toBe('go');
  });

  it('are not given away by a call that comes after its turn’s end was reported', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    world.ask('a', { turn: 2 });
    const ended = [reportOf({ turn: 2 })];
    expect(world.ask('a', { turn: 4 }, { ended })).toMatchObject({ do: 'go' });
    expect(world.beat('a', { turn: 2 })).toEqual({ do: 'nothing' });
    expect(world.ask('b')).toMatchObject({ do: 'wait', place: 1 });
    expect(world.beat('a', { turn: 4 })).toMatchObject({ do: 'go' });
  });

  it('are given back by who says that it left', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    places(world, ['a', 'b']);
    world.attend(callOf('a', null, { left: true }));
    expect(world.ask('b').do).toBe('go');
  });

  it('that become fewer take nothing away: nothing new begins until there are few enough', async () => {
    const world = await new BotWorld().launched({ concurrency: 3 });
    places(world, ['a', 'b', 'c', 'd']);
    world.runtime.update('token', null, { concurrency: 1 });
    for (const session of ['a', 'b', 'c']) expect(world.beat(session).do).toBe('go');
    world.end('a');
    world.end('b');
    expect(world.ask('d').do).toBe('wait');
    world.end('c');
    expect(world.ask('d').do).toBe('go');
  });

  it('count in what began before there was a bound', async () => {
    const world = await new BotWorld().launched();
    for (const session of ['a', 'b']) world.ask(session);
    world.runtime.update('token', null, { concurrency: 1 });
    for (const session of ['a', 'b']) {
      expect(world.beat(session, {}, { revision: 1 })).toMatchObject({ do: 'go', leaseMs: LEASE_MS, revision: 2 });
      expect(world.beat(session, {}, { revision: 2 })).toMatchObject({ do: 'go' });
    }
    expect(world.ask('c')).toMatchObject({ do: 'wait', reason: 'line' });
    world.end('a');
    expect(world.ask('c').do).toBe('wait');
    world.end('b');
    expect(world.ask('c').do).toBe('go');
  });
});

describe('B12, B13: over the ends of processes', () => {
  it('who holds a slot keeps it, who waits keeps the place', async () => {
    const world = await new BotWorld().launched({ concurrency: 2 });
    places(world, ['a', 'b', 'c', 'd', 'e']);
    await world.restart();
    expect(places(world, ['e', 'c', 'd'])).toEqual([3, 1, 2]);
    expect([world.beat('a').do, world.beat('b').do]).toEqual(['go', 'go']);
  });

  it('a slot whose session is gone is free after its lease, and not given to that one again', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    places(world, ['dead', 'b', 'c']);
    await world.advance(LEASE_MS - 100);
    expect(world.wakes).toEqual([]);
    await world.advance(1_200);
    expect(world.wakes.map(({ session }) => session)).toEqual(['b']);
    expect(world.ask('b').do).toBe('go');
    // It comes back: its old time counts.
    expect(places(world, ['dead', 'c'])).toEqual([1, 2]);
  });

  it('who tells of another tab keeps the place, who tells without a word of waiting is passed over', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    world.ask('a');
    expect(places(world, ['gone', 'b', 'c'])).toEqual([1, 2, 3]);
    world.attend(callOf('b', null, { connections: 2, waits: true }));
    world.attend(callOf('gone', null, { connections: 0 }));
    world.end('a');
    await world.advance(1);
    expect(world.wakes.map(({ session }) => session)).toEqual(['b']);
  });

  it('who gets a slot and does not come for it gives it up to the next', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    places(world, ['a', 'gone', 'c']);
    world.end('a');
    await world.advance(2 * LEASE_MS);
    expect(world.wakes.map(({ session }) => session)).toEqual(['gone', 'c']);
  });

  it('a session that lost its process begins again with its next attempt, in its own slot', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    places(world, ['a', 'b']);
    expect(world.ask('a', { attempt: 2 }).do).toBe('go');
    expect(world.ask('b')).toMatchObject({ do: 'wait', place: 1 });
  });

  it('a report about something else leaves a place as it is', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    places(world, ['a', 'b', 'c']);
    world.attend(callOf('b', null));
    world.attend(callOf('a', null));
    expect(places(world, ['c', 'b', 'c'])).toEqual([1, 1, 2]);
    expect(world.beat('a').do).toBe('go');
  });
});

describe('B14: bounds of the line', () => {
  it('one more than fits fails, who waits already stays', async () => {
    const world = await new BotWorld().launched({ concurrency: 1, queueLength: 2 });
    expect(places(world, ['a', 'b', 'c', 'd'])).toEqual(['go', 1, 2, 'fail']);
    expect(world.ask('d')).toMatchObject({ do: 'fail', code: 'line_full' });
    expect(places(world, ['b', 'c'])).toEqual([1, 2]);
    expect(world.view().stats.failed).toEqual({ line_full: 2 });
  });

  it('without places whoever finds no free slot fails', async () => {
    const world = await new BotWorld().launched({ concurrency: 1, queueLength: 0 });
    expect(places(world, ['a', 'b'])).toEqual(['go', 'fail']);
    world.end('a');
    expect(places(world, ['b'])).toEqual(['go']);
  });

  it('who waited too long fails at the next call', async () => {
    const world = await new BotWorld().launched({ concurrency: 1, queueTimeoutMs: 5_000 });
    places(world, ['a', 'b']);
    for (let second = 0; second < 4; second += 1) {
      await world.advance(1_000);
      world.beat('a');
      expect(world.ask('b').do).toBe('wait');
    }
    await world.advance(1_000);
    world.beat('a');
    expect(world.ask('b')).toMatchObject({ do: 'fail', code: 'line_timeout' });
    expect(world.view().queued).toBe(0);
  });

  it('also who waited too long for the endpoint', async () => {
    const world = await new BotWorld().launched({ queueTimeoutMs: 5_000 });
    world.ask('x');
    world.endpoint = 'refused';
    await world.advance(2_000);
    expect(world.ask('a')).toMatchObject({ do: 'wait', reason: 'endpoint' });
    await world.advance(5_000);
    expect(world.ask('a')).toMatchObject({ do: 'fail', code: 'line_timeout' });
  });
});

describe('B15: places', () => {
  it('move up as turns end, for everybody', async () => {
    const world = await new BotWorld().launched({ concurrency: 1 });
    const sessions = ['a', 'b', 'c', 'd'];
    expect(places(world, sessions)).toEqual(['go', 1, 2, 3]);
    world.end('a');
    expect(places(world, ['b', 'c', 'd'])).toEqual(['go', 1, 2]);
  });

  it('in a line of 5,000 cost some 200 calls a second, and none of them is slow', async () => {
    const world = await new BotWorld().launched({ concurrency: 1, queueLength: 10_000 });
    const startedAt = performance.now();
    for (let n = 0; n < 5_000; n += 1) world.ask(`s${n}`, {}, { connections: 0 });
    const answer = world.ask('s4999');
    expect(answer).toMatchObject({ do: 'wait', callAgainMs: 24_995 });
    expect((performance.now() - startedAt) / 5_000).toBeLessThan(1);
  });
});

describe('B17: budgets', () => {
  it('turns of a minute wait for the next one, and are told when it comes', async () => {
    const world = await new BotWorld().launched({ turnsPerMinute: 2 });
    expect(places(world, ['a', 'b'])).toEqual(['go', 'go']);
    expect(world.ask('a')).toMatchObject({ leaseMs: LEASE_MS });
    expect(world.ask('c')).toMatchObject({ do: 'wait', reason: 'rate', place: 1 });
    world.end('a');
    await world.advance(50_000);
    expect(world.ask('c').do).toBe('wait');
    await world.advance(11_000);
    expect(world.wakes.at(-1)?.session).toBe('c');
    expect(world.ask('c').do).toBe('go');
  });

  it('turns of a minute count on where the object left memory meanwhile, or its process ended', async () => {
    const world = await new BotWorld().launched({ turnsPerMinute: 2 });
    for (const session of ['a', 'b']) expect(world.ask(session).do).toBe('go');
    await world.restart();
    for (const session of ['a', 'b']) world.end(session);
    expect(world.ask('c')).toMatchObject({ do: 'wait', reason: 'rate' });
    await world.advance(40_000);
    await world.restart();
    expect(world.ask('c')).toMatchObject({ do: 'wait', reason: 'rate' });
    await world.advance(21_000);
    expect(world.ask('c').do).toBe('go');
  });

  it('only what has a minute to keep writes a row for it', async () => {
    const rowsOf = async (limits: object): Promise<number> => {
      const world = await new BotWorld().launched(limits);
      await world.advance(20_000);
      world.ask('a', {}, { connections: 0 });
      const before = world.writes;
      world.ask('b', {}, { connections: 0 });
      return world.writes - before;
    };
    expect(await rowsOf({})).toBe(0);
    expect(await rowsOf({ concurrency: 5 })).toBe(1);
    expect(await rowsOf({ turnsPerMinute: 5 })).toBe(2);
  });

  it('tokens of a day fail turns until midnight, also in the next process', async () => {
    const world = await new BotWorld().launched({ tokensPerDay: 1_000 });
    world.ask('a');
    world.end('a', { promptTokens: 900, answerTokens: 100 });
    expect(world.ask('b')).toMatchObject({ do: 'fail', code: 'budget_exhausted' });
    await world.advance(11_000);
    await world.restart();
    expect(world.ask('b').do).toBe('fail');
    await world.advance(24 * 60 * 60_000);
    expect(world.ask('b').do).toBe('go');
  });
});

describe('B18: connections', () => {
  it('beyond what a user may have are named, over all sessions, until others are closed', async () => {
    const world = await new BotWorld().launched();
    const user = 'u-many';
    const half = MAX_CONNECTIONS_PER_USER / 2;
    expect(world.attend(callOf('a', null, { user, connections: half }))).toEqual({ do: 'nothing' });
    expect(world.attend(callOf('b', null, { user, connections: half }))).toEqual({ do: 'nothing' });
    expect(world.attend(callOf('c', null, { user, connections: 3 }))).toEqual({ do: 'nothing', excess: 3 });
    await world.restart();
    expect(world.attend(callOf('c', null, { user, connections: 3 }))).toMatchObject({ excess: 3 });
    expect(world.attend(callOf('d', null, { connections: 3 }))).toEqual({ do: 'nothing' });
    world.attend(callOf('a', null, { user, connections: half - 2 }));
    expect(world.attend(callOf('c', null, { user, connections: 3 }))).toMatchObject({ excess: 1 });
    expect(world.view().connections).toBe(2 * half - 2 + 3 + 3);
  });
});

it('a report that is made twice is counted once', async () => {
  const world = await new BotWorld().launched();
  for (let again = 0; again < 3; again += 1) world.end('a', { promptTokens: 5 });
  expect(world.view().stats).toMatchObject({ replies: 1, promptTokens: 5 });
});

describe('B10, B12: killed at any write', () => {
  /** A session as it is at the other end: it keeps what it was promised, and asks again after a crash. */
  async function play(crashAt: number): Promise<{ writes: number; crashed: boolean }> {
    const world = await new BotWorld().launched({ concurrency: 2, queueLength: 20 });
    await world.advance(20_000);
    const first = world.writes;
    const users = Array.from({ length: 8 }, (_, n) => ({
      session: `s${n}`,
      state: 'waiting' as 'waiting' | 'running' | 'done',
      leaseUntil: 0,
      askAt: world.time + n * 50,
      endAt: 0,
      begun: 0,
    }));
    world.onWake = (session) => {
      const user = users.find((entry) => entry.session === session);
      if (user) user.askAt = world.time;
    };
    world.crashIn = crashAt;
    let crashed = false;
    const call = async (body: () => void): Promise<void> => {
      try {
        body();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        crashed = true;
        expect(world.restartsAsked).toBeGreaterThan(0);
        await world.restart();
      }
    };
    const cameOrder: string[] = [];
    const begunOrder: string[] = [];
    for (let tick = 0; tick < 400 && users.some(({ state }) => state !== 'done'); tick += 1) {
      await world.advance(50);
      for (const user of users) {
        if (user.state === 'done') continue;
        if (user.state === 'running' && world.time >= user.endAt) {
          user.state = 'done';
          await call(() => world.end(user.session));
        } else if (world.time >= user.askAt) {
          await call(() => {
            const askedAt = world.time;
            user.askAt = askedAt + 1_000;
            const answer = user.state === 'running' ? world.beat(user.session) : world.ask(user.session);
            // A call that ended with the process never came.
            if (!cameOrder.includes(user.session)) cameOrder.push(user.session);
            if (answer.do === 'go') {
              if (user.state === 'waiting') {
                user.state = 'running';
                user.endAt = askedAt + 700;
                user.begun += 1;
                begunOrder.push(user.session);
              }
              user.leaseUntil = askedAt + (answer.leaseMs ?? 0);
            } else if (user.state === 'running') throw new Error('what runs was cut');
          });
        }
        const generating = users.filter(({ state, leaseUntil }) => state === 'running' && leaseUntil > world.time);
        expect(generating.length).toBeLessThanOrEqual(2);
      }
    }
    expect(users.map(({ state }) => state)).toEqual(users.map(() => 'done'));
    expect(users.map(({ begun }) => begun)).toEqual(users.map(() => 1));
    expect(begunOrder).toEqual(cameOrder);
    return { writes: world.writes - first, crashed };
  }

  it('at most two generate at once, all in their order, each once', async () => {
    const { writes } = await play(Number.MAX_SAFE_INTEGER);
    expect(writes).toBeGreaterThan(20);
    let crashes = 0;
    for (let at = 0; at < writes; at += 1) crashes += Number((await play(at)).crashed);
    expect(crashes).toBeGreaterThan(20);
  });
});
