/**
 * Where a loaded server keeps its state. The local runtime waits for the disk at every commit, all
 * its objects with it; Cloudflare's does not: there a commit is copied to other machines while the
 * object goes on, and only the acknowledgement waits. A folder in memory is therefore the nearer
 * picture of the two, and the default; with one on a disk the disk is what is measured.
 */
import { closeSync, existsSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadError } from './scenario.ts';
import { median } from './statistics.ts';

const IN_MEMORY = '/dev/shm';
const SYNCS = 20;
/** A page of SQLite. */
const PAGE_BYTES = 4_096;

export interface StateFolder {
  path: string;
  /** How long it takes there until a written page is safe, median, in ms. */
  syncMs: number;
}

/** @param wanted null: in memory where the system has such a folder, else the one for temporary files */
export function stateFolder(wanted: string | null): StateFolder {
  const path = wanted ?? (existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir());
  if (!existsSync(path)) throw new LoadError('usage', `--state ${path} does not exist.`);
  return { path, syncMs: syncMs(path) };
}

function syncMs(folder: string): number {
  const path = join(folder, `switchboard-load-sync-${process.pid}`);
  const file = openSync(path, 'w');
  try {
    const page = Buffer.alloc(PAGE_BYTES);
    const times = Array.from({ length: SYNCS }, () => {
      writeSync(file, page);
      const from = performance.now();
      fdatasyncSync(file);
      return performance.now() - from;
    });
    return median(times);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
