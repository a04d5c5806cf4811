/** S25-S29: a session and the bots that give its turns leave to begin, under fakes and on virtual time. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { SessionAnswer, SessionCall } from '../../src/objects/bot-rpc.ts';
import { MAX_RESTARTS } from '../../src/session/transition.ts';
import { FakeWorld, settle } from '../support/fake-world.ts';
import { GO } from '../support/free-bot.ts';

const WAIT: SessionAnswer = { do: 'wait', reason: 'line', place: 2, callAgainMs: 1_000 };
const LONG_WAIT: SessionAnswer = { do: 'wait', reason: 'stopped', place: 0, callAgainMs: 60_000 };
const LEASE: SessionAnswer = { do: 'go', revision: 3, spec: null, leaseMs: 5_000, callAgainMs: 1_000 };

let world: FakeWorld;
beforeEach(() => {
  world = new FakeWorld();
});

/** Sends a message and lets everything happen that needs no time. */
async function ask(id: string, text = id): Promise<void> {
  expect(world.runtime.send({ id, text, priority: 1 })).toBeNull();
  await settle();
}

const claims = (): (SessionCall['claim'] | undefined)[] => world.calls.map(({ call }) => call.claim);
const kinds = (): string[] => world.runtime.page(1_000, 100).messages.map(({ status }) => status);
const isAborted = (): boolean | undefined => world.model.questions[0]?.aborted;
const lastAnswer = () => world.runtime.page(1_000, 100).messages.findLast(({ role }) => role === 'bot');

describe('S25: leave to begin', () => {
  test('nothing is asked of the model before the bot says go, and the place is shown as it moves', async () => {
    world.bot = () => WAIT;
    await ask('a');
    expect(world.model.questions).toHaveLength(0);
    expect(world.runtime.queue().running).toMatchObject({ turn: 2, wait: { reason: 'line', place: 2 } });
    world.bot = () => ({ ...WAIT, place: 1 });
    await world.advance(1_000);
    expect(world.runtime.queue().running?.wait).toEqual({ reason: 'line', place: 1 });
    world.bot = () => LEASE;
    await world.advance(1_000);
    expect(world.model.questions).toHaveLength(1);
    expect(world.runtime.queue().running?.wait).toBeUndefined();
  });

  test('the bot is asked while the message becomes durable, the model only when it is', async () => {
    const written: number[] = [];
    world.bot = () => {
      written.push(world.records().length);
      return LEASE;
    };
    expect(world.runtime.send({ id: 'a', text: 'a', priority: 1 })).toBeNull();
    expect(world.calls).toHaveLength(1);
    expect(world.model.questions).toHaveLength(0);
    await settle();
    // The record that began the session.
    expect(written).toEqual([1]);
    expect(claims()).toEqual([expect.objectContaining({ turn: 2, attempt: 1, priority: 1, phase: 'waiting' })]);
    expect(world.model.questions).toHaveLength(1);
  });

  test('leave for a message that could not be written is given back, and asked for again', async () => {
    world.bot = (call) => (call.claim ? LEASE : { do: 'nothing' });
    const { exec } = world.sql;
    world.sql.exec = (query, ...bindings) => {
      if (query.startsWith('INSERT INTO log')) throw new Error('The disk is full.');
      return exec(query, ...bindings);
    };
    expect(() => world.runtime.send({ id: 'a', text: 'a', priority: 1 })).toThrow('The disk is full.');
    await world.advance(1);
    expect(claims()).toEqual([expect.objectContaining({ turn: 2, attempt: 1 }), null]);
    expect(world.calls.at(-1)?.call.left).toBe(true);
    world.sql.exec = exec;
    await ask('a');
    expect(claims().at(-1)).toMatchObject({ turn: 2, attempt: 1 });
    expect(world.model.questions).toHaveLength(1);
  });

  test('a clock that is set back meanwhile makes no wait of less than nothing, which a bot could not keep', async () => {
    world.bot = () => WAIT;
    await ask('a');
    world.clockAheadMs = -3_600_000;
    world.bot = (call) => (call.claim ? LEASE : { do: 'nothing' });
    await world.advance(1_000);
    await world.model.say('So.');
    await world.model.end();
    await world.advance(1);
    expect(world.calls.at(-1)?.call.ended).toMatchObject([{ turn: 2, outcome: 'reply', waitedMs: 0 }]);
  });

  test('a wake ends the pause at once', async () => {
    world.bot = () => LONG_WAIT;
    await ask('a');
    world.bot = () => LEASE;
    world.runtime.wake();
    await settle();
    expect(world.model.questions).toHaveLength(1);
  });

  test('a stop ends a turn that waits, and the bot hears that it left', async () => {
    world.bot = (call) => (call.claim ? WAIT : { do: 'nothing' });
    await ask('a');
    world.runtime.dispatch({ type: 'stop', turn: 2, partial: world.runtime.partial(2) });
    await world.advance(1);
    expect(lastAnswer()).toMatchObject({ status: 'stopped', text: '' });
    expect(claims()).toEqual([expect.objectContaining({ turn: 2, attempt: 1, priority: 1, phase: 'waiting' }), null]);
    expect(world.calls.map(({ call }) => call.left)).toEqual([undefined, true]);
  });

  test('that it left is told again until the bot has heard it, and once', async () => {
    world.bot = (call) => (call.claim ? LEASE : { do: 'nothing' });
    await ask('a');
    world.bot = () => {
      throw new Error('The bot is gone.');
    };
    world.runtime.dispatch({ type: 'stop', turn: 2, partial: world.runtime.partial(2) });
    await world.advance(1);
    world.bot = () => LEASE;
    await ask('b');
    expect(world.calls.at(-1)?.call.ended).toMatchObject([{ turn: 2, outcome: 'stopped' }]);
    await world.advance(1_000);
    expect(world.calls.at(-1)?.call.left).toBeUndefined();
  });

  test('another attempt at the same turn keeps its place in the line', async () => {
    world.bot = () => LEASE;
    await ask('a');
    world.bot = () => WAIT;
    await world.advance(1_000);
    await world.advance(1_000);
    expect(world.calls.at(-1)?.call.claim).toMatchObject({ turn: 2, attempt: 2 });
    expect(world.calls.some(({ call }) => call.left)).toBe(false);
  });

  test('B18: connections beyond what a user may have to one bot are closed, the newest first', async () => {
    const tabs = [await world.join(), await world.join(), await world.join()];
    world.bot = () => ({ ...GO, excess: 2 });
    await ask('a');
    expect(tabs.map(({ closed }) => closed?.code)).toEqual([undefined, 4429, 4429]);
    expect(world.model.questions).toHaveLength(1);
  });

  test('a refusal fails the turn with its code, and the next one asks for itself', async () => {
    world.bot = () => ({ do: 'fail', code: 'line_full', message: 'Too many wait.' });
    await ask('a');
    expect(lastAnswer()).toMatchObject({ status: 'failed', error: { code: 'line_full', message: 'Too many wait.' } });
    world.bot = () => GO;
    await ask('b');
    expect(world.model.questions).toHaveLength(1);
  });

  describe('leave to begin unasked', () => {
    const FREE = { from: 1_000_000, until: 1_001_000, spec: null, revision: 7, heartbeatMs: 1_000 };

    test('that one session was told of holds in all others of its process, until its time is over', async () => {
      const other = new FakeWorld(world.leaves);
      other.bot = ({ claim }) => (claim ? GO : { do: 'nothing' });
      await ask('a');
      other.runtime.send({ id: 'x', text: 'x', priority: 1 });
      await settle();
      expect(other.model.questions).toHaveLength(1);
      expect(other.calls).toHaveLength(0);
      await other.model.end();
      await other.advance(1_000);
      other.runtime.send({ id: 'y', text: 'y', priority: 1 });
      await settle();
      expect(other.calls.at(-1)?.call.claim).toMatchObject({ phase: 'waiting' });
    });

    test('is used without the bot’s knowing: it hears of the turn a second later, if that runs so long', async () => {
      world.leaves.give('b', FREE);
      await ask('a');
      await world.advance(999);
      expect(claims()).toEqual([]);
      await world.advance(1);
      expect(claims()).toEqual([expect.objectContaining({ turn: 2, phase: 'running' })]);
    });

    test('that ended is not brought back by an answer that was on its way', async () => {
      const { promise, resolve } = Promise.withResolvers<SessionAnswer>();
      world.bot = () => promise;
      await ask('a');
      world.leaves.end('b', world.time);
      await world.advance(10);
      resolve(GO);
      await settle();
      expect(world.model.questions).toHaveLength(1);
      expect(world.leaves.of('b', world.time)).toBeNull();
    });

    test('under an older definition gives way to a newer one, and is not taken by who knows of it', async () => {
      world.bot = () => ({ ...LEASE, revision: 8 });
      await ask('a');
      await world.model.end();
      await world.advance(10);
      world.leaves.give('b', { ...FREE, from: world.time });
      await ask('b');
      expect(claims().at(-1)).toMatchObject({ turn: 4, phase: 'waiting' });
      const now = world.time + 10;
      const newer = { ...FREE, from: now, until: now + 1_000, revision: 9 };
      world.leaves.give('b', newer);
      world.leaves.give('b', { ...newer, from: now - 1, revision: 8 });
      expect(world.leaves.of('b', now)).toMatchObject({ revision: 9 });
    });

    test('never pairs a revision with the definition of another', async () => {
      const spec = { id: 'b', name: 'Five', kind: 'ollama' as const, options: {} };
      world.bot = ({ claim }) =>
        claim ? { ...LEASE, revision: 6, spec: { ...spec, name: 'Six' } } : { do: 'nothing' };
      await ask('a');
      // By the time that this answer comes, another session's leave was taken: with what the answer leaves out.
      const { promise, resolve } = Promise.withResolvers<SessionAnswer>();
      world.bot = ({ claim }) => (claim ? promise : { do: 'nothing' });
      await world.advance(1_000);
      await world.model.end();
      world.leaves.give('b', {
        ...FREE,
        from: world.time,
        until: world.time + 1_000,
        spec: { ...spec, name: 'Seven' },
      });
      await ask('b');
      resolve({ do: 'go', revision: 6, leaseMs: null, callAgainMs: 1_000, unasked: true });
      await settle();
      await world.model.end();
      expect(lastAnswer()).toMatchObject({ by: { name: 'Seven', revision: 7 } });
      expect(world.leaves.of('b', world.time)).toMatchObject({ revision: 7, spec: { name: 'Seven' } });
    });

    test('comes with the definition to begin with', async () => {
      world.leaves.give('b', { ...FREE, spec: { id: 'b', name: 'Renamed', kind: 'ollama', options: {} } });
      await ask('a');
      await world.model.end();
      expect(lastAnswer()).toMatchObject({ by: { id: 'b', name: 'Renamed', revision: 7 } });
    });

    test('is not given by a bot that only lets this turn begin, or go on', async () => {
      const { unasked: _, ...only } = GO as Extract<SessionAnswer, { do: 'go' }>;
      world.bot = ({ claim }) => (claim ? only : { do: 'nothing' });
      await ask('a');
      await ask('b');
      await world.advance(1_500);
      expect(world.calls.at(-1)?.call.claim?.phase).toBe('running');
      world.bot = ({ claim }) => (claim ? LONG_WAIT : { do: 'nothing' });
      await world.model.end();
      expect(world.model.questions).toHaveLength(1);
      expect(world.runtime.queue().running?.wait?.reason).toBe('stopped');
    });

    test.each<[string, SessionAnswer | Error]>([
      ['a bot that says wait', LONG_WAIT],
      ['a bot that fails the turn', { do: 'fail', code: 'bot_stopped', message: 'It was stopped.' }],
      ['a bot with slots', LEASE],
      ['a call that failed', new Error('gone')],
    ])('ends with %s', async (_, answer) => {
      await ask('a');
      world.leaves.give('b', { ...FREE, until: FREE.until + 60_000 });
      world.bot = ({ claim }) =>
        claim && answer instanceof Error ? Promise.reject(answer) : (answer as SessionAnswer);
      await world.advance(1_000);
      expect(world.leaves.of('b', world.time)).toBeNull();
    });

    test('ends with a turn that failed, and not with one that was answered', async () => {
      world.leaves.give('b', FREE);
      await ask('a');
      await world.model.end();
      expect(world.leaves.of('b', world.time)).toEqual(FREE);
      await ask('b');
      await world.model.fail(new Error('a fault'));
      expect(world.leaves.of('b', world.time)).toBeNull();
    });

    test('does not last longer where the clock is put back', async () => {
      world.leaves.give('b', FREE);
      world.clockAheadMs = -1;
      await ask('a');
      expect(claims()).toHaveLength(1);
    });
  });

  test('a bot without limits is asked at most once a second', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      await ask(`m${turn}`);
      await world.model.say('x');
      await world.model.end();
    }
    expect(world.calls).toHaveLength(1);
    await world.advance(1_000);
    expect(world.calls).toHaveLength(2);
    expect(world.calls[1]?.call.ended.map(({ outcome }) => outcome)).toEqual(Array(5).fill('reply'));
    await world.advance(60_000);
    expect(world.calls).toHaveLength(2);
  });

  test('a bot with slots hears of the end at once, together with what wants to begin next', async () => {
    world.bot = () => LEASE;
    await ask('a');
    await ask('b');
    await world.model.end();
    await world.advance(1);
    expect(claims()).toEqual([expect.objectContaining({ turn: 2 }), expect.objectContaining({ turn: 3 })]);
    expect(world.calls[1]?.call.ended).toMatchObject([{ turn: 2, outcome: 'reply' }]);
  });
});

describe('S26: leave goes on, and ends', () => {
  test('told to end, a running turn fails with the code and keeps what had come', async () => {
    world.bot = () => LEASE;
    await ask('a');
    await world.model.say('half of');
    world.bot = () => ({ do: 'fail', code: 'bot_stopped', message: 'Stopped.' });
    await world.advance(1_000);
    const by = { id: 'b', name: 'B', revision: 3 };
    expect(lastAnswer()).toMatchObject({ status: 'failed', text: 'half of', error: { code: 'bot_stopped' }, by });
    expect(isAborted()).toBe(true);
  });

  test('told to wait, it ends and is begun anew under the next attempt', async () => {
    world.bot = () => LEASE;
    await ask('a');
    await world.model.say('half of');
    world.bot = () => WAIT;
    await world.advance(1_000);
    world.model.forgetReaders();
    expect(isAborted()).toBe(true);
    expect(world.runtime.state.running).toMatchObject({ turn: 2, attempt: 1 });
    world.bot = () => LEASE;
    await world.advance(1_000);
    expect(world.runtime.state.running).toMatchObject({ turn: 2, attempt: 2 });
    await world.model.say('whole');
    await world.model.end();
    expect(lastAnswer()).toMatchObject({ status: 'complete', text: 'whole', attempt: 2 });
  });

  test('a lease that cannot be renewed ends the generation before it ends', async () => {
    world.bot = () => LEASE;
    await ask('a');
    world.bot = () => Promise.reject(new Error('the object broke'));
    await world.advance(3_999);
    expect(isAborted()).toBe(false);
    await world.advance(1);
    expect(isAborted()).toBe(true);
  });

  test('so does one whose bot is silent', async () => {
    world.bot = () => LEASE;
    await ask('a');
    world.bot = () => new Promise<never>(() => {});
    await world.advance(4_000);
    expect(isAborted()).toBe(true);
  });

  test('also where the clock is put back while the bot is silent', async () => {
    world.bot = () => LEASE;
    await ask('a');
    expect(isAborted()).toBe(false);
    world.bot = () => new Promise<never>(() => undefined);
    await world.advance(500);
    world.clockAheadMs = -3_000;
    await world.advance(3_600);
    expect(isAborted()).toBe(true);
  });

  test('without a lease a silent bot ends nothing', async () => {
    await ask('a');
    world.bot = () => Promise.reject(new Error('the object broke'));
    await world.advance(60_000);
    expect(isAborted()).toBe(false);
  });

  test('the bot is told whether anything came', async () => {
    world.bot = () => LEASE;
    await ask('a');
    await world.model.say('x');
    await world.advance(1_000);
    await world.advance(1_000);
    expect(claims().map((claim) => claim?.progressed)).toEqual([false, true, false]);
  });
});

describe('S20, S26: a turn that loses its leave too often is given up', () => {
  /** Leave goes away and comes back, until there is none for another attempt. */
  async function loseLeave(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      world.bot = (call) => (call.claim ? WAIT : { do: 'nothing' });
      await world.advance(1_000);
      world.model.forgetReaders();
      world.bot = (call) => (call.claim ? LEASE : { do: 'nothing' });
      await world.advance(1_000);
    }
  }

  test('the next turn is asked its own text, of its own bot', async () => {
    world.bots.set('poet', { id: 'poet', name: 'Poet', model: 'verse' });
    world.bot = () => LEASE;
    await ask('a', '@poet a rhyme');
    await ask('b', 'a sum');
    await loseLeave(MAX_RESTARTS);
    expect(world.model.questions.at(-1)?.question).toMatchObject({ text: 'a rhyme', bot: { id: 'poet' } });
    await loseLeave(1);
    expect(lastAnswer()).toMatchObject({ turn: 2, error: { code: 'interrupted' } });
    expect(world.runtime.state.running).toMatchObject({ turn: 3, attempt: 1 });
    expect(world.model.questions.at(-1)?.question).toMatchObject({ text: 'a sum', bot: { id: 'b' } });
  });

  test('and where no turn is next, its leave is given back at once', async () => {
    world.bot = () => LEASE;
    await ask('a');
    await loseLeave(MAX_RESTARTS + 1);
    expect(lastAnswer()).toMatchObject({ turn: 2, error: { code: 'interrupted' } });
    expect(world.runtime.state.running).toBeNull();
    expect(world.calls.at(-1)?.call).toMatchObject({ claim: null, left: true });
  });
});

describe('S27: waiting through restarts', () => {
  test('any number of restarts while it waits use nothing up', async () => {
    world.bot = () => LONG_WAIT;
    await ask('a');
    for (let restart = 0; restart < MAX_RESTARTS * 3; restart += 1) await world.restart();
    expect(world.runtime.state.running).toMatchObject({ attempt: 1, restarts: 0 });
    world.bot = () => LEASE;
    world.runtime.wake();
    await settle();
    expect(world.runtime.state.running).toMatchObject({ attempt: 2, restarts: 1 });
    expect(claims().at(-1)).toMatchObject({ turn: 2, attempt: 2 });
    expect(world.model.questions).toHaveLength(1);
  });

  test('a turn that is given up asks nobody', async () => {
    await ask('a');
    for (let restart = 0; restart <= MAX_RESTARTS; restart += 1) await world.restart();
    expect(lastAnswer()).toMatchObject({ error: { code: 'interrupted' } });
  });
});

describe('S28: a bot that cannot be reached', () => {
  test('turns wait and ask again, messages are accepted', async () => {
    world.bot = () => Promise.reject(new Error('the object broke'));
    await ask('a');
    await ask('b');
    await world.advance(10_000);
    expect(kinds()).toEqual(['answering', 'queued']);
    world.bot = () => LEASE;
    await world.advance(6_000);
    expect(world.model.questions).toHaveLength(1);
  });

  test('a tab that comes while a turn waits long is told of at once, and that the turn still waits', async () => {
    world.bot = (call) => (call.claim ? LONG_WAIT : { do: 'nothing' });
    await ask('a');
    expect(world.calls.at(-1)?.call.waits).toBeUndefined();
    await world.join();
    await world.advance(1_000);
    expect(world.calls.at(-1)?.call).toMatchObject({ claim: null, connections: 1, waits: true });
    world.runtime.dispatch({ type: 'stop', turn: 2, partial: world.runtime.partial(2) });
    await world.advance(1);
    expect(world.calls.at(-1)?.call).toMatchObject({ claim: null, left: true });
    expect(world.calls.at(-1)?.call.waits).toBeUndefined();
  });

  test('a long wait is slept through: an alarm and no timer', async () => {
    world.bot = () => LONG_WAIT;
    await ask('a');
    await world.advance(5_000);
    expect(world.alarming).toBeNull();
    expect(world.timers).toBe(0);
    expect(world.alarmAt).toBeGreaterThan(world.time + 30_000);
    const before = world.calls.length;
    await world.advance(61_000);
    expect(world.calls.length).toBe(before + 1);
  });
});

describe('S29: another bot is named', () => {
  test('it answers, without its name in the question, and the answer says who', async () => {
    world.bots.set('poet', { id: 'poet', name: 'Poet', model: 'verse' });
    await ask('a', '@Poet: a rhyme');
    expect(world.calls[0]?.bot).toBe('poet');
    expect(world.model.questions[0]?.question).toMatchObject({ text: 'a rhyme', bot: { id: 'poet' } });
    await world.model.end();
    expect(lastAnswer()).toMatchObject({ by: { id: 'poet', name: 'Poet' } });
  });

  test('connections count for the bot of the session alone, and move with it', async () => {
    const told = (bot: string): number | undefined =>
      world.calls.findLast((call) => call.bot === bot)?.call.connections;
    world.bots.set('poet', { id: 'poet', name: 'Poet', model: 'verse' });
    const socket = await world.join();
    await ask('a', '@poet a rhyme');
    await world.model.end();
    await world.advance(1_500);
    expect([told('b'), told('poet')]).toEqual([1, 0]);
    const bot = { id: 'poet', name: 'Poet', model: 'verse' };
    expect(world.runtime.dispatch({ type: 'update', bot })).toBeNull();
    await world.advance(1_500);
    expect([told('b'), told('poet')]).toEqual([0, 1]);
    world.runtime.leave(socket);
    await world.advance(1_500);
    expect(told('poet')).toBe(0);
  });

  test.each(['@nobody at all', '@b', 'hello @poet', '@', '@-x'])(
    '%s is asked of the session’s own bot',
    async (text) => {
      world.bots.set('poet', { id: 'poet', name: 'Poet', model: 'verse' });
      await ask('a', text);
      expect(world.calls[0]?.bot).toBe('b');
      expect(world.model.questions[0]?.question).toMatchObject({ text });
    },
  );
});
