/**
 * SPEC.md in every order of things: model and D1 answer when a scheduler says so, between what
 * people do. The big simulator (test/sim) breaks processes; this one only turns promises around.
 */
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { CLOSE } from '../../src/protocol/codes.ts';
import type { BotMessage } from '../../src/protocol/transcript.ts';
import { evolve } from '../../src/session/evolve.ts';
import { EMPTY_STATE } from '../../src/session/state.ts';
import { decodeState } from '../../src/session/stored-state.ts';
import { checkHistory } from '../support/history-checker.ts';
import { ScheduledWorld, type Ending, type Fate } from './scheduled-world.ts';

const RUNS = Number(process.env['ORDERINGS'] ?? 600);
const MAX_RECORDS = 10_000;

/** What is expected is in SPEC.md; a model only has to know who may be asked. */
interface Model {
  sent: { id: string; text: string }[];
  removed: boolean;
}

interface Real {
  world: ScheduledWorld;
  outcomes: { turn: number; reply: Promise<BotMessage | null> }[];
  calls: Promise<void>[];
}

/** Things that have to have happened for the runs to prove anything. */
const seen = { runs: 0, turns: 0, replies: 0, failed: 0, stopped: 0, cancelled: 0, again: 0, d1Faults: 0, removed: 0 };

type Act = (model: Model, real: Real) => void | Promise<void>;

class Step implements fc.AsyncCommand<Model, Real> {
  readonly #name: string;
  readonly #act: Act;
  readonly #always: boolean;

  constructor(name: string, act: Act, always = false) {
    this.#name = name;
    this.#act = act;
    this.#always = always;
  }

  /** The Durable Object lets nobody through to a session that is being erased. */
  check(model: Readonly<Model>): boolean {
    return this.#always || !model.removed;
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.#act(model, real);
    real.world.look();
  }

  toString(): string {
    return this.#name;
  }
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

const send = fc
  .record({
    tab: fc.nat(5),
    pieces: fc.nat(3),
    ending: fc.constantFrom<Ending>('end', 'end', 'failure', 'fault', 'deaf'),
    priority: fc.nat(2),
  })
  .map(({ tab, pieces, ending, priority }) => {
    return new Step(`send(${pieces} pieces, then ${ending}, priority ${priority})`, (model, { world }) => {
      const message = { id: `m${model.sent.length}`, text: `m${model.sent.length} ${pieces} ${ending}` };
      model.sent.push(message);
      const socket = pick(world.sockets, tab);
      if (socket) world.say(socket, { type: 'send', ...message, priority });
      else world.runtime.send({ ...message, priority });
    });
  });

const other = fc
  .record({
    what: fc.constantFrom(...(['again', 'stop', 'regenerate', 'cancel', 'edit', 'credit', 'leave'] as const)),
    tab: fc.nat(5),
    which: fc.nat(9),
  })
  .map(({ what, tab, which }) => {
    return new Step(`${what}(${which})`, (model, { world }) => {
      const socket = pick(world.sockets, tab);
      const message = pick(model.sent, which);
      const { running, waiting, last, seq } = world.runtime.state;
      // Mostly one that still waits.
      const id = pick(waiting, which)?.id ?? message?.id;
      if (!socket) return;
      if (what === 'leave') world.leave(socket);
      else if (what === 'credit') world.say(socket, { type: 'credit', bytes: 1 + which });
      else if (what === 'stop' && running) world.say(socket, { type: 'stop', turn: running.turn });
      else if (what === 'regenerate' && last) world.say(socket, { type: 'regenerate', turn: last.turn, baseSeq: seq });
      else if (what === 'again' && message) world.say(socket, { type: 'send', ...message });
      else if (what === 'cancel' && id !== undefined) world.say(socket, { type: 'cancel', id });
      else if (what === 'edit' && id !== undefined) world.say(socket, { type: 'edit', id, text: 'edited 1 end' });
    });
  });

const join = fc.option(fc.nat(20), { nil: undefined }).map((seq) => {
  return new Step(`join(${seq})`, (_, { world }) => world.join(seq));
});

const advance = fc
  .constantFrom(10, 600, 1_000, 2_500, 11_000)
  .map((ms) => new Step(`advance(${ms})`, (_, { world }) => world.advance(ms), true));

const call = fc.record({ wait: fc.boolean(), which: fc.nat(9) }).map(({ wait, which }) => {
  return new Step(wait ? `outcome(${which})` : 'deliverNow', (model, { world, outcomes, calls }) => {
    const accepted = world.runtime.accepted(pick(model.sent, which)?.id ?? '');
    if (!wait) calls.push(world.runtime.deliverNow());
    else if (accepted) outcomes.push({ turn: accepted.seq, reply: world.runtime.outcome(accepted.seq, 5_000) });
  });
});

const remove = fc.constant(
  new Step('remove', (model, { world, calls }) => {
    model.removed = true;
    world.runtime.remove(CLOSE.sessionNotFound);
    calls.push(world.runtime.deliverNow());
  }),
);

const steps = fc.commands(
  [
    send,
    send,
    send,
    other,
    other,
    other,
    join,
    advance,
    advance,
    call,
    fc.oneof({ weight: 9, arbitrary: send }, { weight: 1, arbitrary: remove }),
  ],
  { maxCommands: 60, size: 'max' },
);
const fates = fc.array(fc.constantFrom<Fate>('done', 'done', 'lost', 'unanswered'), { maxLength: 8 });

async function expectRules({ world, outcomes, calls }: Real): Promise<void> {
  await world.rest();
  // Who still waits has been answered, or gives up soon.
  await world.advance(10_000);
  await Promise.all([...calls, ...outcomes.map(({ reply }) => reply)]);
  expect(world.wrong).toEqual([]);
  expect(world.reports).not.toContain('alarm_failed');
  seen.runs += 1;
  seen.d1Faults += world.reports.filter((event) => event === 'delivery_failed').length;
  if (!world.runtime.removed) return expectAtRest(world, outcomes);
  seen.removed += 1;
  expect([world.buried, world.destroyed, world.d1.size]).toEqual([true, true, 0]);
  expect(world.sockets.map(({ closedWith }) => closedWith)).toEqual(world.sockets.map(() => CLOSE.sessionNotFound));
  expect(world.log().after(0, MAX_RECORDS, Infinity)).toEqual([]);
  for (const { reply } of outcomes) expect((await reply)?.role ?? 'bot').toBe('bot');
}

async function expectAtRest(world: ScheduledWorld, outcomes: Real['outcomes']): Promise<void> {
  const log = world.log();
  const records = log.after(0, MAX_RECORDS, Number.MAX_SAFE_INTEGER);
  const session = 's_test';
  const history = { session, log: records, clients: world.recordings, atRest: true, rows: null, pages: null };
  expect(checkHistory(history)).toEqual([]);
  // S5, S6: the chain holds, and the state beside the last record is the fold of all of them.
  expect(log.verify()).toBeNull();
  expect(decodeState(log.lastState() ?? '', (turns) => log.messageIds(turns))).toEqual(
    records.reduce(evolve, EMPTY_STATE),
  );
  // S19, S15: D1 and every open tab have all of it.
  expect([...world.d1.values()]).toEqual(records);
  for (const { connection } of world.sockets) {
    const last = connection.frames.findLast(({ frame }) => frame.type === 'event' || frame.type === 'welcome');
    expect(last?.frame).toMatchObject({ seq: records.length });
  }
  for (const { turn, reply } of outcomes) {
    const message = await reply;
    if (message === null) continue;
    expect(records[message.seq - 1]).toMatchObject({ turn, attempt: message.attempt, text: message.text });
  }
  count(records.map(({ kind }) => kind));
}

function count(kinds: readonly string[]): void {
  const of = (wanted: string): number => kinds.filter((kind) => kind === wanted).length;
  seen.turns += of('message');
  seen.replies += of('reply');
  seen.failed += of('failed');
  seen.stopped += of('stopped');
  seen.cancelled += of('cancelled');
  seen.again += of('regenerated');
}

afterAll(() => console.log(`orderings: ${JSON.stringify(seen)}`));

test('S1-S19 hold in whatever order model, D1, alarm, people and callers come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), steps, fates, async (scheduler, commands, chosen) => {
      const world = new ScheduledWorld(scheduler, chosen);
      const real: Real = { world, outcomes: [], calls: [] };
      const setup = () => ({ model: { sent: [], removed: false }, real });
      await fc.scheduledModelRun(scheduler, setup, commands);
      await expectRules(real);
      world.sql.close();
    }),
    { numRuns: RUNS },
  );
  // Else nothing was proved.
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
}, 60_000);
