/** The peers' packages, from their own lock file into this folder alone; the product never installs them. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod/mini';
import { reasonOf } from '../reason.ts';
import { LoadError } from '../scenario.ts';

export const PEERS = fileURLToPath(new URL('.', import.meta.url));
const INSTALL_TIMEOUT_MS = 5 * 60_000;

const wanted = z.object({ dependencies: z.record(z.string(), z.string()) });
const installed = z.object({ version: z.string() });

/** @throws LoadError where they are not installed and cannot be */
export async function installPeers(signal: AbortSignal): Promise<Record<string, string>> {
  const { dependencies } = z.parse(wanted, json(join(PEERS, 'package.json')));
  if (!isInstalled(dependencies)) {
    try {
      const args = ['ci', '--prefix', PEERS, '--ignore-scripts', '--no-audit', '--no-fund'];
      await promisify(execFile)('npm', args, { cwd: PEERS, timeout: INSTALL_TIMEOUT_MS, signal });
    } catch (error) {
      throw new LoadError('start_failed', `The peers' packages cannot be installed: ${reasonOf(error)}`);
    }
  }
  return dependencies;
}

function isInstalled(dependencies: Record<string, string>): boolean {
  return Object.entries(dependencies).every(([name, version]) => {
    const path = join(PEERS, 'node_modules', name, 'package.json');
    return existsSync(path) && z.parse(installed, json(path)).version === version;
  });
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
