/**
 * Where it breaks: the rate grows in short steps until the server does not hold it, once with the model at full speed
 * and once with a model that takes its time. A rate is held when every message is answered, nearly all within their
 * time, and the part that is ours stays below a bound. The highest is then held once more, for longer: what short
 * steps find is a guess. Beside it a bare object is asked for the same.
 */
import { switchboardBench } from '../lab/bench.ts';
import { BARE_USERS, Lab } from '../lab/lab.ts';
import { startBareObject } from '../lab/servers.ts';
import {
  integrityFigures,
  integrityGates,
  integrityNotes,
  lateGate,
  machineNotes,
  phaseFigures,
} from '../measure/figures.ts';
import { measurePhase, warmUp, type Bench, type Phase } from '../measure/phase.ts';
import {
  atLeast,
  LoadError,
  type Chart,
  type Figure,
  type Gate,
  type Scenario,
  type ScenarioResult,
} from '../scenario.ts';

const USERS = 500;
const SECONDS = 120;
const FULL_SECONDS = 900;
const TOKENS = 20;
const MIN_STEP_SECONDS = 2;
/** Steps up until a rate is not held, at most; then back towards the highest that was. */
const MAX_STEPS_UP = 12;
const STEPS_BACK = 3;
/** A short step fails when it does so twice: one collection of garbage within a few seconds is no limit. */
const TRIES = 2;
const GROWTH = 1.6;
/** So long the highest rate has to be held at a stretch; where it is not, a lower one. */
const CONFIRM_SECONDS = 20;
const CONFIRM_TRIES = 5;
const CONFIRM_STEP = 0.92;
/** What of the answers must have come by the time that the last message was sent. */
const MIN_PACE = 0.95;
/**
 * A session answers one message after the other: with a slow model few users hold no high rate, however good the
 * server is. So they are asked for less, and begin lower.
 */
const LEAST_PER_SECOND_PER_USER = 0.5;
const FIRST_PER_SECOND_PER_USER = 1;
/** A step that leaves more behind than this can clear is the end of its ladder. */
const DRAIN_MS = 20_000;
const WARM_UP_SECONDS = 2;
const WARM_UP_USERS = 50;
const WARM_UP_PER_USER_PER_MINUTE = 60;
/** Generators for more than any machine of ours holds. */
const MOST_PER_SECOND = 2_000;

/** A rate that grows, and what is asked of it. */
export interface Ladder {
  name: string;
  directive: string;
  firstPerSecond: number;
  /** A run that holds less than this fails. */
  leastPerSecond: number;
  /** The bound of the part that is ours, at p95. */
  maxOursMs: number;
  /** Of the rate that a bare object holds which forwards each token; null: it is not asked. */
  leastOfBare: number | null;
}

const FAST_MODEL: Ladder = {
  name: 'model at full speed',
  directive: '',
  firstPerSecond: 100,
  // The rate that the reports say they had. What they aim at (400) is a line of the report.
  leastPerSecond: 87,
  maxOursMs: 500,
  leastOfBare: null,
};
export const SLOW_MODEL: Ladder = {
  name: 'model at 10 ms a token',
  directive: 'tokenMs=10',
  firstPerSecond: 50,
  // The reports claim nothing of it: half of where it begins, since a machine that is not quiet misses its bound early.
  leastPerSecond: 25,
  maxOursMs: 50,
  leastOfBare: 1,
};
const LADDERS = [FAST_MODEL, SLOW_MODEL];

interface Step {
  perSecond: number;
  phase: Phase;
  isHeld: boolean;
}

/** A ladder that was climbed. */
interface Climb {
  ladder: Ladder;
  /** In the order in which they were taken; the last are the long ones. */
  steps: Step[];
  /** The highest rate that was held for long; null: none was. */
  held: Step | null;
}

export const stress: Scenario = {
  name: 'stress',
  summary: `${USERS} users, more and more messages a second until it breaks, with a fast and with a slow model`,
  run: (options) => Lab.run(options, runStress),
};

async function runStress(lab: Lab): Promise<ScenarioResult> {
  if (lab.options.url)
    throw new LoadError(
      'usage',
      'stress judges a rate by the part that is ours, which takes the lab’s own model: it cannot be run against --url.',
    );
  const seconds = lab.options.seconds ?? (lab.options.full ? FULL_SECONDS : SECONDS);
  return climbAll(lab, LADDERS, lab.options.users ?? USERS, seconds);
}

/** @param seconds for all steps that there may be, on all ladders */
export async function climbAll(
  lab: Lab,
  ladders: readonly Ladder[],
  users: number,
  seconds: number,
): Promise<ScenarioResult> {
  const mostSteps = ladders.length * (MAX_STEPS_UP + STEPS_BACK);
  const stepSeconds = Math.max(MIN_STEP_SECONDS, Math.floor(seconds / mostSteps));
  const tokens = lab.options.tokens ?? TOKENS;
  const bench = await switchboardBench(lab, {
    model: { tokens, tokensPerWrite: 1 },
    users,
    messagesPerSecond: MOST_PER_SECOND,
  });
  await begin(bench, users);
  const climbed: Climb[] = [];
  for (const ladder of ladders) climbed.push(await climb(bench, ladder, users, stepSeconds));
  const settled = await bench.settle();
  const compared = ladders.filter(({ leastOfBare }) => leastOfBare !== null);
  const bare: Climb[] = [];
  if (compared.length > 0) {
    lab.progress('the same of a bare object');
    const beside = await bareBench(lab, users, tokens);
    await begin(beside, users);
    for (const ladder of compared) bare.push(await climb(beside, ladder, users, stepSeconds));
  }
  const phases = [...climbed, ...bare].flatMap(({ steps }) => steps.map(({ phase }) => phase));
  return {
    figures: [
      ...climbed.flatMap((climb) => climbFigures(climb, users)),
      ...bare.map((climb) => heldFigure(`bare object, each token, ${climb.ladder.name}`, climb)),
      ...integrityFigures('every message of all steps, checked', settled),
    ],
    gates: [
      // Beyond the breaking point messages are refused and wait: that is what was looked for.
      ...integrityGates(settled).filter(({ name }) => name !== 'not answered'),
      ...climbed.map(({ ladder, held }) => heldGate(ladder, held?.perSecond ?? null, users)),
      ...bare.flatMap((theirs) => bareGates(climbed.find(({ ladder }) => ladder === theirs.ladder)?.held, theirs)),
    ],
    notes: [
      `Steps of ${stepSeconds} s find a rate, and one that fails is tried once more; what is shown as held was then held for ${CONFIRM_SECONDS} s at a stretch. Held: all answered, ${MIN_PACE * 100} % of them in time, ours to the end p95 below ${ladders.map((one) => `${one.maxOursMs} ms (${one.name})`).join(', ')}.`,
      'A step whose generator was late counts as not held, and says so: then it is the generator that broke.',
      ...machineNotes(phases),
      ...integrityNotes(settled),
    ],
    charts: climbed.map(climbChart),
  };
}

/** Set up as Switchboard is, without the workers that Miniflare puts before and behind any. */
async function bareBench(lab: Lab, users: number, tokens: number): Promise<Bench> {
  const model = await lab.model({ tokens, tokensPerWrite: 1 });
  const { url, pid } = await lab.keep(startBareObject(model.url, { direct: true }));
  const messagesPerSecond = MOST_PER_SECOND;
  const generators = await lab.generators({ url, users, messagesPerSecond, module: BARE_USERS });
  return {
    lab,
    generators,
    model,
    serverPids: () => (pid === null ? [] : [pid]),
    counters: async () => null,
    tally: { sent: 0, answered: 0, failed: 0 },
  };
}

async function begin(bench: Bench, users: number): Promise<void> {
  const others = { first: users, end: users + WARM_UP_USERS };
  await warmUp(bench, others, WARM_UP_USERS * WARM_UP_PER_USER_PER_MINUTE, WARM_UP_SECONDS);
  bench.lab.progress(`connecting ${users} users`);
  await bench.generators.connect({ first: 0, end: users });
}

/** Upwards until a rate is not held, then between the last two; then the highest for long, or one below it. */
async function climb(bench: Bench, ladder: Ladder, users: number, seconds: number): Promise<Climb> {
  const steps: Step[] = [];
  const take = async (name: string, perSecond: number, forSeconds: number): Promise<Step> => {
    const talk = { first: 0, end: users, seconds: forSeconds, messagesPerMinute: perSecond * 60, drainMs: DRAIN_MS };
    const phase = await measurePhase(bench, { name, ...talk, directive: ladder.directive });
    const step = { perSecond, phase, isHeld: isHeld(phase, ladder) };
    steps.push(step);
    return step;
  };
  const isHeldAt = async (perSecond: number): Promise<boolean> => {
    for (let tries = 0; tries < TRIES && isClear(steps); tries += 1) {
      const name = `${Math.round(perSecond)}/s${tries > 0 ? ' again' : ''}`;
      if ((await take(name, perSecond, seconds)).isHeld) return true;
    }
    return false;
  };
  let held = 0;
  let broken = 0;
  const first = Math.min(ladder.firstPerSecond, users * FIRST_PER_SECOND_PER_USER);
  for (let up = 0, perSecond = first; up < MAX_STEPS_UP; up += 1, perSecond *= GROWTH) {
    if (!(await isHeldAt(perSecond))) {
      broken = perSecond;
      break;
    }
    held = perSecond;
  }
  for (let back = 0; back < STEPS_BACK && broken > 0 && isClear(steps); back += 1) {
    const between = (held + broken) / 2;
    if (await isHeldAt(between)) held = between;
    else broken = between;
  }
  const longSeconds = Math.max(CONFIRM_SECONDS, seconds);
  for (let tries = 0, perSecond = held; tries < CONFIRM_TRIES && held > 0 && isClear(steps); tries += 1) {
    const step = await take(`${Math.round(perSecond)}/s for ${longSeconds} s`, perSecond, longSeconds);
    if (step.isHeld) return { ladder, steps, held: step };
    perSecond *= CONFIRM_STEP;
  }
  return { ladder, steps, held: null };
}

function isHeld(phase: Phase, { maxOursMs }: Ladder): boolean {
  const ours = phase.timings.oursToEnd.percentile(95) ?? Infinity;
  // What was asked for, in whole messages: of a few a step the rate itself may promise half of one more.
  const perSecond = phase.sent / phase.seconds;
  // What was sent last cannot be answered within the step: its model takes its time.
  const owed = perSecond - (perSecond * (phase.timings.model.percentile(50) ?? 0)) / 1_000 / phase.seconds;
  const isInTime = phase.answersPerSecond >= owed * MIN_PACE;
  return phase.answered === phase.sent && isInTime && ours <= maxOursMs && lateGate(phase).ok;
}

/** Nothing is left of the steps so far that would weigh on the next. */
function isClear(steps: readonly Step[]): boolean {
  const last = steps.at(-1)?.phase;
  return last === undefined || last.answered === last.sent;
}

function climbFigures(climb: Climb, users: number): Figure[] {
  const { ladder, steps, held } = climb;
  const heldRates = new Set(steps.filter(({ isHeld: wasHeld }) => wasHeld).map(({ perSecond }) => perSecond));
  const broken = steps
    .filter(({ perSecond }) => !heldRates.has(perSecond))
    .toSorted((a, b) => a.perSecond - b.perSecond)[0];
  const subject = ladder.name;
  return [
    heldFigure(subject, climb),
    {
      group: 'breaking point',
      subject,
      name: 'lowest rate not held',
      unit: 'messages/s',
      value: broken?.perSecond ?? null,
    },
    ...(held ? phaseFigures(`highest rate held, ${users} users`, { ...held.phase, name: subject }) : []),
  ];
}

function heldFigure(subject: string, { held }: Climb): Figure {
  const value = held?.perSecond ?? null;
  return { group: 'breaking point', subject, name: 'highest rate held', unit: 'messages/s', value };
}

/** None where the bare object held no rate at all: more than nothing is no figure. */
function bareGates(own: Step | null | undefined, { ladder, held }: Climb): Gate[] {
  if (held === null || ladder.leastOfBare === null) return [];
  const ratio = (own?.perSecond ?? 0) / held.perSecond;
  return [atLeast(`${ladder.name}: highest rate held, of a bare object’s`, ratio, ladder.leastOfBare)];
}

/** @param best in messages a second; null: none was held, which is no rate at all */
export function heldGate(ladder: Pick<Ladder, 'name' | 'leastPerSecond'>, best: number | null, users: number): Gate {
  const least = Math.min(ladder.leastPerSecond, users * LEAST_PER_SECOND_PER_USER);
  return atLeast(`${ladder.name}: highest rate held, messages/s`, best ?? 0, least);
}

function climbChart({ ladder: { name }, steps }: Climb): Chart {
  const sorted = steps.toSorted((a, b) => a.perSecond - b.perSecond);
  const line = (percent: number): [number, number][] =>
    sorted.map(({ perSecond, phase }) => [perSecond, phase.timings.oursToEnd.percentile(percent) ?? 0]);
  return {
    title: `Ours to the end by rate, ${name}`,
    kind: 'lines',
    x: 'messages/s',
    y: 'ms',
    series: [
      { name: 'p50', points: line(50) },
      { name: 'p95', points: line(95) },
      { name: 'p99', points: line(99) },
    ],
  };
}
