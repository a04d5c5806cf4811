/** Many seeds, one after the other, on databases that are made once. */
import { SessionLog } from '../../src/log/session-log.ts';
import { SessionRuntime } from '../../src/objects/session-runtime.ts';
import type { SessionPorts } from '../../src/objects/ports.ts';
import type { Violation } from '../support/history-model.ts';
import type { ServerSocket } from './link.ts';
import { CrashSignal, OWNER } from './process.ts';
import { runSeed, unhandled } from './seed.ts';
import { Database, SimStorage } from './storage.ts';

export interface Total {
  seeds: number;
  steps: number;
  effects: number;
  counts: Map<string, number>;
  violations: (Violation & { seed: number })[];
}

let databases: Database[] | null = null;

/** Databases with an empty session each, so that most runs need not create one. */
export function preparedDatabases(): Database[] {
  if (databases) return databases;
  process.on('unhandledRejection', (error) => {
    if (!(error instanceof CrashSignal)) unhandled(error);
  });
  databases = ['s1', 's2'].map((id) => {
    const db = new Database();
    const sql = new SimStorage(db).port(() => {});
    const runtime = new SessionRuntime<ServerSocket>(SessionLog.create(sql, id, OWNER), silentPorts(), [], 'epoch-0');
    runtime.dispatch({ type: 'create', bot: { id: 'b', name: 'B', model: 'm' }, title: '' });
    db.exec('RELEASE run');
    return db;
  });
  return databases;
}

export async function runSeeds(
  first: number,
  count: number,
  trace: ((line: string) => void) | null = null,
): Promise<Total> {
  const total: Total = { seeds: 0, steps: 0, effects: 0, counts: new Map(), violations: [] };
  for (let seed = first; seed < first + count; seed += 1) {
    const { violations, steps, effects, counts } = await runSeed(seed, preparedDatabases(), trace);
    total.seeds += 1;
    total.steps += steps;
    total.effects += effects;
    for (const [name, times] of counts) total.counts.set(name, (total.counts.get(name) ?? 0) + times);
    total.violations.push(...violations.map((violation) => ({ ...violation, seed })));
  }
  return total;
}

function silentPorts(): SessionPorts<ServerSocket> {
  const never = (): never => {
    throw new Error('nothing is asked of a session that is only made');
  };
  return {
    now: () => 1_700_000_000_000,
    setTimer: never,
    setAlarm: () => {},
    pingedAt: () => 0,
    answer: never,
    deliver: never,
    forget: never,
    destroy: never,
    report: () => {},
  };
}
