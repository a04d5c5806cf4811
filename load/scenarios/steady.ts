/** The scenarios of one steady rate: so many users, so many messages a minute, for so long. */
import { bareBench, switchboardBench } from '../lab/bench.ts';
import { DRAIN_MS } from '../lab/generators.ts';
import { Lab } from '../lab/lab.ts';
import {
  CHECKED,
  integrityFigures,
  integrityGates,
  integrityNotes,
  isTelling,
  lateGate,
  machineNotes,
  phaseCharts,
  phaseFigures,
  problemNotes,
  PROCESSOR,
  processorPer1000,
} from '../measure/figures.ts';
import { measurePhase, warmUp, type Bench, type Phase } from '../measure/phase.ts';
import type { TalkTimings } from '../measure/timings.ts';
import { sumOf } from '../measure/usage.ts';
import { BARE_EACH, BARE_PACED } from '../peers/subjects.ts';
import { BYTES_PER_MB, residentBytes } from '../processes.ts';
import { BOUND_NAMES, STEADY, type Bound, type Steady } from '../steady/rates.ts';
import { climbAll } from './stress.ts';
import {
  atMost,
  type Figure,
  type Gate,
  type Scenario,
  type ScenarioOptions,
  type ScenarioResult,
} from '../scenario.ts';

const BARE = [
  [BARE_EACH, 'each'],
  [BARE_PACED, 'paced'],
] as const;
/** What is shown of them. */
const BESIDE: readonly string[] = [
  'ours to the first token p50',
  'ours to the first token p99',
  'ours to the end p99',
  PROCESSOR,
];
/** As long as Switchboard, whose first messages cost more than later ones; no longer than this. */
const MAX_BARE_SECONDS = 60;

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
  const loaded = {
    model: { tokens, tokenMs: steady.tokenMs, tokensPerWrite: 1 },
    users,
    messagesPerSecond: messagesPerMinute / 60,
  };
  const bench = await switchboardBench(lab, loaded);
  const phase = await measure(bench, steady.name, plan);
  const group = `${users} users, ${messagesPerMinute} messages a minute, ${plan.seconds} s`;
  const quiet = quietFigure(group, steady, bench);
  const settled = await bench.settle();
  const bare: Phase[] = [];
  const bareSeconds = Math.min(MAX_BARE_SECONDS, plan.seconds);
  if (steady.besideBare && bench.server) {
    for (const [subject, mode] of BARE) {
      const theirs = await bareBench(lab, loaded, mode);
      bare.push(await measure(theirs, subject, { ...plan, seconds: bareSeconds }));
      await lab.end(theirs.generators);
    }
  }
  return {
    figures: [
      ...phaseFigures(group, phase),
      quiet,
      ...bare.flatMap((theirs) => bareFigures(group, theirs)),
      ...integrityFigures(CHECKED, settled),
    ],
    gates: [
      ...integrityGates(settled),
      ...boundGates(steady, phase.timings, bench.model !== null),
      ...processorGates(steady, phase, bench.server !== null),
      lateGate(phase),
    ],
    notes: [
      'All times count from when the message was to be sent, which the generator kept to as shown.',
      `The gates on messages count all that were said, warming up included, as they stood when everything was over; figures are of the time measured, and of answers that came until ${DRAIN_MS / 1_000} s after it.`,
      ...(bare.length > 0
        ? [`What bare objects do with the same is of ${bareSeconds} s, without counters of rows and requests.`]
        : []),
      ...(bench.server
        ? [modelNote(tokens, steady.tokenMs), `State is kept in ${lab.state.path}.`]
        : [
            ...(steady.besideBare ? ['Bare objects beside it are not run against --url.'] : []),
            'The server runs elsewhere: what is its, the model’s and the network’s is not told apart. Bounds on the part that is ours are no gates here; one on the whole answer has that server’s model in it.',
          ]),
      ...machineNotes([phase, ...bare]),
      ...[phase, ...bare].flatMap(problemNotes),
      ...integrityNotes(settled),
    ],
    charts: phaseCharts(phase),
  };
}

async function measure(bench: Bench, name: string, { users, messagesPerMinute, seconds }: Plan): Promise<Phase> {
  const others = { first: users, end: users + within(WARM_UP_USERS, users) };
  await warmUp(bench, others, within(WARM_UP_PER_MINUTE, messagesPerMinute), WARM_UP_SECONDS);
  bench.lab.progress(`connecting ${users} users`);
  await bench.generators.connect({ first: 0, end: users });
  return measurePhase(bench, { name, first: 0, end: users, seconds, messagesPerMinute, countDelivery: true });
}

/** Everything is delivered, nobody speaks: what the server has given back by now. */
function quietFigure(group: string, { name: subject }: Steady, { serverPids }: Bench): Figure {
  const bytes = sumOf(serverPids(), residentBytes);
  const value = bytes === null ? null : bytes / BYTES_PER_MB;
  return { group, subject, name: 'server memory when quiet again', unit: 'MB', value };
}

/** Of those of any phase, the ones that are to be compared; nothing where they say nothing. */
export function bareFigures(group: string, bare: Phase): Figure[] {
  const figures = phaseFigures(group, bare).filter(({ name }) => BESIDE.includes(name));
  return isTelling(bare) ? figures : figures.map((figure) => ({ ...figure, value: null }));
}

function processorGates({ name, maxProcessorSeconds }: Steady, phase: Phase, isOwnServer: boolean): Gate[] {
  if (maxProcessorSeconds === undefined || !isOwnServer) return [];
  return [atMost(`${name}: ${PROCESSOR}, s`, processorPer1000(phase), maxProcessorSeconds)];
}

type Plan = ReturnType<typeof planOf>;

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
  const known = bounds.filter(({ of }) => isOwnModel || of === 'answered');
  return known.map(({ of, percent, ms }) =>
    atMost(`${name}: ${BOUND_NAMES[of]} p${percent}, ms`, timings[of].percentile(percent), ms),
  );
}
