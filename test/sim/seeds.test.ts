/**
 * Tens of thousands of runs by chance: no rule of SPEC.md may break in any of them. A seed that fails is
 * told of with the line that repeats it, and kept in `regressions.test.ts`.
 */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { runJobs, Sum } from './pool.ts';
import type { Job } from './worker.ts';

/** `LONG=1` goes on by time instead of by count, each time from another place. */
const IS_LONG = process.env['LONG'] === '1';
const LONG_MS = 25 * 60_000;
const SEEDS = IS_LONG ? Infinity : Number(process.env['SIM_SEEDS'] ?? 50_000);
/** Places to begin at: seeds are 32-bit numbers. */
const PLACES = 2 ** 31;
const FROM = Number(process.env['SIM_FROM'] ?? (IS_LONG ? Date.now() % PLACES : 0));
const PART = 500;
const REPORT_EVERY_MS = IS_LONG ? 60_000 : 15_000;
const TEST_TIMEOUT_MS = IS_LONG ? LONG_MS + 10 * 60_000 : 10 * 60_000 + SEEDS * 10;

test(
  `${IS_LONG ? 'as many seeds as the time allows' : `${SEEDS} seeds`}: every rule holds whatever breaks`,
  async () => {
    const startedAt = performance.now();
    let reportedAt = startedAt;
    const sum = new Sum();
    console.log(`[sim] seeds from ${FROM} on`);
    await runJobs(jobs(startedAt, sum), availableParallelism(), (result, job) => {
      sum.add(result, job);
      if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
      reportedAt = performance.now();
      console.log(`[sim] ${sum.runs} seeds, ${sum.failures.length} violations`);
    });
    console.log(`[sim] ${sum.describe(`seeds from ${FROM}`, startedAt)}`);
    expect(sum.told()).toEqual([]);
    if (!IS_LONG) expect(sum.runs).toBe(SEEDS);
    // A fault that never happens proves nothing.
    for (const fault of FAULTS) expect(sum.counts[fault] ?? 0, fault).toBeGreaterThan(0);
  },
  TEST_TIMEOUT_MS,
);

/** Parts of the whole, until there are enough, time is up, or something has failed. */
function* jobs(startedAt: number, { failures }: Sum): Generator<Job> {
  for (let done = 0; done < SEEDS && failures.length === 0; done += PART) {
    if (IS_LONG && performance.now() - startedAt > LONG_MS) return;
    yield { kind: 'seeds', from: FROM + done, count: Math.min(PART, SEEDS - done) };
  }
}

const FAULTS = [
  'crash',
  'cut',
  'silence',
  'half-open',
  'hibernate',
  'reload',
  'burst',
  'flood',
  'time passes',
  'clock jump',
  'alarm early',
  'alarm twice',
  'd1 error before apply',
  'd1 error after apply',
  'd1 slow',
  'd1 never answers',
  'destroy fails',
  'model failure',
  'fault of ours',
  'late piece',
  'mention',
  'bot call fails before effect',
  'bot call fails after effect',
  'bot call never arrives',
  'bot never answers',
  'bot call slow',
  'bot silent',
  'bot caprice',
  'bot crash',
  'bot lookup fails',
  'bot lookup never answered',
  'bot stop',
  'bot pause',
  'bot rename',
  'bot remove',
  'bot endpoint',
  'bot limits',
  'bot wakes',
  'wake lost',
  'bot says go',
  'bot says wait',
  'bot says fail',
];
