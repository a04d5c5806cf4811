/**
 * Tens of thousands of runs by chance: no rule of SPEC.md may break in any of them. A seed that fails is
 * repeated by the line that is printed with it, and kept in `regressions.test.ts`.
 */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { runJobs, Sum } from './pool.ts';

/** `SIM_SEEDS=2000000` makes an hour of it; `SIM_FROM` begins elsewhere. */
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 50_000);
const FROM = Number(process.env['SIM_FROM'] ?? 0);
const PART = 500;
const PART_TIMEOUT_MS = 120_000;
const REPORT_EVERY_MS = 15_000;
const TEST_TIMEOUT_MS = 10 * 60_000 + SEEDS * 10;

test(
  `${SEEDS} seeds: every rule holds whatever breaks`,
  async () => {
    const startedAt = performance.now();
    let reportedAt = startedAt;
    const sum = new Sum();
    const jobs = Array.from({ length: Math.ceil(SEEDS / PART) }, (_, index) => {
      return { kind: 'seeds' as const, from: FROM + index * PART, count: Math.min(PART, SEEDS - index * PART) };
    });
    await runJobs(jobs, availableParallelism(), PART_TIMEOUT_MS, (result, job) => {
      sum.add(result, JSON.stringify(job));
      if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
      reportedAt = performance.now();
      console.log(`[sim] ${sum.runs} of ${SEEDS} seeds, ${sum.failures.length} violations`);
    });
    console.log(`[sim] ${sum.describe('seeds', startedAt)}`);
    const [first] = sum.failures;
    if (first) console.error(`[sim] again with: node test/sim/run.ts --seed ${first.split(':', 1)[0]} --trace`);
    expect(sum.failures.slice(0, 10)).toEqual([]);
    expect(sum.runs).toBe(SEEDS);
    // A fault that never happens proves nothing.
    for (const fault of FAULTS) expect(sum.counts[fault] ?? 0, fault).toBeGreaterThan(0);
  },
  TEST_TIMEOUT_MS,
);

const FAULTS = [
  'crash',
  'cut',
  'silence',
  'half-open',
  'hibernate',
  'reload',
  'burst',
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
];
