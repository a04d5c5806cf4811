/** Bundles the Worker for Miniflare, as `wrangler deploy` does for Cloudflare. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = join(ROOT, 'src/worker.ts');
const OUTPUT = join(ROOT, 'dist/worker/worker.js');

/** Resolves with the bundle's path. */
export async function buildWorker(entry = ENTRY, output = OUTPUT): Promise<string> {
  await build({
    entryPoints: [entry],
    outfile: output,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    // Both come with the runtime.
    external: ['cloudflare:*', 'node:*'],
    sourcemap: 'linked',
    logLevel: 'warning',
  });
  return output;
}
