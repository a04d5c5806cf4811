/**
 * The runtime is killed a thousand times under load, at named places and at random, and begun again
 * on what was left. `SEED=n` repeats the schedule of a run, `KILLS=n` sets how long it is, and
 * `LONG=1` makes it go on for twenty minutes.
 */
import { expect, test } from 'vitest';
import { seedFromEnvironment } from '../support/random.ts';
import { FAILPOINTS } from './failpoints.ts';
import { describeRun } from './report.ts';
import { runKills } from './run.ts';

const SEED = seedFromEnvironment(5);
const IS_LONG = process.env['LONG'] === '1';
const LONG_MS = 20 * 60_000;
const KILLS = IS_LONG ? Infinity : Number(process.env['KILLS'] ?? 1_000);
/**
 * Who begins again with the machine to itself shows how long that takes; of several at once more die
 * in the same time. A part of the kills each.
 */
const RUNS = [
  { who: 'one at a time', lanes: 1, share: 0.1 },
  { who: 'three at a time', lanes: 3, share: 0.9 },
];
const DRAIN_TIMEOUT_MS = 120_000;
/** A life takes about a third of a second; a machine that has other things to do needs several times that. */
const TIMEOUT_PER_KILL_MS = 2_000;
const TIMEOUT_MS = 600_000 + (IS_LONG ? LONG_MS : KILLS * TIMEOUT_PER_KILL_MS);
/** From here on every failpoint has had its turn often enough. */
const MANY_KILLS = 900;

test.for(RUNS)(
  'S1, S2, S8, S14, S15, S16, S18, S19: killed at any moment, nothing is lost and nothing comes twice: $who',
  { timeout: TIMEOUT_MS },
  async ({ lanes, share }, { onTestFinished }) => {
    const seed = SEED + lanes;
    const kills = Math.max(1, Math.round(KILLS * share));
    const run = await runKills({
      seed,
      kills,
      ...(IS_LONG ? { forMs: LONG_MS * share } : {}),
      lanes,
      worker: 'failing-worker.ts',
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
      onFinished: onTestFinished,
    });
    console.log(describeRun(run, SEED));
    if (run.violations.length > 0) console.log(run.logs.join('\n'));
    expect(run.violations).toEqual([]);
    expect(run.account.lost).toEqual([]);
    expect(run.account.doubled).toEqual([]);
    // Else nothing was proved: kills have to meet what they are meant to meet.
    if (!IS_LONG) expect(run.kills).toHaveLength(kills);
    expect(run.account.restarts).toBeGreaterThan(run.kills.length / 20);
    if (run.kills.length < MANY_KILLS) return;
    const missed = FAILPOINTS.filter((name) => !run.kills.some(({ at }) => at === name));
    expect(missed).toEqual([]);
  },
);
