/** Connections break at random: reset, as by a proxy that restarts, and then silently, as by a router that forgot them. */
import { seeded } from '../../test/support/random.ts';
import { monotonicMs } from '../clock.ts';
import { atMost } from '../scenario.ts';
import type { Drill, DrillRun, Stage } from './drill.ts';
import { answeredGate, CLAIMS, figuresOf, lostGate, spread } from './figures.ts';
import { Latencies } from '../histogram.ts';
import { losses, recovery, type Wound } from './outcome.ts';

const SHARE = 0.1;
const WAVES = 5;
const SEED = 7;
const RESET = 'reset';
const SILENT = 'silent';
/** From ping to ping, and the time in which one is to be answered: src/protocol/limits.ts. */
const MAX_SILENT_SEEN_MS = 10_000;
/** Of the fault's time, for the resets; what is left is for the silence to be noticed. */
const RESET_SHARE = 0.5;

/** How many connections the drill cut, by how. */
interface Cut {
  [RESET]: number;
  [SILENT]: number;
}

export const drops = (): Drill => {
  const cut: Cut = { [RESET]: 0, [SILENT]: 0 };
  return {
    name: 'drops',
    summary: `${SHARE * 100} % of the connections cut at random, ${WAVES} times with a reset and once silently`,
    users: 60,
    messagesPerMinute: 1_440,
    seconds: { before: 6, fault: 24, after: 6 },
    front: true,
    fault: (stage) => cutAtRandom(stage, cut),
    isOther: (user, { outages }) => !outages.some((outage) => outage.user === user),
    judge: (run) => judge(run, cut),
  };
};

async function cutAtRandom(stage: Stage, cut: Cut): Promise<Wound[]> {
  const random = seeded(SEED);
  const wounds: Wound[] = [];
  const chosen = (): boolean => random.next() < SHARE;
  for (let wave = 1; wave <= WAVES; wave += 1) {
    const at = monotonicMs();
    const count = stage.front?.reset(chosen) ?? 0;
    cut[RESET] += count;
    stage.say(`${count} connections reset`);
    wounds.push({ name: RESET, at, healedAt: at });
    await stage.wait((stage.faultMs * RESET_SHARE) / WAVES);
  }
  const at = monotonicMs();
  const count = stage.front?.strand(chosen) ?? 0;
  cut[SILENT] += count;
  stage.say(`${count} connections are dead, and nobody was told`);
  wounds.push({ name: SILENT, at, healedAt: at });
  await stage.wait(stage.faultMs * (1 - RESET_SHARE));
  return wounds;
}

function judge(run: DrillRun, cut: Cut) {
  const figures = [];
  // Others are those who lost nothing: without this a server could close theirs, too, and they would be none.
  const gates = [answeredGate(run), lostGate(run, cut[RESET] + cut[SILENT])];
  for (const [name, seenMs] of [
    [RESET, CLAIMS.seenMs],
    [SILENT, MAX_SILENT_SEEN_MS],
  ] as const) {
    const wounds = run.wounds.filter((wound) => wound.name === name);
    const lost = losses(run.wounds, run.outages).filter(({ wound }) => wound.name === name);
    const seen = Latencies.of(lost.map(({ lostAt, wound }) => lostAt - wound.at));
    // Who has not noticed yet has not recovered either: for a silent end it counts from when it was seen.
    const live = Latencies.of(lost.map(({ lostAt, liveAt }) => liveAt - lostAt));
    const back = recovery(run.columns, run.wounds, lost, null);
    const figure = figuresOf('by how they broke', name);
    figures.push(
      figure('times', '', wounds.length),
      figure('connections cut', '', cut[name]),
      figure('connections lost', '', lost.length),
      ...spread(figure, 'seen by the client', seen),
      ...spread(figure, 'seen to live again', live),
      ...spread(figure, 'fault to new acknowledgement', back.acknowledged),
    );
    gates.push(
      atMost(`${name}: seen by the client after at most, ms`, seen.max, seenMs),
      atMost(`${name}: seen to live again at most, ms`, live.max, CLAIMS.recoveredMs),
      atMost(`${name}: never live again`, lost.filter(({ liveAt }) => Number.isNaN(liveAt)).length, 0),
    );
  }
  return {
    figures,
    gates,
    notes: [
      'The reports claim 2 s for connections that are dropped. One that ends is seen within it; one that only falls silent is not: a ping without an answer shows it, within 10 s, and what is sent meanwhile waits for it.',
    ],
  };
}
