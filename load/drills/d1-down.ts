/** The database goes away: first every call fails, then none is ever answered. The conversation has to go on. */
import { join } from 'node:path';
import { ROOT } from '../../src/local/build-worker.ts';
import { monotonicMs } from '../clock.ts';
import { atMost, LoadError } from '../scenario.ts';
import type { Drill, Stage } from './drill.ts';
import { answeredGate, CLAIMS, figuresOf, lostGate, spread, unaffectedGates } from './figures.ts';
import { recovery, timesByPhase, type Wound } from './outcome.ts';

const ENTRY = join(ROOT, 'test/workers/support/faulty-history.ts');
/** What the Worker logs when it could not deliver. */
const LOGGED = 'delivery_failed';
const POLL_MS = 10;
/** Of the fault's time. */
const SHARES = { down: 0.6, silent: 0.4 };

interface Notes {
  /** From the fault to the first line of the log that says so. */
  loggedMs: number | null;
}

export const d1Down = (): Drill => {
  const notes: Notes = { loggedMs: null };
  return {
    name: 'd1-down',
    summary: 'D1 fails every call, then answers none',
    users: 50,
    messagesPerMinute: 1_200,
    seconds: { before: 6, fault: 16, after: 6 },
    server: { entry: ENTRY, variables: { LOG_LEVEL: 'error' } },
    fault: async (stage) => [
      await take(stage, 'down', SHARES.down, notes),
      await take(stage, 'silent', SHARES.silent, notes),
    ],
    judge: (run) => {
      const { before, during } = timesByPhase(run.columns, run.span);
      const back = recovery(run.columns, run.wounds, [], () => true);
      const figure = figuresOf('without D1');
      const { deliveredMs } = run.settled;
      return {
        figures: [
          figure('fault to the first line in the log', 'ms', notes.loggedMs),
          ...spread(figure, 'healed to new acknowledgement', back.acknowledgedHealed),
          figure('healed and everything said: D1 complete after', 'ms', deliveredMs),
        ],
        gates: [
          answeredGate(run),
          ...unaffectedGates('answer', during, before),
          atMost('healed to the next acknowledgement at most, ms', back.acknowledgedHealed.max, CLAIMS.recoveredMs),
          lostGate(run),
          atMost('a failed delivery was logged: no', notes.loggedMs === null ? 1 : 0, 0),
        ],
        notes: [
          'Messages and answers are kept by each session itself; D1 has lists and search, and is caught up with. A session delivers a moment after it fell quiet: the log can say so no sooner.',
        ],
      };
    },
  };
};

async function take(stage: Stage, state: 'down' | 'silent', share: number, notes: Notes): Promise<Wound> {
  const untilAt = monotonicMs() + stage.faultMs * share;
  const known = stage.server.logs.length;
  const at = monotonicMs();
  await setDatabase(stage, state);
  stage.say(`D1 is ${state}`);
  while (monotonicMs() < untilAt) {
    if (notes.loggedMs === null && stage.server.logs.slice(known).some((line) => line.includes(LOGGED))) {
      notes.loggedMs = monotonicMs() - at;
    }
    await stage.wait(POLL_MS);
  }
  await setDatabase(stage, 'up');
  return { name: `D1 ${state}`, at, healedAt: monotonicMs() };
}

async function setDatabase({ server }: Stage, state: 'up' | 'down' | 'silent'): Promise<void> {
  const response = await fetch(`${server.url}/test/d1?state=${state}`, { method: 'POST' });
  if (!response.ok) throw new LoadError('not_finished', `D1 could not be set: ${response.status}`);
}
