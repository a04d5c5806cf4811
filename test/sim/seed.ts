/** One seed, one run: who is there, what breaks and how often, and what happens next, all by chance. */
import type { Violation } from '../support/history-model.ts';
import { actionsOf, type Weather } from './actions.ts';
import type { BotFaults } from './bot-names.ts';
import { chooseBots } from './choose-bots.ts';
import { Chance } from './chance.ts';
import { check } from './checker.ts';
import type { SimHistory } from './history.ts';
import { heal } from './heal.ts';
import { TIGHT } from './hooks.ts';
import { turnKnobs } from './knob.ts';
import { Browser, openPage, RawPage } from './page.ts';
import { describe, World, type Databases, type Faults } from './world.ts';

/** Enough for a few pages to connect. */
const MAX_SETTLE_STEPS = 60;

export interface RunResult {
  violations: Violation[];
  steps: number;
  effects: number;
  counts: ReadonlyMap<string, number>;
}

export async function runSeed(
  seed: number,
  databases: Databases,
  trace: ((line: string) => void) | null = null,
): Promise<RunResult> {
  const chance = new Chance(seed);
  turnKnobs(chance.is(0.75) ? TIGHT : {});
  const world = new World(chance, databases, chance.is(0.05) ? 2 : 1, trace);
  return within(world, async () => {
    const weather = weatherOf(chance);
    world.faults = faultsOf(chance);
    // A tight window is met by answers of a few hundred characters, the real one seldom by any.
    world.answerUnits = chance.is(0.08) ? 300 : 6;
    world.modelPace = chance.pick([4, 4, 1, 0.3]);
    chooseBots(world.bots, chance);
    world.bots.faults = botFaultsOf(chance);
    await begin(world, chance.is(0.08));
    const browsers = people(world, weather);
    // Most runs begin with everybody connected; the others have even that in the middle of the faults.
    if (chance.is(0.7)) await settle(world);
    const steps = chance.between(20, 105);
    for (let step = 0; step < steps; step += 1) {
      const moment = world.nextMoment();
      const next = [...world.happenings(), ...(moment ? [moment] : []), ...actionsOf(world, weather, browsers)];
      await world.step(chance.weighted(next));
    }
    const options = { crashes: false, alone: chance.is(0.25), lateReader: chance.is(0.12), idle: chance.is(0.05) };
    return heal(world, browsers, options);
  });
}

/** Everything that can happen without time passing does. */
async function settle(world: World): Promise<void> {
  for (let steps = 0; steps < MAX_SETTLE_STEPS; steps += 1) {
    const next = world.happenings();
    if (next.length === 0) return;
    await world.step(world.chance.pick(next));
  }
}

let current: World | null = null;

/** Does everything of one run in `world`, checks what it left, and cleans up. */
export async function within(world: World, run: () => Promise<SimHistory[]>): Promise<RunResult> {
  current = world;
  try {
    return resultOf(world, (await run()).flatMap(check));
  } catch (error) {
    // What was left cannot even be read, or a process went on for ever.
    return resultOf(world, [{ rule: 'fault', detail: describe(error) }]);
  } finally {
    current = null;
    world.close();
  }
}

function resultOf({ steps, effects, counts }: World, violations: Violation[]): RunResult {
  return { violations, steps, effects, counts };
}

/** A rejection that nobody handles: an object's fault, unless its process ended in the middle of it. */
export function unhandled(error: unknown): void {
  current?.host.notes.faults.push(`unhandled: ${describe(error)}`);
}

function faultsOf(chance: Chance): Faults {
  return {
    model: chance.is(0.5) ? 0.4 : 0,
    d1: chance.is(0.4) ? 0.4 : 0,
    quietLoss: chance.is(0.4) ? 0.5 : 0,
    alarmTwice: chance.is(0.3) ? 0.3 : 0,
    destroy: chance.is(0.3) ? 0.8 : 0,
  };
}

function botFaultsOf(chance: Chance): BotFaults {
  return {
    call: chance.is(0.5) ? 0.25 : 0,
    caprice: chance.is(0.25) ? 0.15 : 0,
    wake: chance.is(0.4) ? 0.5 : 0,
    lookup: chance.is(0.4) ? 0.4 : 0,
    lookupLost: 0.3,
  };
}

/** Half of the kinds of trouble in each run: all at once hide each other. */
function weatherOf(chance: Chance): Weather {
  const some = (weight: number): number => (chance.is(0.5) ? weight : 0);
  return {
    // Some sessions hardly live: only then is a turn begun again too often.
    crash: chance.is(0.05) ? 5 : some(0.3),
    crashSoon: some(0.5),
    cut: some(0.4),
    silence: some(0.2),
    hibernate: some(1),
    clock: some(0.3),
    d1: some(0.4),
    alarm: some(0.4),
    reload: some(0.3),
    http: some(0.25),
    settings: some(0.2),
    remove: chance.is(0.06) ? 0.4 : 0,
    burst: some(0.08),
    operator: some(0.3),
    botSilent: some(0.15),
    botCrash: some(0.3),
    people: 3.5,
  };
}

/** The sessions come into being: before the run, or in the middle of its faults. */
export async function begin(world: World, inTheRun: boolean): Promise<void> {
  for (const host of world.hosts) {
    if (inTheRun) host.storage.wipe();
    // Who made the session left before it was delivered.
    else host.storage.setAlarm(host.now());
    host.storage.flush();
  }
  if (!inTheRun) return;
  if (world.chance.is(0.5)) world.crashAt = [world.chance.between(1, 14)];
  for (const host of world.hosts) {
    // Whoever asked for a session asks again until it is there.
    for (let tries = 0; tries < 3 && (tries === 0 || !host.storage.hasTables()); tries += 1) {
      await world.step({ label: 'create', weight: 1, run: () => host.enter('create', (process) => process.create()) });
    }
  }
}

function people(world: World, weather: Weather): Browser[] {
  const { chance } = world;
  const browsers: Browser[] = [];
  for (const host of world.hosts) {
    const count = host === world.host ? chance.pick([1, 1, 1, 2]) : 1;
    for (let index = 0; index < count; index += 1) {
      const browser = new Browser(`p${index + 1}${host.id}`);
      browsers.push(browser);
      openPage(world, host, browser);
      if (host === world.host && chance.is(0.12)) openPage(world, host, browser);
    }
  }
  if (chance.is(0.3)) {
    world.raws.push(new RawPage(world, world.host, 'raw'));
    weather.people += 1;
  }
  return browsers;
}
