import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { buildWeb, MAX_INITIAL_JS_BYTES } from '../../src/local/build-web.ts';

const lockFile = z.object({
  packages: z.record(z.string(), z.object({ optionalDependencies: z.optional(z.record(z.string(), z.string())) })),
});

const ROOT = join(import.meta.dirname, '../..');
/** The whole upload, Workers AI on demand included: 135 are the chat, 35 bots, operators, metrics and Access. Cloudflare takes 3,072. */
const MAX_WORKER_KIB = 180;

test('wrangler deploys what is here, and the upload stays small', () => {
  const out = mkdtempSync(join(tmpdir(), 'switchboard-deploy-'));
  const { stdout, stderr, status } = spawnSync('wrangler', ['deploy', '--dry-run', '--outdir', out], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
  });
  rmSync(out, { recursive: true });
  expect(status, stderr).toBe(0);
  const gzipKib = Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1]);
  console.log(`Worker: ${gzipKib} KiB gzipped, of ${MAX_WORKER_KIB}`);
  expect(gzipKib).toBeGreaterThan(10);
  expect(gzipKib).toBeLessThan(MAX_WORKER_KIB);
  for (const binding of ['SESSIONS', 'DB', 'ASSETS', 'CONNECT_LIMIT', 'WRITE_LIMIT', 'READ_LIMIT'])
    expect(stdout).toContain(`env.${binding}`);
}, 120_000);

test('the page starts with little JavaScript', async () => {
  const out = mkdtempSync(join(tmpdir(), 'switchboard-web-'));
  const { initialJsBytes } = await buildWeb(out);
  rmSync(out, { recursive: true });
  console.log(`Page: ${initialJsBytes} bytes of JavaScript at first, gzipped, of ${MAX_INITIAL_JS_BYTES}`);
  expect(initialJsBytes).toBeGreaterThan(5_000);
  expect(initialJsBytes).toBeLessThan(MAX_INITIAL_JS_BYTES);
});

test('there is one workerd in the tree: what is tested is what runs', () => {
  const binaries = globSync('node_modules/**/workerd-*/bin/workerd', { cwd: ROOT });
  expect(binaries).toHaveLength(1);
});

test('the lock file knows the packages of every platform, so that npm ci works on each', () => {
  const { packages } = lockFile.parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));
  const names = Object.keys(packages);
  const missing = Object.entries(packages).flatMap(([parent, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {}).filter(
      (name) => !names.includes(`node_modules/${name}`) && !names.includes(`${parent}/node_modules/${name}`),
    ),
  );
  expect(names.length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved"|https?:\/\/[^"]*registry/);
});
