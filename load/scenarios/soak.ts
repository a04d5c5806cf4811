/** A long quiet run: what grows that should not? Growth is a straight line through the samples, with its uncertainty. */
import { switchboardBench } from '../lab/bench.ts';
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
import { stretches } from '../measure/stretches.ts';
import { atMost, type Figure, type Gate, type Scenario, type ScenarioResult } from '../scenario.ts';
import { linearFit, meansOf } from '../statistics.ts';

const USERS = 50;
const MESSAGES_PER_USER_PER_MINUTE = 6;
const SECONDS = 7_200;
const REPORT_SECONDS = 60;
const TOKENS = 20;
const TOKEN_MS = 10;
const WARM_UP_SECONDS = 2;
/** Caches fill and code is compiled at first: that is no leak. */
const SETTLING_SHARE = 0.3;
/** In less time an hour's growth cannot be told from noise: it is shown, not judged. */
const MIN_JUDGED_SECONDS = 600;
const MAX_GROWTH_MB_PER_HOUR = 10;
const SECONDS_PER_HOUR = 3_600;
const STRETCHES = 60;
/**
 * A server's memory now is much like that of a second ago: samples are no independent evidence, and a line through all
 * of them would seem to be known far better than it is. The means of so many stretches nearly are.
 */
const MEMORY_MEANS = 20;

export const soak: Scenario = {
  name: 'soak',
  summary: `${USERS} users for 2 hours: what grows`,
  reportSeconds: REPORT_SECONDS,
  run: (options) => Lab.run(options, runSoak),
};

async function runSoak(lab: Lab): Promise<ScenarioResult> {
  const users = lab.options.users ?? USERS;
  const seconds = lab.options.seconds ?? SECONDS;
  const messagesPerMinute = users * MESSAGES_PER_USER_PER_MINUTE;
  const bench = await switchboardBench(lab, {
    model: { tokens: lab.options.tokens ?? TOKENS, tokenMs: TOKEN_MS, tokensPerWrite: 1 },
    users,
    messagesPerSecond: messagesPerMinute / 60,
  });
  await warmUp(bench, { first: users, end: users * 2 }, users * 30, WARM_UP_SECONDS);
  await bench.generators.connect({ first: 0, end: users });
  const phase = await measurePhase(bench, {
    name: 'soak',
    first: 0,
    end: users,
    seconds,
    messagesPerMinute,
    countDelivery: true,
  });
  const settled = await bench.settle();
  const group = `${users} users, ${messagesPerMinute} messages a minute, ${seconds} s`;
  const growth = growthFigures(phase);
  return {
    figures: [...phaseFigures(group, phase), ...growth, ...integrityFigures(CHECKED, settled)],
    gates: [...integrityGates(settled), ...growthGates(growth, seconds), lateGate(phase)],
    notes: [
      `Growth is a line through what came after the first ${SETTLING_SHARE * 100} %, of memory through the means of ${MEMORY_MEANS} stretches; ± is what chance alone explains in 95 of 100 runs.`,
      ...(seconds < MIN_JUDGED_SECONDS
        ? [`${seconds} s are too short to judge an hour's growth: it is not a gate here.`]
        : []),
      ...machineNotes([phase]),
      ...problemNotes(phase),
      ...integrityNotes(settled),
    ],
    charts: phaseCharts(phase),
  };
}

function growthFigures(phase: Phase): Figure[] {
  const from = phase.seconds * SETTLING_SHARE;
  const memory = phase.usage.samples.flatMap(({ atMs, serverBytes }): [number, number][] => {
    return serverBytes === null || atMs < from * 1_000 ? [] : [[atMs / 1_000, serverBytes / 1_000_000]];
  });
  const latency = stretches(phase, STRETCHES).flatMap(({ second, toEnd }): [number, number][] => {
    const p95 = toEnd.percentile(95);
    return p95 === null || second < from ? [] : [[second, p95]];
  });
  const figures = (name: string, unit: string, points: readonly [number, number][]): Figure[] => {
    const fit = linearFit(points);
    const perHour = (value: number | undefined): number | null =>
      value === undefined ? null : value * SECONDS_PER_HOUR;
    const common = { group: 'growth', subject: 'an hour', unit };
    return [
      { ...common, name, value: perHour(fit?.slope) },
      { ...common, name: `${name}, ±`, value: perHour(fit?.slopeError) },
    ];
  };
  return [
    ...figures('server memory', 'MB', meansOf(memory, MEMORY_MEANS)),
    ...figures('ours to the end p95', 'ms', latency),
  ];
}

function growthGates(growth: readonly Figure[], seconds: number): Gate[] {
  const memory = growth.find(({ name }) => name === 'server memory')?.value ?? null;
  if (seconds < MIN_JUDGED_SECONDS || memory === null) return [];
  return [atMost('soak: growth of the server, MB an hour', memory, MAX_GROWTH_MB_PER_HOUR)];
}
