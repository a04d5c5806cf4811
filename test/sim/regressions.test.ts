/**
 * Runs that once failed, kept under a name, each as the scenario that shows it: a seed means what it meant
 * only as long as the simulator chooses as it did. What was wrong is a planted bug by now, with
 * which the run must fail again: none is kept for nothing.
 */
import { afterAll, expect, test } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { ask, startWorker } from './pool.ts';
import type { Job } from './worker.ts';

const TIMEOUT_MS = 60_000;

interface Kept {
  name: string;
  job: Job;
  /** The planted bug that is the mistake of then. */
  bug: string;
}

const telling = (name: string, ...crashAt: number[]): Job => ({ kind: 'telling', name, crashAt });

const KEPT: Kept[] = [
  {
    name: 'S22: an alarm whose handler failed seven times was dropped, and the deletion never ended',
    job: telling('new: removal while the storage fails'),
    bug: 'a failed alarm is left to the platform',
  },
  {
    name: 'S22: the same after a crash in the middle of the deletion',
    job: telling('new: removal while the storage fails', 8),
    bug: 'a failed alarm is left to the platform',
  },
  {
    name: 'who waits for an answer over HTTP looked into the log of a session that was deleted meanwhile',
    job: telling('answering: removal while somebody waits'),
    bug: 'who waits for an answer looks into a log that was deleted',
  },
  {
    name: 'S22: a process that came after a deletion took closing sockets for open ones, and answered who wrote there',
    job: telling('answered: a message to a deleted session'),
    bug: 'closing sockets of a deleted session are taken for open ones',
  },
  {
    name: 'S22: a deletion while a change waited for D1 left an endless loop behind',
    job: telling('answered: removal while D1 is slow'),
    bug: 'a deletion meanwhile is waited for, for ever',
  },
];

const worker = startWorker();
afterAll(() => void worker.kill());

test.each(KEPT)(
  '$name',
  async ({ job, bug }) => {
    const result = await ask(worker, job);
    if ('error' in result) throw new Error(result.error);
    expect(result.total.violations).toEqual([]);
    expect(result.total.runs).toBe(1);
    expect(await failsWith(bug, job)).toBe(true);
  },
  TIMEOUT_MS,
);

async function failsWith(bug: string, job: Job): Promise<boolean> {
  const mutant = MUTANTS.find(({ name }) => name === bug);
  if (!mutant) throw new Error(`there is no planted bug ${bug}`);
  const spoiled = startWorker(mutant.patches);
  try {
    const result = await ask(spoiled, job);
    return 'error' in result || result.total.violations.length > 0;
  } finally {
    spoiled.kill('SIGKILL');
  }
}
