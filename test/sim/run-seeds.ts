/** Many seeds, one after the other, on databases that are made once. */
import { SessionLog } from '../../src/log/session-log.ts';
import { SessionRuntime } from '../../src/objects/session-runtime.ts';
import type { SessionPorts } from '../../src/objects/ports.ts';
import type { Violation } from '../support/history-model.ts';
import type { ServerSocket } from './link.ts';
import { CrashSignal, OWNER } from './process.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { runSeed, unhandled, type RunResult } from './seed.ts';
import { Database, SimStorage } from './storage.ts';
import { crashesAt, tell } from './sweep.ts';
import { freeBot } from '../support/free-bot.ts';
import { SharedLeaves } from '../../src/objects/shared-leave.ts';
import { SharedReports } from '../../src/objects/shared-reports.ts';
import { prepareBot } from './bot.ts';
import { ALL_BOTS, OWN_BOT, refOf } from './bot-names.ts';
import type { Databases } from './world.ts';

export interface Total {
  runs: number;
  steps: number;
  effects: number;
  counts: Record<string, number>;
  /** `run`: what repeats it, as options of `run.ts`. */
  violations: (Violation & { run: string })[];
}

let databases: Databases | null = null;

/** Databases with an empty session each, so that most runs need not create one, and with the tables of bots. */
export function preparedDatabases(): Databases {
  if (databases) return databases;
  const onError = (error: unknown): void => {
    if (!(error instanceof CrashSignal)) unhandled(error);
  };
  process.on('unhandledRejection', onError);
  // What a listener of a signal throws comes here.
  process.on('uncaughtException', onError);
  const bots = ALL_BOTS.map(() => {
    const db = new Database();
    prepareBot(new SimStorage(db).port(() => {}));
    db.exec('RELEASE run');
    return db;
  });
  const sessions = ['s1', 's2'].map((id) => {
    const db = new Database();
    const sql = new SimStorage(db).port(() => {});
    const runtime = new SessionRuntime<ServerSocket>(SessionLog.create(sql, id, OWNER), silentPorts(), [], 'epoch-0');
    runtime.dispatch({ type: 'create', bot: refOf(OWN_BOT), title: '' });
    db.exec('RELEASE run');
    return db;
  });
  databases = { sessions, bots };
  return databases;
}

/** Each scenario once without a crash, then with one, and with two, at every effect. */
export async function runScenarios(names: ReadonlySet<string> | null): Promise<Total> {
  const total = emptyTotal();
  for (const scenario of scenarios()) {
    if (names && !names.has(scenario.name)) continue;
    for await (const { result, crashAt } of tellings(scenario)) add(total, result, nameOf(scenario, crashAt));
  }
  return total;
}

async function* tellings(scenario: Scenario): AsyncGenerator<{ result: RunResult; crashAt: number[] }> {
  const calm = await tell(scenario, [], preparedDatabases());
  yield { result: calm, crashAt: [] };
  for (let effect = 1; effect <= calm.effects; effect += 1) {
    for (const twice of [false, true]) {
      const crashAt = crashesAt(effect, twice);
      yield { result: await tell(scenario, crashAt, preparedDatabases()), crashAt };
    }
  }
}

function nameOf(scenario: Scenario, crashAt: readonly number[]): string {
  // No effect is number 0: that one never crashes.
  return `--scenario '${scenario.name}' --crash ${crashAt.join() || '0'}`;
}

/**
 * Until the first violation: every scenario in peace, since most bugs show in one of them and each takes
 * a few milliseconds; then seeds; then some scenarios with all their crashes.
 */
export async function hunt(seeds: number, crashed: readonly string[]): Promise<Total> {
  const total = emptyTotal();
  for await (const { result, run } of quarry(seeds, crashed)) {
    add(total, result, run);
    if (total.violations.length > 0) break;
  }
  return total;
}

async function* quarry(seeds: number, crashed: readonly string[]): AsyncGenerator<{ result: RunResult; run: string }> {
  for (const scenario of scenarios()) {
    yield { result: await tell(scenario, [], preparedDatabases()), run: nameOf(scenario, []) };
  }
  for (let seed = 0; seed < seeds; seed += 1) {
    yield { result: await runSeed(seed, preparedDatabases()), run: `--seed ${seed}` };
  }
  for (const scenario of scenarios()) {
    if (!crashed.includes(scenario.name)) continue;
    for await (const { result, crashAt } of tellings(scenario)) yield { result, run: nameOf(scenario, crashAt) };
  }
}

/** One telling of one scenario. */
export async function runOne(
  name: string,
  crashAt: readonly number[],
  trace: ((line: string) => void) | null = null,
): Promise<Total> {
  const scenario = scenarios().find((other) => other.name === name);
  if (!scenario) throw new Error(`there is no scenario ${name}`);
  const total = emptyTotal();
  add(total, await tell(scenario, crashAt, preparedDatabases(), trace), nameOf(scenario, crashAt));
  return total;
}

export async function runSeeds(
  first: number,
  count: number,
  trace: ((line: string) => void) | null = null,
): Promise<Total> {
  const total = emptyTotal();
  for (let seed = first; seed < first + count; seed += 1) {
    add(total, await runSeed(seed, preparedDatabases(), trace), `--seed ${seed}`);
  }
  return total;
}

let told = (): void => {};

/** Calls back after every run. */
export function onRun(listener: () => void): void {
  told = listener;
}

function emptyTotal(): Total {
  return { runs: 0, steps: 0, effects: 0, counts: {}, violations: [] };
}

function add(total: Total, { steps, effects, counts, violations }: RunResult, run: string): void {
  told();
  total.runs += 1;
  total.steps += steps;
  total.effects += effects;
  for (const [name, times] of counts) total.counts[name] = (total.counts[name] ?? 0) + times;
  total.violations.push(...violations.map((violation) => ({ ...violation, run })));
}

function silentPorts(): SessionPorts<ServerSocket> {
  const never = (): never => {
    throw new Error('nothing is asked of a session that is only made');
  };
  return {
    now: () => 1_700_000_000_000,
    // The process ends before any of them.
    setTimer: () => () => {},
    setAlarm: () => {},
    clearAlarm: never,
    pingedAt: () => 0,
    ...freeBot,
    leaves: new SharedLeaves(),
    sharedReports: new SharedReports(),
    answer: never,
    deliver: never,
    forget: never,
    destroy: never,
    report: () => {},
    note: () => {},
  };
}
