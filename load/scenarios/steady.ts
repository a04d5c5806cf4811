/** The scenarios of one steady rate: so many users, so many messages a minute, for so long. */
import { switchboardBench } from '../lab/bench.ts';
import { DRAIN_MS } from '../lab/generators.ts';
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
  processorPer1000,
} from '../measure/figures.ts';
import { measurePhase, warmUp, type Bench, type Phase } from '../measure/phase.ts';
import type { TalkTimings } from '../measure/timings.ts';
import { sumOf } from '../measure/usage.ts';
import { residentBytes } from '../processes.ts';
import { SLOW_MODEL, type Ladder } from '../stress/climb.ts';
import { climbAll } from './stress.ts';
import {
  atMost,
  type Figure,
  type Gate,
  type Scenario,
  type ScenarioOptions,
  type ScenarioResult,
} from '../scenario.ts';

interface Steady {
  name: string;
  summary: string;
  users: number;
  messagesPerMinute: number;
  /** By default, and with `--full` as in the reports. */
  seconds: number;
  fullSeconds: number;
  tokens: number;
  /** From token to token; 0: the model at full speed. */
  tokenMs: number;
  /** Bounds of this scenario alone, in ms. */
  bounds: readonly Bound[];
  /** Of the server's processor time for 1,000 answers, in seconds. */
  maxProcessorSeconds?: number;
  /** Measured after it, with a server of its own: the highest rate that this holds. */
  beside?: Ladder;
}

export interface Bound {
  of: 'oursToFirst' | 'oursToEnd' | 'answered';
  percent: number;
  ms: number;
}

/** What the reports ask of every answer, the model included, at 20 tokens. */
const ANSWER_BOUND: Bound = { of: 'answered', percent: 95, ms: 500 };
const OWN_BOUNDS: readonly Bound[] = [
  { of: 'oursToFirst', percent: 50, ms: 5 },
  { of: 'oursToFirst', percent: 99, ms: 50 },
  { of: 'oursToEnd', percent: 99, ms: 80 },
];
const BYTES_PER_MB = 1_000_000;
const PACED = { tokens: 20, tokenMs: 10 };

const STEADY: readonly Steady[] = [
  {
    name: 'smoke',
    summary: '10 users, 100 messages a minute: does it run at all?',
    users: 10,
    messagesPerMinute: 100,
    seconds: 10,
    fullSeconds: 300,
    ...PACED,
    bounds: [{ of: 'oursToEnd', percent: 95, ms: 100 }],
  },
  {
    name: 'baseline',
    summary: '1 user, a message every 10 s',
    users: 1,
    messagesPerMinute: 6,
    seconds: 60,
    fullSeconds: 300,
    ...PACED,
    bounds: [ANSWER_BOUND, ...OWN_BOUNDS],
  },
  {
    name: 'low',
    summary: '10 users, 100 messages a minute',
    users: 10,
    messagesPerMinute: 100,
    seconds: 60,
    fullSeconds: 900,
    ...PACED,
    bounds: [ANSWER_BOUND, ...OWN_BOUNDS],
  },
  {
    name: 'medium',
    summary: '100 users, 1,000 messages a minute',
    users: 100,
    messagesPerMinute: 1_000,
    seconds: 60,
    fullSeconds: 1_800,
    ...PACED,
    bounds: [ANSWER_BOUND, ...OWN_BOUNDS],
  },
  {
    name: 'long-answers',
    summary: '100 users, 1,000 messages a minute, answers of 200 tokens',
    users: 100,
    messagesPerMinute: 1_000,
    seconds: 60,
    fullSeconds: 1_800,
    ...PACED,
    tokens: 200,
    bounds: OWN_BOUNDS,
    maxProcessorSeconds: 6,
  },
  {
    name: 'users-500',
    summary: '500 users, 5,000 messages a minute',
    users: 500,
    messagesPerMinute: 5_000,
    seconds: 60,
    fullSeconds: 1_800,
    ...PACED,
    bounds: [ANSWER_BOUND, ...OWN_BOUNDS],
  },
  {
    name: 'high',
    summary: '1,000 users, 10,000 messages a minute',
    users: 1_000,
    messagesPerMinute: 10_000,
    seconds: 60,
    fullSeconds: 1_800,
    ...PACED,
    bounds: [ANSWER_BOUND, ...OWN_BOUNDS],
  },
  {
    name: 'peak',
    summary: '100 users, 1,000 messages a second for 60 s, the model at full speed',
    users: 100,
    messagesPerMinute: 60_000,
    seconds: 60,
    fullSeconds: 60,
    tokens: 20,
    tokenMs: 0,
    bounds: [{ of: 'oursToEnd', percent: 99, ms: 100 }],
    // So few users, who get one answer after the other, end it themselves: `stress` compares with more.
    beside: { ...SLOW_MODEL, leastOfBare: null },
  },
];

/**
 * Other users talk first, at the rate that is to be measured within these bounds: a runtime compiles what runs often,
 * and a server that just started is measured by `spike` and the drills.
 */
const WARM_UP_SECONDS = 5;
const WARM_UP_USERS = { min: 10, max: 100 };
const WARM_UP_PER_MINUTE = { min: 1_200, max: 30_000 };

export const steadyScenarios: readonly Scenario[] = STEADY.map((steady) => ({
  name: steady.name,
  summary: steady.summary,
  run: (options) => Lab.run(options, (lab) => runBoth(lab, steady)),
}));

function within({ min, max }: { min: number; max: number }, value: number): number {
  return Math.min(max, Math.max(min, value));
}

async function runBoth(lab: Lab, steady: Steady): Promise<ScenarioResult> {
  const result = await runSteady(lab, steady);
  if (!steady.beside) return result;
  if (lab.options.url) {
    const skipped = `Not run against --url: the highest rate that is held, with the ${steady.beside.name}; it takes the lab’s own model.`;
    return { ...result, notes: [...result.notes, skipped] };
  }
  const { users, seconds } = planOf(steady, lab.options);
  const beside = await climbAll(lab, [steady.beside], users, seconds);
  return {
    figures: [...result.figures, ...beside.figures],
    gates: [...result.gates, ...beside.gates.map((gate) => ({ ...gate, name: `beside it: ${gate.name}` }))],
    notes: [...result.notes, ...beside.notes.map((note) => `Beside it: ${note}`)],
    charts: [...(result.charts ?? []), ...(beside.charts ?? [])],
  };
}

async function runSteady(lab: Lab, steady: Steady): Promise<ScenarioResult> {
  const plan = planOf(steady, lab.options);
  const { tokens, users, messagesPerMinute } = plan;
  const bench = await switchboardBench(lab, {
    model: { tokens, tokenMs: steady.tokenMs, tokensPerWrite: 1 },
    users,
    messagesPerSecond: messagesPerMinute / 60,
  });
  const first = { first: users, end: users + within(WARM_UP_USERS, users) };
  await warmUp(bench, first, within(WARM_UP_PER_MINUTE, messagesPerMinute), WARM_UP_SECONDS);
  lab.progress(`connecting ${users} users`);
  await bench.generators.connect({ first: 0, end: users });
  const phase = await measurePhase(bench, {
    name: steady.name,
    first: 0,
    end: users,
    seconds: plan.seconds,
    messagesPerMinute,
    countDelivery: true,
  });
  const group = `${users} users, ${messagesPerMinute} messages a minute, ${plan.seconds} s`;
  const quiet = quietFigure(group, steady, bench);
  const settled = await bench.settle();
  return {
    figures: [...phaseFigures(group, phase), quiet, ...integrityFigures(CHECKED, settled)],
    gates: [
      ...integrityGates(settled),
      ...boundGates(steady, phase.timings, bench.model !== null),
      ...processorGates(steady, phase),
      lateGate(phase),
    ],
    notes: [
      'All times count from when the message was to be sent, which the generator kept to as shown.',
      `The gates on messages count all that were said, warming up included, as they stood when everything was over; figures are of the time measured, and of answers that came until ${DRAIN_MS / 1_000} s after it.`,
      ...(bench.server
        ? [modelNote(tokens, steady.tokenMs), `State is kept in ${lab.state.path}.`]
        : [
            'The server runs elsewhere: what is its, the model’s and the network’s is not told apart. Bounds on the part that is ours are no gates here; one on the whole answer has that server’s model in it.',
          ]),
      ...machineNotes([phase]),
      ...problemNotes(phase),
      ...integrityNotes(settled),
    ],
    charts: phaseCharts(phase),
  };
}

/** Everything is delivered, nobody speaks: what the server has given back by now. */
function quietFigure(group: string, { name: subject }: Steady, { serverPids }: Bench): Figure {
  const bytes = sumOf(serverPids(), residentBytes);
  const value = bytes === null ? null : bytes / BYTES_PER_MB;
  return { group, subject, name: 'server memory when quiet again', unit: 'MB', value };
}

function processorGates({ name, maxProcessorSeconds }: Steady, phase: Phase): Gate[] {
  const seconds = processorPer1000(phase);
  if (maxProcessorSeconds === undefined || seconds === null) return [];
  return [atMost(`${name}: server processor per 1,000 answers, s`, seconds, maxProcessorSeconds)];
}

/** The rate grows and shrinks with the users. */
function planOf(steady: Steady, options: ScenarioOptions) {
  const users = options.users ?? steady.users;
  return {
    users,
    messagesPerMinute: (steady.messagesPerMinute * users) / steady.users,
    seconds: options.seconds ?? (options.full ? steady.fullSeconds : steady.seconds),
    tokens: options.tokens ?? steady.tokens,
  };
}

function modelNote(tokens: number, tokenMs: number): string {
  const pace = tokenMs === 0 ? 'at full speed, each in a write of its own' : `${tokenMs} ms each`;
  return `The model answers with ${tokens} tokens, ${pace}.`;
}

/**
 * @param isOwnModel only the lab's own model says what part of an answer was its: without it nobody knows ours, and a
 * bound on it could only be missed. With it, a bound on what was not measured is.
 */
export function boundGates(
  { bounds, name }: { bounds: readonly Bound[]; name: string },
  timings: Pick<TalkTimings, Bound['of']>,
  isOwnModel: boolean,
): Gate[] {
  const names = { oursToFirst: 'ours to the first token', oursToEnd: 'ours to the end', answered: 'answer' };
  const known = bounds.filter(({ of }) => isOwnModel || of === 'answered');
  return known.map(({ of, percent, ms }) =>
    atMost(`${name}: ${names[of]} p${percent}, ms`, timings[of].percentile(percent) ?? Number.NaN, ms),
  );
}
