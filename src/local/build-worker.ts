/**
 * Bundles the Worker into `dist/worker/`, for Miniflare and for `wrangler deploy` alike: what runs
 * on Cloudflare is what the tests ran. Split into modules, so that what is imported on demand
 * (Workers AI) is loaded on demand; wrangler's own bundling would weave it into the start.
 */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = join(ROOT, 'src/worker.ts');
const OUTPUT = join(ROOT, 'dist/worker');
const ENTRY_NAME = 'worker';

/** A bundle as Miniflare takes it: its folder and its modules, the entry first. */
export interface WorkerBundle {
  modulesRoot: string;
  modules: { type: 'ESModule'; path: string }[];
}

export async function buildWorker(entry = ENTRY, output = OUTPUT): Promise<WorkerBundle> {
  await rm(output, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: { [ENTRY_NAME]: entry },
    outdir: output,
    chunkNames: 'on-demand/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    // Both come with the runtime.
    external: ['cloudflare:*', 'node:*'],
    // Without `keepNames`: it sets the name of each function anew wherever one is made, 156 bytes for every one that a
    // session keeps, a third of its heap. The source map has the names.
    minify: true,
    sourcemap: 'linked',
    logLevel: 'warning',
    metafile: true,
  });
  const entryPath = join(output, `${ENTRY_NAME}.js`);
  const others = Object.keys(metafile.outputs)
    .map((path) => resolve(path))
    .filter((path) => path.endsWith('.js') && path !== entryPath);
  return { modulesRoot: output, modules: [entryPath, ...others].map((path) => ({ type: 'ESModule', path })) };
}
