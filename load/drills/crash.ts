/** The server's process is killed under load, several times, without any warning to it or to anybody. */
import { monotonicMs } from '../clock.ts';
import { LoadError } from '../scenario.ts';
import type { Drill, Stage } from './drill.ts';
import { answeredGate, connectionGates } from './figures.ts';
import type { Wound } from './outcome.ts';

const KILLS = 3;
/** Left of the fault's time for the last kill, and for everybody to come back. */
const LAST_MS = 3_000;

export const crash = (): Drill => ({
  name: 'crash',
  summary: `the server killed (SIGKILL) ${KILLS} times under load`,
  users: 50,
  messagesPerMinute: 1_200,
  // Apart far enough that every user is long live again: a client that loses one connection after the other waits longer.
  seconds: { before: 5, fault: 28, after: 7 },
  fault: killRepeatedly,
  judge: (run) => ({
    gates: [answeredGate(run), ...connectionGates(run)],
    notes: [
      'Everybody was hit: the effect during the fault is that of the crashes themselves, restart included.',
      'A fault ends when the new process answers. Starting it is this machine’s work; on Cloudflare it is the platform’s.',
    ],
  }),
});

async function killRepeatedly(stage: Stage): Promise<Wound[]> {
  const wounds: Wound[] = [];
  const startedAt = monotonicMs();
  const everyMs = Math.max(0, stage.faultMs - LAST_MS) / (KILLS - 1);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const waitMs = startedAt + kill * everyMs - monotonicMs();
    if (waitMs > 0) await stage.wait(waitMs);
    stage.say(`SIGKILL ${kill + 1} of ${KILLS}`);
    wounds.push(await killOnce(stage.server, `SIGKILL ${kill + 1}`));
  }
  const restMs = startedAt + stage.faultMs - monotonicMs();
  if (restMs > 0) await stage.wait(restMs);
  return wounds;
}

async function killOnce(server: Stage['server'], name: string): Promise<Wound> {
  if (server.pid === null)
    throw new LoadError('usage', 'The server’s process cannot be found here: drills need Linux.');
  const at = monotonicMs();
  process.kill(server.pid, 'SIGKILL');
  await server.restart();
  return { name, at, healedAt: monotonicMs() };
}
