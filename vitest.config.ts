import { availableParallelism } from 'node:os';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Seeds by the ten thousand, crashes by the thousand, planted bugs: on all cores, so they run alone. */
const FAULTS = ['test/sim/{seeds,sweep,mutation}.test.ts', 'test/kills/**/*.test.ts'];
/** Compares processor time: nothing else may run beside it. */
const PERFORMANCE = ['test/load/performance.test.ts'];

/** Most of these wait for servers, browsers and the clock: one more than there are cores keeps the cores at work. For both projects of a group: vitest wants them alike. */
const WAITING_WORKERS = availableParallelism() + 1;
/** A test that waits for something waits this long, in ms: beside others a page or a server may stand still for a second. */
const POLL = { poll: { timeout: 5_000 } };

/** The house itself, then what runs in plain Node (real servers and browsers included) and inside workerd, then faults. */
export default defineConfig({
  test: {
    projects: [
      {
        // First and alone: it builds for deployment, and the others run what is built.
        test: { name: 'house', include: ['test/house/**/*.test.ts'], testTimeout: 20_000, sequence: { groupOrder: 0 } },
      },
      {
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/workers/**', 'test/house/**', ...FAULTS, ...PERFORMANCE],
          testTimeout: 30_000,
          expect: POLL,
          // Real servers and browsers start in hooks, several at once.
          hookTimeout: 60_000,
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // One file after the other: each takes all cores by itself.
        test: {
          name: 'faults',
          include: FAULTS,
          maxWorkers: 1,
          testTimeout: 600_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: { name: 'performance', include: PERFORMANCE, maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            main: './src/worker.ts',
            wrangler: { configPath: './wrangler.toml' },
            // Tests apply them with `applyD1Migrations`: workerd has no file system to read them from.
            // There is no secret in wrangler.toml, and a developer's own must not matter.
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations('./migrations'),
                SESSION_SECRET: 'a-secret-for-tests-that-is-long-enough',
              },
            },
          })),
        ],
        test: {
          name: 'workers',
          include: ['test/workers/**/*.test.ts'],
          testTimeout: 20_000,
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
