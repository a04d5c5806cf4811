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
  {
    name: 'S28: a name whose look-up was never answered held its turn up for ever',
    job: telling('bots: a name that nobody looks up'),
    bug: 'a name that nobody looks up is waited for',
  },
  {
    name: 'S16: a stop between the loss of leave and the next attempt kept nothing of what its readers had',
    job: telling('bots: a stop after the lease is lost'),
    bug: 'a stop after the leave is lost keeps nothing',
  },
  {
    name: 'S25: a turn that had leave looked its bot up once more, and began when its leave was over',
    job: telling('bots: a slow look-up after the process ended'),
    bug: 'an attempt that has leave is looked up again',
  },
  {
    name: 'S25: a tab whose window was full when the turn began to wait never heard why',
    job: telling('bots: a tab that is behind when the turn waits'),
    bug: 'a queue that did not fit is not sent later',
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
