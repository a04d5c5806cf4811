/** From 10 users to 200 at once: how the newcomers are let in, how all are served, and what is left of it afterwards. */
import { Latencies } from '../histogram.ts';
import { switchboardBench, type SwitchboardBench } from '../lab/bench.ts';
import { Lab } from '../lab/lab.ts';
import {
  CHECKED,
  integrityFigures,
  integrityGates,
  integrityNotes,
  lateGate,
  machineNotes,
  phaseCharts,
  phaseFigures,
  problemNotes,
} from '../measure/figures.ts';
import { measurePhase, warmUp, type Phase } from '../measure/phase.ts';
import { atMost, type Figure, type Gate, type Scenario, type ScenarioResult } from '../scenario.ts';

const RESIDENTS = 10;
const CROWD = 200;
const MESSAGES_PER_USER_PER_MINUTE = 12;
const SECONDS = 30;
const FULL_SECONDS = 600;
/** Of the whole time: before, while all talk, after. */
const SHARES = { before: 0.25, during: 0.5, after: 0.25 };
/** Within this time every user of the crowd says something. */
const BURST_SECONDS = 1;
const TOKENS = 20;
const TOKEN_MS = 10;
const WARM_UP_SECONDS = 2;
const MAX_OURS_P95_MS = 100;

export const spike: Scenario = {
  name: 'spike',
  summary: `${RESIDENTS} users, then ${CROWD} at once, then ${RESIDENTS} again`,
  run: (options) => Lab.run(options, runSpike),
};

async function runSpike(lab: Lab): Promise<ScenarioResult> {
  const { full, users } = lab.options;
  const seconds = lab.options.seconds ?? (full ? FULL_SECONDS : SECONDS);
  const crowd = Math.max(RESIDENTS + 1, users ?? CROWD);
  const bench = await switchboardBench(lab, {
    model: { tokens: lab.options.tokens ?? TOKENS, tokenMs: TOKEN_MS, tokensPerWrite: 1 },
    users: crowd,
    messagesPerSecond: crowd / BURST_SECONDS,
  });
  await warmUp(bench, { first: crowd, end: crowd + RESIDENTS }, RESIDENTS * 60, WARM_UP_SECONDS);
  await bench.generators.connect({ first: 0, end: RESIDENTS });
  const talk = (name: string, end: number, share: number): Promise<Phase> => {
    const messagesPerMinute = end * MESSAGES_PER_USER_PER_MINUTE;
    return measurePhase(bench, { name, first: 0, end, seconds: seconds * share, messagesPerMinute });
  };
  const before = await talk('before', RESIDENTS, SHARES.before);
  const { joined, tookMs } = await joinAtOnce(bench, crowd);
  const burst = await measurePhase(bench, {
    name: 'burst',
    first: 0,
    end: crowd,
    seconds: BURST_SECONDS,
    messagesPerMinute: (crowd * 60) / BURST_SECONDS,
  });
  const during = await talk('all talk', crowd, SHARES.during);
  await bench.generators.close({ first: RESIDENTS, end: crowd });
  const after = await talk('after', RESIDENTS, SHARES.after);
  const settled = await bench.settle();
  const phases = [before, burst, during, after];
  const group = `${RESIDENTS} users, then ${crowd}`;
  return {
    figures: [
      ...phases.flatMap((phase) => phaseFigures(group, phase)),
      ...joinFigures(joined, crowd - RESIDENTS, tookMs),
      ...integrityFigures(CHECKED, settled),
    ],
    gates: [
      atMost('users that could not join', crowd - RESIDENTS - joined.count, 0),
      ...integrityGates(settled),
      // Only the lab's own model says what part of an answer was its: of a server elsewhere nobody knows ours.
      ...(bench.model ? phases.map(oursGate) : []),
      ...phases.map(lateGate),
    ],
    notes: [
      `In the burst every user says something within ${BURST_SECONDS} s; otherwise every ${60 / MESSAGES_PER_USER_PER_MINUTE} s.`,
      ...(bench.model ? [] : ['The server has a model of its own: bounds on the part that is ours are no gates here.']),
      ...machineNotes(phases),
      ...phases.flatMap(problemNotes),
      ...integrityNotes(settled),
    ],
    charts: [...phaseCharts(burst), ...phaseCharts(during)],
  };
}

function oursGate({ name, timings }: Phase): Gate {
  const p95 = timings.oursToEnd.percentile(95) ?? Number.NaN;
  return atMost(`${name}: ours to the end p95, ms`, p95, MAX_OURS_P95_MS);
}

/** Everybody makes a session and connects to it in the same moment. */
async function joinAtOnce(bench: SwitchboardBench, crowd: number): Promise<{ joined: Latencies; tookMs: number }> {
  bench.lab.progress(`${crowd - RESIDENTS} users join at once`);
  const startedAt = performance.now();
  const range = { first: RESIDENTS, end: crowd };
  const { ms } = await bench.generators.connect(range, { atOnce: crowd, mayFail: true });
  return { joined: Latencies.of(ms), tookMs: performance.now() - startedAt };
}

function joinFigures(joined: Latencies, asked: number, tookMs: number): Figure[] {
  const figure = (name: string, unit: string, value: number | null): Figure => {
    return { group: 'joining at once', subject: 'newcomers', name, unit, value };
  };
  return [
    figure('users', '', asked),
    figure('joined', '', joined.count),
    figure('session made and live p50', 'ms', joined.percentile(50)),
    figure('session made and live p99', 'ms', joined.percentile(99)),
    figure('all of them live after', 'ms', tookMs),
  ];
}
