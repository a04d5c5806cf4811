/**
 * The server's memory is held: to 256 MB above what it needs at rest, then to less and less, in the
 * end to less than it has. What is held is what the process may still write to (RLIMIT_DATA): its heaps,
 * buffers and stacks, touched or not, so never less than what it would hold resident. Unlike a
 * control group this takes no privileges, and the limit is met as a failed allocation, where a
 * control group would kill.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { monotonicMs } from '../clock.ts';
import { BYTES_PER_MB, residentBytes } from '../processes.ts';
import { atMost, LoadError } from '../scenario.ts';
import type { Drill, DrillRun, Stage, Verdict } from './drill.ts';
import { answeredGate, CLAIMS, figuresOf, spread } from './figures.ts';
import { losses, recovery, type Wound } from './outcome.ts';

const CLAIMED_MB = 256;
/** How figures name it. */
export const CLAIMED = `${CLAIMED_MB} MB`;
/** What it may still take, beyond what it has by then: less and less; in the end it has more than it may. */
const LEFT_MB = [64, 32, 16, 8, 4, 2, 0, -16];
const BYTES_PER_KIB = 1_024;
/** Of the fault's time, for what is claimed; the steps share the rest. */
const CLAIMED_SHARE = 0.45;
const POLL_MS = 50;
const run = promisify(execFile);

interface Held {
  name: string;
  /** Above the resting size. */
  limitBytes: number;
  survived: boolean;
  /** The last look at which it lived. */
  livedAt: number;
  /** Above the resting size, at most while it was held so. */
  writableBytes: number;
  residentBytes: number;
}

interface Notes {
  restWritable: number;
  restResident: number;
  held: Held[];
}

export const memory = (): Drill => {
  const notes: Notes = { restWritable: 0, restResident: 0, held: [] };
  return {
    name: 'memory',
    summary: `the server held to ${CLAIMED_MB} MB above its resting size, then to as little as it bears`,
    users: 100,
    messagesPerMinute: 1_800,
    seconds: { before: 5, fault: 26, after: 7 },
    atRest: async ({ server }) => {
      notes.restWritable = writableBytes(pidOf(server));
      notes.restResident = residentBytes(pidOf(server)) ?? 0;
    },
    fault: (stage) => holdTighter(stage, notes),
    judge: (drillRun) => judge(drillRun, notes),
  };
};

async function holdTighter(stage: Stage, notes: Notes): Promise<Wound[]> {
  const wounds: Wound[] = [];
  const stepMs = (stage.faultMs * (1 - CLAIMED_SHARE)) / LEFT_MB.length;
  for (const leftMb of [null, ...LEFT_MB]) {
    const at = monotonicMs();
    const held = await hold(stage, leftMb, leftMb === null ? stage.faultMs * CLAIMED_SHARE : stepMs, notes);
    notes.held.push(held);
    // It may have died since it was looked at last: then there is nothing to lift.
    held.survived &&= await limit(pidOf(stage.server), 'unlimited');
    if (!held.survived) {
      stage.say('it died of it, and is started again');
      await stage.server.restart();
      // Users see their connections end before the lab looks again: from then on is too late for them.
      return [...wounds, { name: `died, ${held.name}`, at: held.livedAt, healedAt: monotonicMs() }];
    }
    wounds.push({ name: held.name, at, healedAt: monotonicMs() });
  }
  return wounds;
}

/** @param leftMb above what it has now; null: what is claimed, above its resting size */
async function hold(stage: Stage, leftMb: number | null, forMs: number, notes: Notes): Promise<Held> {
  const pid = pidOf(stage.server);
  // Before it is held: it may die of that at once.
  const livedAt = monotonicMs();
  const { restWritable, restResident } = notes;
  const limitBytes =
    leftMb === null ? CLAIMED_MB * BYTES_PER_MB : writableBytes(pid) - restWritable + leftMb * BYTES_PER_MB;
  const name = leftMb === null ? CLAIMED : `${leftMb} MB left`;
  stage.say(`held to ${Math.round(limitBytes / BYTES_PER_MB)} MB above its resting size (${name})`);
  await limit(pid, String(restWritable + limitBytes));
  const held: Held = { name, limitBytes, survived: true, livedAt, writableBytes: 0, residentBytes: 0 };
  const untilAt = monotonicMs() + forMs;
  while (monotonicMs() < untilAt) {
    const lookedAt = monotonicMs();
    const resident = residentBytes(pid);
    if (resident === null) return { ...held, survived: false };
    held.livedAt = lookedAt;
    held.writableBytes = Math.max(held.writableBytes, writableBytes(pid) - restWritable);
    held.residentBytes = Math.max(held.residentBytes, resident - restResident);
    await stage.wait(POLL_MS);
  }
  return held;
}

/** Only the soft limit, so that it can be lifted again. False: there is no such process any more. */
async function limit(pid: number, bytes: string): Promise<boolean> {
  try {
    await run('prlimit', ['--pid', String(pid), `--data=${bytes}:`]);
    return true;
  } catch {
    if (residentBytes(pid) === null) return false;
    throw new LoadError(
      'usage',
      'The memory of a process can only be held where there is `prlimit` (Linux, util-linux).',
    );
  }
}

/** Private memory that the process may write to, whether it has or not: what RLIMIT_DATA counts. */
function writableBytes(pid: number): number {
  const [, kib = '0'] = /^VmData:\s+(\d+) kB$/m.exec(statusOf(pid)) ?? [];
  return Number(kib) * BYTES_PER_KIB;
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

function pidOf({ pid }: Stage['server']): number {
  if (pid === null) throw new LoadError('usage', 'The server’s process cannot be found here: drills need Linux.');
  return pid;
}

function judge(drillRun: DrillRun, { restWritable, restResident, held }: Notes): Verdict {
  const { wounds, outages, columns } = drillRun;
  const [claimed] = held;
  const least = held.filter(({ survived }) => survived).map(({ limitBytes }) => limitBytes / BYTES_PER_MB);
  const died = wounds.filter(({ name }) => name.startsWith('died'));
  const back = recovery(columns, died, losses(wounds, outages), null);
  const lostWhileHeld = outages.filter(({ lostAt }) => lostAt < (died[0]?.at ?? Infinity)).length;
  const figure = figuresOf('at rest');
  return {
    figures: [
      figure('resident', 'MB', restResident / BYTES_PER_MB),
      figure('may write to', 'MB', restWritable / BYTES_PER_MB),
      figure('least above rest that it bore', 'MB', least.length === 0 ? null : Math.min(...least)),
      ...held.flatMap((each) => {
        const own = figuresOf('held, by what it was left', each.name);
        return [
          own('lived', '1: yes', each.survived ? 1 : 0),
          own('limit above rest', 'MB', each.limitBytes / BYTES_PER_MB),
          own('grown, may write to', 'MB', each.writableBytes / BYTES_PER_MB),
          own('grown, resident', 'MB', each.residentBytes / BYTES_PER_MB),
        ];
      }),
      ...(died.length > 0 ? spread(figure, 'death to new acknowledgement', back.acknowledged) : []),
    ],
    gates: [
      atMost(`lived at +${CLAIMED_MB} MB: no`, claimed?.survived ? 0 : 1, 0),
      atMost('connections lost while it lived', lostWhileHeld, 0),
      answeredGate(drillRun),
      ...(died.length > 0
        ? [
            atMost(
              'healed to the next new acknowledgement at most, ms',
              back.acknowledgedHealed.max,
              CLAIMS.recoveredMs,
            ),
          ]
        : []),
    ],
    notes: [
      'Held is what the runtime’s process may write to (RLIMIT_DATA); files that it maps, its code and the kernel’s socket buffers are not in it, nor is the Node process beside it, which does not run in a deployment.',
      'After the claim it is left less and less beyond what it has by then; the runtime ends itself when it is refused memory, and is started again.',
    ],
  };
}
