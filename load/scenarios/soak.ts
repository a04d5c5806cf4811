/**
 * A long quiet run: what grows that should not? Growth is a straight line through the samples, with its uncertainty. Of
 * memory the garbage is left out that the runtime would collect some time, and the caches of databases are filled first.
 */
import { switchboardBench } from '../lab/bench.ts';
import type { UserRange } from '../lab/generators.ts';
import { Lab } from '../lab/lab.ts';
import type { SwitchboardServer } from '../lab/servers.ts';
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
import { InUseWatch } from '../measure/in-use.ts';
import { measurePhase, settleDown, speak, warmUp, type Bench, type Phase } from '../measure/phase.ts';
import { stretches } from '../measure/stretches.ts';
import { sumOf } from '../measure/usage.ts';
import { BYTES_PER_MB, residentBytes } from '../processes.ts';
import { atMost, LoadError, type Figure, type Gate, type Scenario, type ScenarioResult } from '../scenario.ts';
import { linearFit } from '../statistics.ts';

const USERS = 50;
const MESSAGES_PER_USER_PER_MINUTE = 6;
const SECONDS = 7_200;
const REPORT_SECONDS = 60;
const TOKENS = 20;
const TOKEN_MS = 10;
const WARM_UP_SECONDS = 2;
/** Code is compiled at first: that is no leak. */
const SETTLING_SHARE = 0.3;
/** In less time an hour's growth cannot be told from noise: it is shown, not judged. */
const MIN_JUDGED_SECONDS = 600;
const MAX_GROWTH_MB_PER_HOUR = 10;
const SECONDS_PER_HOUR = 3_600;
export const IN_USE = 'memory in use';
export const GROWTH_GATE = `soak: growth of the ${IN_USE}, MB an hour`;
const STRETCHES = 60;
/** Between two looks at the memory in use: looking stops the server for a moment. */
const LOOKS = 60;
const MIN_SECONDS_BETWEEN_LOOKS = 10;
/**
 * SQLite keeps up to 2 MB of each database in memory. It takes a session so many turns to have as much, and where growth
 * is judged they are taken before it is measured, as far as there is time for them.
 */
const FILLING_TURNS = 1_100;
const FILLING_RATE = { perUser: 4, most: 120 };
const MAX_FILLING_SECONDS = 600;
const FILLING_DIRECTIVE = 'tokenMs=0';

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
  const isLong = seconds >= MIN_JUDGED_SECONDS;
  const bench = await switchboardBench(lab, {
    model: { tokens: lab.options.tokens ?? TOKENS, tokenMs: TOKEN_MS, tokensPerWrite: 1 },
    users,
    messagesPerSecond: FILLING_RATE.most,
    server: { inspectable: isLong },
  });
  await warmUp(bench, { first: users, end: users * 2 }, users * 30, WARM_UP_SECONDS);
  const all = { first: 0, end: users };
  await bench.generators.connect(all);
  // Of a server elsewhere nobody knows the memory.
  const judged = isLong ? bench.server : null;
  const filling = fillingOf(users);
  if (judged) await fill(bench, all, filling);
  // Looking costs processor time, and what it collects is not in the memory that is shown.
  const watch = judged && (await watchOf(lab, bench, judged, seconds));
  const phase = await measurePhase(bench, {
    name: 'soak',
    ...all,
    seconds,
    messagesPerMinute,
    countDelivery: true,
  });
  const memory = watch?.end() ?? [];
  const settled = await bench.settle();
  const group = `${users} users, ${messagesPerMinute} messages a minute, ${seconds} s`;
  const growth = growthFigures(phase, memory);
  return {
    figures: [...phaseFigures(group, phase), ...growth, ...integrityFigures(CHECKED, settled)],
    gates: [...integrityGates(settled), ...(judged ? growthGates(growth) : []), lateGate(phase)],
    notes: [
      `Growth is a line through what came after the first ${SETTLING_SHARE * 100} %; ± is what chance alone explains in 95 of 100 runs.`,
      ...(judged
        ? [
            'Memory in use is what the server takes soon after its isolates were asked to collect their garbage, the local D1’s among them; that costs some of the processor time and of the answers’.',
            `Before it was measured each user had said ${filling.turns} messages: SQLite keeps up to 2 MB of each database.`,
          ]
        : []),
      ...(isLong ? [] : [`${seconds} s are too short to judge an hour's growth: it is not a gate here.`]),
      ...machineNotes([phase]),
      ...problemNotes(phase),
      ...integrityNotes(settled),
    ],
    charts: phaseCharts(phase),
  };
}

interface Filling {
  /** Of each user. */
  turns: number;
  perSecond: number;
  seconds: number;
}

export function fillingOf(users: number): Filling {
  const perSecond = Math.min(FILLING_RATE.most, users * FILLING_RATE.perUser);
  const seconds = Math.min(MAX_FILLING_SECONDS, Math.ceil((users * FILLING_TURNS) / perSecond));
  return { turns: Math.floor((perSecond * seconds) / users), perSecond, seconds };
}

async function fill(bench: Bench, users: UserRange, { turns, perSecond, seconds }: Filling): Promise<void> {
  bench.lab.progress(`${turns} messages of each user, ${seconds} s: caches of databases fill`);
  await speak(bench, users, perSecond * 60, seconds, FILLING_DIRECTIVE);
  await settleDown(bench.lab);
  const { sent, answered } = bench.tally;
  if (answered < sent)
    throw new LoadError(
      'not_finished',
      `Of ${sent} messages that fill the caches ${sent - answered} were not answered.`,
    );
}

async function watchOf(lab: Lab, bench: Bench, server: SwitchboardServer, seconds: number): Promise<InUseWatch> {
  const isolates = await lab.keep(server.isolates());
  const every = Math.max(MIN_SECONDS_BETWEEN_LOOKS, seconds / LOOKS);
  return new InUseWatch(isolates, () => sumOf(bench.serverPids(), residentBytes), every);
}

function growthFigures(phase: Phase, inUse: readonly (readonly [second: number, bytes: number])[]): Figure[] {
  const from = phase.seconds * SETTLING_SHARE;
  const memory = inUse
    .filter(([second]) => second >= from && second <= phase.seconds)
    .map(([second, bytes]): [number, number] => [second, bytes / BYTES_PER_MB]);
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
  return [...figures(IN_USE, 'MB', memory), ...figures('ours to the end p95', 'ms', latency)];
}

export function growthGates(growth: readonly Figure[]): Gate[] {
  const memory = growth.find(({ name }) => name === IN_USE)?.value ?? Number.NaN;
  return [atMost(GROWTH_GATE, memory, MAX_GROWTH_MB_PER_HOUR)];
}
