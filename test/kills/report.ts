/** The figures of a run, one thing a line. README.md says what each of them means. */
import { FAILPOINTS } from './failpoints.ts';
import type { Kill } from './lane.ts';
import type { Run } from './run.ts';

export function describeRun(run: Run, seed: number): string {
  const { kills, account } = run;
  const count = (at: Kill['at']): number => kills.filter((kill) => kill.at === at).length;
  const points = FAILPOINTS.map((name) => ({ name, hits: count(name) }));
  const reached = points.filter(({ hits }) => hits > 0);
  const atPoints = points.reduce((sum, { hits }) => sum + hits, 0);
  const seconds = run.killingMs / 1_000;
  const interrupted = account.restarts + account.givenUp;
  return [
    `seed ${seed}: ${kills.length} kills in ${seconds.toFixed(0)} s, ${(kills.length / seconds).toFixed(1)} a second; ${run.sessions} sessions, ${run.removed} more deleted`,
    `  ${atPoints} at ${reached.length} of ${FAILPOINTS.length} failpoints, ${count('random')} at random, ${count('acknowledged')} soon after an acknowledgement, ${count('boot')} while starting`,
    `  ${points.map(({ name, hits }) => `${name} ${hits}`).join(', ')}`,
    `  ${account.acknowledged} messages acknowledged, ${interrupted} answers interrupted; ${account.answered} turns answered, ${account.givenUp} given up, ${account.failed} failed otherwise`,
    `  ${account.lost.length} lost, ${account.doubled.length} doubled, ${run.violations.length} violations; ${run.rows} rows in D1, ${run.connections} connections, ${run.frames} frames checked`,
    `  start of the process to open port: ${percentiles(kills.map(({ startMs }) => startMs))}`,
    ...firstAcknowledgements(kills, 'one coming back', true),
    ...firstAcknowledgements(kills, 'all coming back at once', false),
  ].join('\n');
}

function firstAcknowledgements(all: readonly Kill[], who: string, alone: boolean): string[] {
  const kills = all.filter((kill) => kill.alone === alone);
  return [
    `  open port to first new acknowledgement, ${who}: ${percentiles(kills.map(({ firstAck }) => firstAck?.sinceReadyMs))}`,
    `  kill to first new acknowledgement, ${who}: ${percentiles(kills.map(({ firstAck }) => firstAck?.sinceKillMs))}`,
  ];
}

function percentiles(all: readonly (number | null | undefined)[]): string {
  const sorted = all.filter((value) => typeof value === 'number').toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, max ${at(1)} ms (${sorted.length} times)`;
}
