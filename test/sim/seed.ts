/** One seed, one run: who is there, what breaks and how often, and what happens next, all by chance. */
import type { Violation } from '../support/history-model.ts';
import { actionsOf, type Weather } from './actions.ts';
import { Chance } from './chance.ts';
import { check } from './checker.ts';
import { heal } from './heal.ts';
import { TIGHT } from './hooks.ts';
import { turnKnobs } from './knob.ts';
import { Browser, Page, RawPage } from './page.ts';
import type { Database } from './storage.ts';
import { World } from './world.ts';

export interface RunResult {
  violations: Violation[];
  steps: number;
  effects: number;
  counts: ReadonlyMap<string, number>;
}

export async function runSeed(
  seed: number,
  databases: readonly Database[],
  trace: ((line: string) => void) | null = null,
): Promise<RunResult> {
  const chance = new Chance(seed);
  const isTight = chance.is(0.75);
  turnKnobs(isTight ? TIGHT : {});
  const world = new World(chance, databases.slice(0, chance.is(0.08) ? 2 : 1), trace);
  current = world;
  try {
    const weather = weatherOf(chance);
    world.faults = {
      model: chance.is(0.5) ? 0.4 : 0,
      d1: chance.is(0.4) ? 0.4 : 0,
      quietLoss: chance.is(0.4) ? 0.5 : 0,
      alarmTwice: chance.is(0.3) ? 0.3 : 0,
      destroy: chance.is(0.3) ? 0.8 : 0,
    };
    // A tight window is met by answers of a few hundred characters, the real one seldom by any.
    world.answerUnits = chance.is(0.15) ? 400 : 12;
    await begin(world, chance.is(0.08));
    const browsers = people(world, weather);
    const steps = chance.between(25, 90);
    for (let step = 0; step < steps; step += 1) {
      const moment = world.nextMoment();
      const next = [...world.happenings(), ...(moment ? [moment] : []), ...actionsOf(world, weather, browsers)];
      await world.step(chance.weighted(next));
    }
    const options = { alone: chance.is(0.25), lateReader: chance.is(0.2), idle: chance.is(0.05) };
    const histories = await heal(world, browsers, options);
    const violations = histories.flatMap(check);
    return { violations, steps: world.steps, effects: world.effects, counts: world.counts };
  } finally {
    current = null;
    world.close();
  }
}

let current: World | null = null;

/** A rejection that nobody handles: an object's fault, unless its process ended in the middle of it. */
export function unhandled(error: unknown): void {
  if (current) current.host.notes.faults.push(`unhandled: ${String(error)}`);
}

/** Half of the kinds of trouble in each run: all at once hide each other. */
function weatherOf(chance: Chance): Weather {
  const some = (weight: number): number => (chance.is(0.5) ? weight : 0);
  return {
    crash: some(1),
    crashSoon: some(1.5),
    cut: some(1),
    silence: some(0.6),
    hibernate: some(1),
    clock: some(0.5),
    d1: some(0.7),
    alarm: some(1),
    reload: some(0.7),
    http: some(1.2),
    settings: some(0.5),
    remove: chance.is(0.04) ? 0.3 : 0,
    burst: some(0.3),
    people: 6,
  };
}

/** The sessions come into being: before the run, or in the middle of its faults. */
async function begin(world: World, inTheRun: boolean): Promise<void> {
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
    const count = host === world.host ? chance.pick([1, 1, 2]) : 1;
    for (let index = 0; index < count; index += 1) {
      const browser = new Browser(`p${index + 1}${host.id}`);
      browsers.push(browser);
      new Page(world, host, browser);
      if (host === world.host && chance.is(0.2)) new Page(world, host, browser);
    }
  }
  if (chance.is(0.3)) {
    world.raws.push(new RawPage(world, world.host, 'raw'));
    weather.people += 1;
  }
  return browsers;
}
