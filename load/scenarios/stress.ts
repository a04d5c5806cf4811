/**
 * Where it breaks: the rate grows in short steps until the server does not hold it, once with the model at full speed
 * and once with a model that takes its time. A rate is held when every message is answered, nearly all within their
 * time, and the part that is ours stays below a bound. The highest is then held once more, for longer: what short
 * steps find is a guess. Beside it a bare object is asked for the same, and whoever held less then for what the other did.
 */
import { bareBench, switchboardBench } from '../lab/bench.ts';
import { Lab } from '../lab/lab.ts';
import { integrityFigures, integrityGates, integrityNotes, machineNotes } from '../measure/figures.ts';
import { settleDown, warmUp, type Bench } from '../measure/phase.ts';
import { BARE_EACH } from '../peers/subjects.ts';
import { LoadError, type Scenario, type ScenarioResult } from '../scenario.ts';
import {
  askFor,
  climb,
  FAST_MODEL,
  longSecondsOf,
  MIN_PACE,
  MOST_STEPS,
  SLOW_MODEL,
  whoIsAsked,
  type Climb,
  type Ladder,
} from '../stress/climb.ts';
import { bareGates, climbChart, climbFigures, heldFigure, heldGate, unconfirmedNotes } from '../stress/results.ts';

const USERS = 500;
const SECONDS = 120;
const FULL_SECONDS = 900;
const TOKENS = 20;
const MIN_STEP_SECONDS = 2;
const WARM_UP_SECONDS = 2;
const WARM_UP_USERS = 50;
const WARM_UP_PER_USER_PER_MINUTE = 60;
/** Generators for more than any machine of ours holds. */
const MOST_PER_SECOND = 2_000;

/** After both have climbed: for what the other held, and a bare object for somewhat more. */
const MOST_ASKED = 2;

const LADDERS = [FAST_MODEL, SLOW_MODEL];

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
  const mostSteps = ladders.length * MOST_STEPS;
  const stepSeconds = Math.max(MIN_STEP_SECONDS, Math.floor(seconds / mostSteps));
  const loaded = {
    model: { tokens: lab.options.tokens ?? TOKENS, tokensPerWrite: 1 },
    users,
    messagesPerSecond: MOST_PER_SECOND,
  };
  const bench = await begin(await switchboardBench(lab, loaded), users);
  const beside = ladders.some(({ leastOfBare }) => leastOfBare !== null)
    ? await begin(await bareBench(lab, loaded), users)
    : null;
  const climbed: Climb[] = [];
  const bare: Climb[] = [];
  for (const ladder of ladders) {
    let own = await climb(bench, ladder, users, stepSeconds);
    if (beside && ladder.leastOfBare !== null) {
      lab.progress('the same of a bare object');
      // What the one still delivers is not to be the other's noise.
      await settleDown(lab);
      let theirs = await climb(beside, ladder, users, stepSeconds);
      await settleDown(lab);
      for (let asked = 0; asked < MOST_ASKED; asked += 1) {
        const { who, perSecond } = whoIsAsked(own, theirs);
        const before = [own.held, theirs.held];
        if (who === 'own') own = await askFor(perSecond, own, bench, users, stepSeconds);
        if (who === 'bare') theirs = await askFor(perSecond, theirs, beside, users, stepSeconds);
        // Who did not hold what it was asked for would be asked for the same again.
        if (own.held === before[0] && theirs.held === before[1]) break;
      }
      bare.push(theirs);
    }
    climbed.push(own);
  }
  const settled = await bench.settle();
  const phases = [...climbed, ...bare].flatMap(({ steps }) => steps.map(({ phase }) => phase));
  return {
    figures: [
      ...climbed.flatMap((climb) => climbFigures(climb, users)),
      ...bare.map((climb) => heldFigure(`${BARE_EACH}, ${climb.ladder.name}`, climb)),
      // Since then a bare object was climbed: how long D1 took is not known any more.
      ...integrityFigures('every message of all steps, checked', { ...settled, deliveredMs: null }),
    ],
    gates: [
      // Beyond the breaking point messages are refused and wait: that is what was looked for.
      ...integrityGates(settled).filter(({ name }) => name !== 'not answered'),
      ...climbed.map(({ ladder, held }) => heldGate(ladder, held?.perSecond ?? null, users)),
      ...bare.flatMap((theirs) => bareGates(climbed.find(({ ladder }) => ladder === theirs.ladder)?.held, theirs)),
    ],
    notes: [
      `Steps of ${stepSeconds} s find a rate, and one that fails is tried once more; what is shown as held was then held for ${longSecondsOf(stepSeconds)} s at a stretch. Held: all answered, ${MIN_PACE * 100} % of them in time, ours to the end p95 below ${ladders.map((one) => `${one.maxOursMs} ms (${one.name})`).join(', ')}.`,
      ...[...climbed, ...bare].flatMap(unconfirmedNotes),
      ...(bare.length > 0
        ? [
            'Where the bare object held more, Switchboard was asked for as much right after; else the bare object for somewhat more than Switchboard held.',
          ]
        : []),
      'A step whose generator was late counts as not held, and says so: then it is the generator that broke.',
      ...machineNotes(phases),
      ...integrityNotes(settled),
    ],
    charts: climbed.map(climbChart),
  };
}

/** Others talk first; then everybody is connected. */
async function begin<T extends Bench>(bench: T, users: number): Promise<T> {
  const others = { first: users, end: users + WARM_UP_USERS };
  await warmUp(bench, others, WARM_UP_USERS * WARM_UP_PER_USER_PER_MINUTE, WARM_UP_SECONDS);
  bench.lab.progress(`connecting ${users} users`);
  await bench.generators.connect({ first: 0, end: users });
  return bench;
}
