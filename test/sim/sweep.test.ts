/** Every scenario, crashed after each of its effects, and once more during the recovery from that. */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { runJobs, Sum } from './pool.ts';
import { scenarios } from './scenarios.ts';

const MIN_SCENARIOS = 100;
const TEST_TIMEOUT_MS = 600_000;

test(
  'every scenario survives a crash after every effect, and a second one during the recovery',
  async () => {
    const all = scenarios();
    expect(all.length).toBeGreaterThanOrEqual(MIN_SCENARIOS);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    const startedAt = performance.now();
    const sum = new Sum();
    const jobs = all.map(({ name }) => ({ kind: 'scenario' as const, name }));
    await runJobs(jobs, availableParallelism(), (result, job) => {
      sum.add(result, job);
    });
    console.log(`[sim] ${sum.describe(`sweep of ${all.length} scenarios`, startedAt)}`);
    expect(sum.told()).toEqual([]);
    // Far more crashes than scenarios: each of their effects was one.
    expect(sum.counts['crash'] ?? 0).toBeGreaterThan(all.length * 50);
  },
  TEST_TIMEOUT_MS,
);
