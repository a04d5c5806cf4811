/** A whole run: lanes, kills, the last life, the verdict, and the figures. */
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
  kills: number;
  lanes: number;
  /** In test/workers/kills/: the Worker that is killed. */
  worker: string;
  /** Places to be killed at; absent: all. */
  failpoints?: readonly Failpoint[];
  /** The last life is the same Worker's, not the shipped one's. */
  ownLastLife?: boolean;
  drainTimeoutMs: number;
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
  const { seed, kills, lanes, worker, ownLastLife, drainTimeoutMs } = options;
  const random = seeded(seed + index * LANE_SEEDS);
  const plans = makePlans(Math.floor((kills + index) / lanes), random, options.failpoints ?? FAILPOINTS);
  const entry = fileURLToPath(new URL(`../workers/kills/${worker}`, import.meta.url));
  const stage = await Stage.create(entry);
  const lane = new Lane(stage, random);
  try {
    const startedAt = performance.now();
    await lane.run(plans);
    const killingMs = performance.now() - startedAt;
    await stage.beginFinal(ownLastLife === true ? entry : undefined);
    const verdict = await settle(stage, lane, drainTimeoutMs);
    const { conversations, removals } = lane;
    const { logs } = stage;
    return { ...verdict, kills: lane.kills, removed: removals.gone, sessions: conversations.length, killingMs, logs };
  } finally {
    lane.closeAll();
    await stage.close();
  }
}

/** The figures, one thing a line. */
export function describeRun(run: Run, seed: number): string {
  const { kills, account } = run;
  const count = (at: Kill['at']): number => kills.filter((kill) => kill.at === at).length;
  const atPoints = FAILPOINTS.map((name) => ({ name, hits: count(name) }));
  const points = atPoints.filter(({ hits }) => hits > 0);
  const starts = kills.flatMap(({ startMs }) => (startMs === null ? [] : [startMs]));
  const acks = (alone: boolean): number[] =>
    kills.flatMap((kill) => (kill.firstAckMs === null || kill.alone !== alone ? [] : [kill.firstAckMs]));
  return [
    `seed ${seed}: ${kills.length} kills in ${Math.round(run.killingMs / 1_000)} s; ${run.sessions} sessions, ${run.removed} more deleted`,
    `  ${points.reduce((sum, { hits }) => sum + hits, 0)} at ${points.length} of ${FAILPOINTS.length} failpoints, ${count('random')} at random, ${count('acknowledged')} soon after an acknowledgement, ${count('boot')} while starting`,
    `  ${atPoints.map(({ name, hits }) => `${name} ${hits}`).join(', ')}`,
    `  ${account.acknowledged} messages acknowledged, ${account.answered} answered, ${account.givenUp} given up after ${account.restarts} cut-off answers in all`,
    `  ${account.lost.length} lost, ${account.doubled.length} doubled, ${run.violations.length} violations; ${run.rows} rows in D1, ${run.connections} connections, ${run.frames} frames checked`,
    `  start to open port: ${percentiles(starts)}`,
    `  open port to first new acknowledgement, one coming back: ${percentiles(acks(true))}`,
    `  open port to first new acknowledgement, all coming back at once: ${percentiles(acks(false))}`,
  ].join('\n');
}

function percentiles(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `${sorted.length} times, p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`;
}
