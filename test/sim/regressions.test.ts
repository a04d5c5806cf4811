/**
 * Runs that once failed, kept under a name. A seed means what it meant as long as the simulator chooses
 * as it did; so what a seed has shown is also kept as the scenario that shows it.
 */
import { afterAll, expect, test } from 'vitest';
import { ask, startWorker } from './pool.ts';
import type { Job } from './worker.ts';

const TIMEOUT_MS = 30_000;

const KEPT: { name: string; job: Job }[] = [
  {
    name: 'S22: an alarm whose handler failed seven times was dropped, and the deletion never ended',
    job: { kind: 'telling', name: 'new: removal while the storage fails', crashAt: [] },
  },
  {
    name: 'S22: the same after a crash in the middle of the deletion',
    job: { kind: 'telling', name: 'new: removal while the storage fails', crashAt: [8] },
  },
  {
    name: 'who waits for an answer over HTTP looked into the log of a session that was deleted meanwhile',
    job: { kind: 'telling', name: 'answering: removal while somebody waits', crashAt: [] },
  },
  {
    name: 'S22: a process that came after a deletion took sockets for open that were closing, and answered who wrote there',
    job: { kind: 'telling', name: 'answered: a message to a deleted session', crashAt: [] },
  },
  { name: 'the same, by chance, in a run of two sessions', job: { kind: 'seeds', from: 583, count: 1 } },
  {
    name: 'S22: a deletion while a change waited for D1 left an endless loop behind',
    job: { kind: 'telling', name: 'answered: removal while D1 is slow', crashAt: [] },
  },
  { name: 'the same loop, by chance', job: { kind: 'seeds', from: 3_092, count: 1 } },
  { name: 'the same, by chance', job: { kind: 'seeds', from: 5_690, count: 1 } },
  {
    name: 'a process that ended while it sent read the log of its successor for ever',
    job: { kind: 'seeds', from: 137, count: 1 },
  },
];

const worker = startWorker();
afterAll(() => void worker.kill());

for (const { name, job } of KEPT) {
  test(
    name,
    async () => {
      const result = await ask(worker, job, TIMEOUT_MS);
      if ('error' in result) throw new Error(result.error);
      expect(result.total.violations).toEqual([]);
      expect(result.total.runs).toBe(1);
    },
    TIMEOUT_MS,
  );
}
