/** New code under load: sockets are closed as a deployment closes them, and another process with other code goes on. Then back. */
import { join } from 'node:path';
import * as z from 'zod/mini';
import { ROOT } from '../../src/local/build-worker.ts';
import { monotonicMs } from '../clock.ts';
import { atMost, LoadError } from '../scenario.ts';
import type { Drill, Stage } from './drill.ts';
import { answeredGate, connectionGates, figuresOf } from './figures.ts';
import { liveUsers, type Wound } from './outcome.ts';

const FIRST = join(ROOT, 'test/workers/support/leaving-worker.ts');
const NEXT = join(ROOT, 'test/workers/support/next-worker.ts');
/** Of the fault's time, from the upgrade to the way back: apart far enough that each begins with everybody long live. */
const SHARE = 0.8;

const left = z.object({ closed: z.int() });
const running = z.object({ code: z.string() });

interface Notes {
  closed: number[];
  codes: string[];
}

export const upgrade = (): Drill => {
  const notes: Notes = { closed: [], codes: [] };
  return {
    name: 'upgrade',
    summary: 'other code under load, sockets closed with 4100 and 1012, and back again',
    users: 50,
    messagesPerMinute: 1_200,
    seconds: { before: 6, fault: 16, after: 8 },
    server: { entry: FIRST },
    atRest: ({ server }) => server.prepare(NEXT),
    fault: async (stage) => {
      const startedAt = monotonicMs();
      const there = await replace(stage, NEXT, 'upgrade', notes);
      await stage.wait(Math.max(0, startedAt + stage.faultMs * SHARE - monotonicMs()));
      const back = await replace(stage, FIRST, 'way back', notes);
      await stage.wait(Math.max(0, startedAt + stage.faultMs - monotonicMs()));
      return [there, back];
    },
    judge: (run) => {
      const figure = figuresOf('deployments');
      const untold = run.wounds.map(({ at }, index) => {
        return liveUsers(run.users, run.outages, at) - (notes.closed[index] ?? 0);
      });
      return {
        figures: notes.closed.map((count, index) => {
          return figure(`${run.wounds[index]?.name ?? ''}: sockets closed with a goodbye`, '', count);
        }),
        gates: [
          answeredGate(run),
          ...connectionGates(run),
          // Without a goodbye this is nothing but one more crash.
          atMost('connected users who were told no goodbye', Math.max(0, ...untold), 0),
          atMost('replacements that do not run the new code', notes.codes.join() === 'next,first' ? 0 : 1, 0),
        ],
        notes: [
          'Half of the sockets is closed with 4100, half with 1012; what runs is cut off by the end of its process. Between the two processes nobody answers here for as long as the new one takes to start; a deployment on Cloudflare has no such gap.',
        ],
      };
    },
  };
};

async function replace({ server, say }: Stage, entry: string, name: string, notes: Notes): Promise<Wound> {
  const at = monotonicMs();
  const response = await fetch(`${server.url}/test/leave`, { method: 'POST' });
  if (!response.ok) throw new LoadError('not_finished', `The server did not leave: ${response.status}`);
  const { closed } = left.parse(await response.json());
  say(`${closed} sockets were closed; other code takes over`);
  await server.restart(entry);
  const healedAt = monotonicMs();
  const answer = await fetch(`${server.url}/test/code`);
  notes.closed.push(closed);
  notes.codes.push(running.parse(await answer.json()).code);
  return { name, at, healedAt };
}
