/** Processor time and memory of processes, from Linux's /proc; null wherever that is not. */
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel reports to user space in hundredths of a second on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const BYTES_PER_KIB = 1_024;
/** In which memory is shown. */
export const BYTES_PER_MB = 1_000_000;

/** Fields of /proc/PID/stat after the name, which may itself hold blanks and brackets. */
function statFields(pid: number): { name: string; fields: string[] } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
    return { name: stat.slice(open + 1, close), fields: stat.slice(close + 2).split(' ') };
  } catch {
    return null;
  }
}

/** Processor time that a process has used so far, user and system, ended threads included. */
export function processorSeconds(pid: number): number | null {
  const stat = statFields(pid);
  if (!stat) return null;
  // utime and stime are fields 14 and 15, counted from 1; the name was the second.
  return (Number(stat.fields[11]) + Number(stat.fields[12])) / TICKS_PER_SECOND;
}

export function residentBytes(pid: number): number | null {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kib === undefined ? null : Number(kib) * BYTES_PER_KIB;
  } catch {
    return null;
  }
}

/** The children of this process that are called `name`. */
export function childrenNamed(name: string): Set<number> {
  const children = new Set<number>();
  let entries: string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return children;
  }
  for (const entry of entries) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = statFields(pid);
    if (stat?.name === name && Number(stat.fields[1]) === process.pid) children.add(pid);
  }
  return children;
}

/** Processor time that all processes of the machine together have used so far, idling and waiting left out. */
export function machineSeconds(): number | null {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    // user, nice, system, idle, iowait, irq, softirq; what comes after is contained in user and nice.
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

/** How many files this process and those that it starts may each have open. */
export function openFilesLimit(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
