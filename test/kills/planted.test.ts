/** The kill tests can fail: Workers with one bug each, killed a few times, are found out. */
import { expect, test } from 'vitest';
import { seedFromEnvironment } from '../support/random.ts';
import type { Failpoint } from './failpoints.ts';
import { runKills } from './run.ts';

const SEED = seedFromEnvironment(5);
const KILLS = 24;
/** After the last of them a conversation is left to itself. */
const KILLS_UNTIL_LEFT_ALONE = 60;
/** What a planted bug keeps from ending does not end in a minute either. */
const DRAIN_TIMEOUT_MS = 3_000;
const TIMEOUT_MS = 300_000;

interface Planted {
  bug: string;
  worker: string;
  rule: string;
  /** What the account must show too. */
  damage?: 'lost' | 'doubled';
  failpoints?: Failpoint[];
  kills?: number;
}

const PLANTED: Planted[] = [
  { bug: 'acknowledged before it is written', worker: 'early-ack-worker.ts', rule: 'S1', damage: 'lost' },
  {
    bug: 'taken for new when it comes again',
    worker: 'no-dedupe-worker.ts',
    rule: 'S2',
    damage: 'doubled',
    failpoints: ['message.committed'],
  },
  { bug: 'noted as delivered before it is', worker: 'early-note-worker.ts', rule: 'S19' },
  {
    bug: 'without an alarm',
    worker: 'no-alarm-worker.ts',
    rule: 'S18',
    // Only who is left alone with an open turn needs one, and what was not acknowledged is sent again.
    failpoints: ['model.answered'],
    kills: KILLS_UNTIL_LEFT_ALONE,
  },
  { bug: 'with an alarm that is put off at every start', worker: 'late-alarm-worker.ts', rule: 'S18' },
];

test.concurrent.for(PLANTED)(
  '$bug: found out ($rule)',
  { timeout: TIMEOUT_MS },
  async ({ worker, rule, damage, failpoints, kills = KILLS }, { onTestFinished }) => {
    const { violations, account } = await runKills({
      seed: SEED,
      kills,
      lanes: 1,
      worker,
      ...(failpoints ? { failpoints } : {}),
      ownLastLife: true,
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
      onFinished: onTestFinished,
    });
    const found = violations.filter((violation) => violation.rule === rule);
    console.log(
      `${worker}: ${found.length} of ${violations.length} violations are of ${rule}, ${account.lost.length} lost, ${account.doubled.length} doubled; ${found[0]?.detail}`,
    );
    expect(found).not.toEqual([]);
    if (damage) expect(account[damage]).not.toEqual([]);
  },
);
