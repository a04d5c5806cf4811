import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Two kinds of tests: in plain Node, and inside workerd with the real wrangler.toml. */
export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'node', include: ['test/**/*.test.ts'], exclude: ['test/workers/**'], testTimeout: 20_000 },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            main: './src/worker.ts',
            wrangler: { configPath: './wrangler.toml' },
            // Tests apply them with `applyD1Migrations`: workerd has no file system to read them from.
            miniflare: { bindings: { TEST_MIGRATIONS: await readD1Migrations('./migrations') } },
          })),
        ],
        test: { name: 'workers', include: ['test/workers/**/*.test.ts'], testTimeout: 20_000 },
      },
    ],
  },
});
