/** A rate that grows until it is not held, and what is asked of it. */
import { tallyOf } from '../generator/open-loop.ts';
import { lateGate } from '../measure/figures.ts';
import { measurePhase, speak, type Bench, type Phase } from '../measure/phase.ts';

/** Steps up until a rate is not held, at most; then back towards the highest that was. */
const MAX_STEPS_UP = 12;
const STEPS_BACK = 3;
/** Short steps of a ladder, at most, each tried once. */
export const MOST_STEPS = MAX_STEPS_UP + STEPS_BACK;
/** A short step fails when it does so twice: one collection of garbage within a few seconds is no limit. */
const TRIES = 2;
const GROWTH = 1.6;
/** So long the highest rate has to be held at a stretch; where it is not, a lower one. */
const CONFIRM_SECONDS = 20;
/** Down to half of what the short steps held: what a few seconds hide, 20 show. */
const CONFIRM_TRIES = 10;
const CONFIRM_STEP = 0.92;
/** Of the rate that is asked for: before it everybody speaks once. */
const WARM_UP_SHARE = 0.5;
/** What of the answers must have come by the time that the last message was sent. */
export const MIN_PACE = 0.95;
/** Few users hold no high rate with a slow model, since a session answers one message after the other: they begin lower. */
const FIRST_PER_SECOND_PER_USER = 1;
/** A step that leaves more behind than this can clear is the end of its ladder. */
const DRAIN_MS = 20_000;

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

export interface Step {
  perSecond: number;
  phase: Phase;
  isHeld: boolean;
}

/** A ladder that was climbed. */
export interface Climb {
  ladder: Ladder;
  /** In the order in which they were taken; the last are the long ones. */
  steps: Step[];
  /** The highest rate that was held for long; null: none was. */
  held: Step | null;
}

export const FAST_MODEL: Ladder = {
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

/** Upwards until a rate is not held, then between the last two; then the highest for long, or one below it. */
export async function climb(bench: Bench, ladder: Ladder, users: number, seconds: number): Promise<Climb> {
  const steps: Step[] = [];
  const take = async (name: string, perSecond: number, forSeconds: number): Promise<Step> => {
    const step = await takeStep(bench, ladder, users, { name, perSecond, seconds: forSeconds });
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
  for (let tries = 0, perSecond = held; tries < CONFIRM_TRIES && held > 0 && isClear(steps); tries += 1) {
    const step = await take(longName(perSecond, seconds), perSecond, longSecondsOf(seconds));
    if (step.isHeld) return { ladder, steps, held: step };
    perSecond *= CONFIRM_STEP;
  }
  return { ladder, steps, held: null };
}

interface HeldRate {
  held: Pick<Step, 'perSecond'> | null;
}

/**
 * Who is asked once more, right after both have climbed: a machine may be faster now than it was minutes ago. Whoever
 * held less could have been the unlucky one, and is asked for what the other held; a bare object that held as much as
 * we did is asked for more.
 */
export function whoIsAsked(
  { held: own }: HeldRate,
  { held: bare }: HeldRate,
): { who: 'own' | 'bare' | null; perSecond: number } {
  const [rate, theirs] = [own?.perSecond ?? 0, bare?.perSecond ?? 0];
  if (rate < theirs) return { who: 'own', perSecond: theirs };
  return { who: rate > 0 ? 'bare' : null, perSecond: rate > theirs ? rate : rate / CONFIRM_STEP };
}

/** Asks for one rate more, after the users have spoken: while another server climbed, objects have left memory. */
export async function askFor(
  perSecond: number,
  { ladder, steps, held }: Climb,
  bench: Bench,
  users: number,
  seconds: number,
): Promise<Climb> {
  if (!isClear(steps)) return { ladder, steps, held };
  const warmRate = perSecond * WARM_UP_SHARE;
  await speak(bench, { first: 0, end: users }, warmRate * 60, Math.ceil(users / warmRate), ladder.directive);
  const name = `${longName(perSecond, seconds)}, once more`;
  const step = await takeStep(bench, ladder, users, { name, perSecond, seconds: longSecondsOf(seconds) });
  return { ladder, steps: [...steps, step], held: step.isHeld ? step : held };
}

async function takeStep(
  bench: Bench,
  ladder: Ladder,
  users: number,
  { name, perSecond, seconds }: { name: string; perSecond: number; seconds: number },
): Promise<Step> {
  const talk = { first: 0, end: users, seconds, messagesPerMinute: perSecond * 60, drainMs: DRAIN_MS };
  const phase = await measurePhase(bench, { name, ...talk, directive: ladder.directive });
  return { perSecond, phase, isHeld: isHeld(phase, ladder) };
}

function longName(perSecond: number, stepSeconds: number): string {
  return `${Math.round(perSecond)}/s for ${longSecondsOf(stepSeconds)} s`;
}

export function longSecondsOf(stepSeconds: number): number {
  return Math.max(CONFIRM_SECONDS, stepSeconds);
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

/** Nothing of the steps so far is still under way, to weigh on the next. */
function isClear(steps: readonly Step[]): boolean {
  const last = steps.at(-1)?.phase;
  if (!last) return true;
  const { sent, answered, failed } = tallyOf(last.columns);
  return answered + failed === sent;
}
