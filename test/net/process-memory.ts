/** What the processes that this one started hold in memory. Linux only: read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const KILOBYTE = 1024;

/** Ids of this process's own children whose command names `program`. */
export function childrenNamed(program: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const status = read(`/proc/${pid}/status`);
      return status.includes(`PPid:\t${process.pid}\n`) && read(`/proc/${pid}/cmdline`).includes(program);
    });
}

/** Resident memory, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has ended`);
  return Number(kilobytes) * KILOBYTE;
}

/** A process may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
