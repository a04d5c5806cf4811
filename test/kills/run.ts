/** A whole run: lanes, kills, the last life, and the verdict. */
import { fileURLToPath } from 'node:url';
import { seeded } from '../support/random.ts';
import { add } from './account.ts';
import { FAILPOINTS, type Failpoint } from './failpoints.ts';
import { Lane, type Kill } from './lane.ts';
import { makePlans } from './plan.ts';
import { settle, type Verdict } from './settle.ts';
import { Stage } from './stage.ts';

export interface RunOptions {
  seed: number;
  /** How many; fewer where `forMs` ends first. */
  kills: number;
  forMs?: number;
  lanes: number;
  /** In test/workers/kills/: the Worker that is killed. */
  worker: string;
  /** Places to be killed at; absent: all. */
  failpoints?: readonly Failpoint[];
  /** The last life is the same Worker's, not the shipped one's. */
  ownLastLife?: boolean;
  drainTimeoutMs: number;
  /** Takes what is to be done when the test is over, however it ends. */
  onFinished: (cleanUp: () => Promise<void>) => void;
}

export interface Run extends Verdict {
  kills: Kill[];
  /** Sessions deleted meanwhile. */
  removed: number;
  sessions: number;
  /** From the first kill to the last. */
  killingMs: number;
  logs: string[];
}

/** Spreads the seeds of the lanes of one run. */
const LANE_SEEDS = 7_919;
const LOGS_OF_A_FAILURE = 20;

export async function runKills(options: RunOptions): Promise<Run> {
  const { lanes } = options;
  const runs = await Promise.all(Array.from({ length: lanes }, (_, index) => runLane(options, index)));
  return runs.reduce((a, b) => ({
    kills: [...a.kills, ...b.kills],
    removed: a.removed + b.removed,
    sessions: a.sessions + b.sessions,
    killingMs: Math.max(a.killingMs, b.killingMs),
    logs: [...a.logs, ...b.logs],
    violations: [...a.violations, ...b.violations],
    account: add(a.account, b.account),
    rows: a.rows + b.rows,
    connections: a.connections + b.connections,
    frames: a.frames + b.frames,
  }));
}

async function runLane(options: RunOptions, index: number): Promise<Run> {
  const { seed, kills, forMs = Infinity, lanes, worker, ownLastLife, drainTimeoutMs, onFinished } = options;
  const laneSeed = seed + index * LANE_SEEDS;
  const plans = makePlans(seeded(laneSeed), options.failpoints ?? FAILPOINTS);
  const entry = fileURLToPath(new URL(`../workers/kills/${worker}`, import.meta.url));
  const stage = await Stage.create(entry);
  const lane = new Lane(stage, seeded(laneSeed + 1));
  onFinished(async () => {
    lane.closeAll();
    await stage.close();
  });
  try {
    const startedAt = performance.now();
    await lane.run(plans, Math.floor((kills + index) / lanes), forMs);
    const killingMs = performance.now() - startedAt;
    await stage.beginFinal(ownLastLife === true ? entry : undefined);
    const verdict = await settle(stage, lane, drainTimeoutMs);
    const { conversations, removals } = lane;
    const { logs } = stage;
    return { ...verdict, kills: lane.kills, removed: removals.gone, sessions: conversations.length, killingMs, logs };
  } catch (error) {
    console.log(stage.logs.slice(-LOGS_OF_A_FAILURE).join('\n'));
    throw error;
  }
}
