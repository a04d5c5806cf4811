/**
 * Every operation once a round, one after the other: what else the machine does hits them alike, and
 * none waits for another. How they do side by side is measured apart (`callsPerSecond`).
 */
import { Latencies } from '../histogram.ts';
import type { Lab } from '../lab/lab.ts';
import type { Fleet } from './fleet.ts';
import type { Talker } from './talker.ts';

export const OPERATIONS = [
  'list bots',
  'bot status',
  'launch',
  'launch accepted',
  'stop',
  'send message',
  'send message, as a frame',
  'load history',
  'database query',
  'frame there and back',
  'heartbeat there and back',
] as const;
export type Operation = (typeof OPERATIONS)[number];
export type Measured = ReadonlyMap<Operation, Latencies>;

/** The page of the history that is loaded: the largest that there is. */
export const HISTORY_PAGE_MESSAGES = 200;
/** Done before anything counts, so that code is compiled and connections are open. */
const WARM_UP_ROUNDS = 20;
const SHOW_EVERY_ROUNDS = 25;
const CALLERS = 8;

export interface RoundsPlan {
  /** At least so many rounds, and then as many as `untilMs` allows. */
  rounds: number;
  /** How long it may go on beyond them, in ms; 0: not at all. */
  untilMs: number;
}

export interface World {
  lab: Lab;
  fleet: Fleet;
  talkers: readonly Talker[];
}

export async function measureRounds(world: World, plan: RoundsPlan): Promise<Measured> {
  const { lab, fleet } = world;
  const measured = new Map(OPERATIONS.map((operation) => [operation, new Latencies()]));
  const unmeasured = new Map(OPERATIONS.map((operation) => [operation, new Latencies()]));
  for (let round = 0; round < Math.min(WARM_UP_ROUNDS, plan.rounds); round += 1) await one(world, round, unmeasured);
  const startedAt = performance.now();
  for (let round = 0; round < plan.rounds || performance.now() - startedAt < plan.untilMs; round += 1) {
    lab.signal.throwIfAborted();
    if (round % SHOW_EVERY_ROUNDS === 0) lab.progress(`${fleet.size} bots: round ${round}, ${plan.rounds} at least`);
    await one(world, round, measured);
  }
  return measured;
}

async function one({ fleet, talkers }: World, round: number, measured: Measured): Promise<void> {
  const note = (operation: Operation, ms: number): void => measured.get(operation)?.record(ms);
  const talker = talkers[round % talkers.length];
  if (!talker) return;
  note('list bots', await fleet.list());
  note('bot status', await fleet.status(1 + (round % fleet.size)));
  note('send message', await talker.sendByRequest());
  note('load history', await talker.history(HISTORY_PAGE_MESSAGES));
  // Those behind the talkers' own, one after the other: a bot in use is not stopped for a measurement.
  const idle = fleet.size - talkers.length;
  const launchable = talkers.length + 1 + (round % idle);
  note('stop', await fleet.stop(launchable));
  const { acceptedMs, runningMs } = await fleet.launch(launchable);
  note('launch accepted', acceptedMs);
  note('launch', runningMs);
  const { sendMs, frameMs } = await talker.sendByFrame();
  note('send message, as a frame', sendMs);
  note('frame there and back', frameMs);
  note('database query', await talker.search(round));
  note('heartbeat there and back', await talker.ping());
}

/** Reads by several callers at once, as fast as they are answered. */
export async function callsPerSecond({ lab, fleet, talkers }: World, ms: number): Promise<number> {
  lab.progress(`${fleet.size} bots: ${CALLERS} callers at once`);
  const until = performance.now() + ms;
  let calls = 0;
  const work = async (caller: number): Promise<void> => {
    for (let number = caller; performance.now() < until; number += 1) {
      const talker = talkers[number % talkers.length];
      await fleet.list();
      await fleet.status(1 + (number % fleet.size));
      await talker?.history(HISTORY_PAGE_MESSAGES);
      await talker?.search(number);
      calls += 4;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => work(caller)));
  return calls / ((performance.now() - startedAt) / 1_000);
}
