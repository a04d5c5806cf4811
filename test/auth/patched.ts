/** The rules, bundled over the source as it is, or with one check of it taken away. No source is touched. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../../src/local/build-worker.ts';
import { replaceOnce, type Patch } from '../sim/hooks.ts';
import type { Rules } from './rules/rule.ts';

const SOURCE = join(ROOT, 'src');
/** Inside of the project, so that bundles find its packages. */
const OUTPUT = join(ROOT, 'dist');
/** All that `src/objects` takes from the platform's module. */
const PLATFORM = 'export class DurableObject { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }';
/** Node's own loader, past the test runner's: it loads packages once for all bundles. */
const load = createRequire(import.meta.url);

function patching(patch: Patch | null): Plugin {
  return {
    name: 'patching',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^switchboard:chat-session$/ }, () => ({
        path: join(SOURCE, 'objects/chat-session.ts'),
      }));
      esbuild.onResolve({ filter: /^cloudflare:workers$/ }, ({ path }) => ({ path, namespace: 'platform' }));
      esbuild.onLoad({ filter: /.*/, namespace: 'platform' }, () => ({ contents: PLATFORM }));
      esbuild.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        if (patch === null || path !== join(SOURCE, patch.file)) return null;
        return { contents: replaceOnce(readFileSync(path, 'utf8'), patch), loader: 'ts' };
      });
    },
  };
}

/** The rules of one file in `rules/`. */
export async function loadRules(file: string, patch: Patch | null): Promise<Rules> {
  mkdirSync(OUTPUT, { recursive: true });
  const folder = mkdtempSync(join(OUTPUT, 'rules-'));
  try {
    await build({
      entryPoints: { rules: join(import.meta.dirname, 'rules', file) },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'es2024',
      logLevel: 'silent',
      // Lines for operators, of no use here.
      drop: ['console'],
      plugins: [patching(patch)],
    });
    const { rules }: { rules: Rules } = load(join(folder, 'rules.mjs'));
    return rules;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
