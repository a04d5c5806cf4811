/** Where the killed processes keep their state. */
import { accessSync, constants, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is committed outlives a killed process in memory as on a disk, and a disk takes longer to say so. */
const IN_MEMORY = '/dev/shm';
/** Some fifty times what two lanes leave after a hundred kills. */
const ENOUGH_BYTES = 1024 ** 3;

/** A new folder; whoever asks removes it. */
export function makeStateFolder(): string {
  return mkdtempSync(join(hasRoom(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'switchboard-kills-'));
}

function hasRoom(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}
