/** The rules, bundled over the source as it is, or with one check of it taken away. Nothing on the disk is touched. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { replaceOnce, type Patch } from '../sim/hooks.ts';
import type { Rules } from './rules/rule.ts';

const SOURCE = join(import.meta.dirname, '../../src');
/** All that `src/objects` takes from the platform's module. */
const PLATFORM = 'export class DurableObject { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }';

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
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-rules-'));
  try {
    await build({
      entryPoints: { rules: join(import.meta.dirname, 'rules', file) },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      // Only ever loaded on demand, which no rule makes.
      external: ['ai', 'workers-ai-provider'],
      splitting: true,
      target: 'es2024',
      logLevel: 'silent',
      plugins: [patching(patch)],
    });
    const loaded: { rules: Rules } = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'rules.mjs')).href);
    return loaded.rules;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
