/** On what, and of what, a measurement was made. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../src/local/build-worker.ts';

export interface Machine {
  cores: number;
  processor: string;
  memoryBytes: number;
  system: string;
  node: string;
  workerd: string;
}

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${process.platform} ${release()}`,
    node: process.version,
    workerd: versionOf('workerd'),
  };
}

function versionOf(dependency: string): string {
  const { version }: { version?: string } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules', dependency, 'package.json'), 'utf8'),
  );
  return version ?? 'unknown';
}

/** The commit that is checked out, with a mark where files differ from it; null without git. */
export async function currentCommit(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['describe', '--always', '--dirty', '--abbrev=12'], {
      cwd: ROOT,
    });
    return stdout.trim();
  } catch {
    return null;
  }
}
