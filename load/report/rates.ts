/** The highest rate that was held, what ended it, and with it how many users one server bears. */
import { PROCESSOR } from '../measure/figures.ts';
import { NOISY_PERCENT } from '../measure/noise.ts';
import type { LinearFit } from '../statistics.ts';
import * as ladders from '../stress/climb.ts';
import type { Runs } from './runs.ts';

/** What the reports' users say, and what every scale is worked out for. */
const MESSAGES_PER_USER_PER_MINUTE = 10;
/** The reports plan for more at this share of what can be held. */
const PLAN_SHARE = 0.7;
export const FAST_MODEL = ladders.FAST_MODEL.name;
export const SLOW_MODEL = ladders.SLOW_MODEL.name;
/** A process with one thread that computes is full here; so is a machine, of all its cores. */
const FULL_SHARE = 0.85;
/** The runtime runs all objects of a process on one thread: with a second core they go no faster. */
const SERVER_CORES = 1;
const THREAD = 'the server’s one thread, on which the runtime runs all objects';

/** One ladder of `stress`. */
export interface Rate {
  ladder: string;
  heldPerSecond: number;
  /** Who say 10 messages a minute each and are as cheap as the ladder's sessions, which say more and are always awake. */
  users: number;
  /** Seconds of the server's processor. */
  per1000: number | null;
  serverCores: number | null;
  bottleneck: string;
  isDisturbed: boolean;
}

/** What is known of the users that one server bears, each by itself. */
export interface Bound {
  by: string;
  users: number;
  /** Half of what 95 in 100 further runs would lie within; null: not known. */
  usersError: number | null;
  cores: number | null;
  bottleneck: string;
  /** The run that it is from was not alone on its machine. */
  isDisturbed: boolean;
}

export interface Bears extends Bound {
  planAtUsers: number;
  /** Of the reports' 1,000 users: above 1, there is room. */
  headroom: number;
  /** All bounds; this is the least of them. */
  bounds: Bound[];
}

/** What so many users say. */
export function perSecondOf(users: number): number {
  return (users * MESSAGES_PER_USER_PER_MINUTE) / 60;
}

function usersOf(perSecond: number): number {
  return (perSecond * 60) / MESSAGES_PER_USER_PER_MINUTE;
}

/** @param subject a ladder's name, or that of the same ladder of another server; null: none was held, or measured */
export function heldRate(runs: Runs, run: string, subject: string): number | null {
  return runs.value(run, { group: 'breaking point', subject, name: 'highest rate held' });
}

export function ratesOf(runs: Runs): Rate[] {
  return [FAST_MODEL, SLOW_MODEL].flatMap((ladder) => rateOf(runs, ladder));
}

function rateOf(runs: Runs, ladder: string): Rate[] {
  const held = heldRate(runs, 'stress', ladder);
  const machine = runs.run('stress')?.machine;
  if (held === null || !machine) return [];
  const figure = (name: string): number | null =>
    runs.figures('stress', { subject: ladder, name }).find(({ group }) => group.startsWith('highest rate held'))
      ?.value ?? null;
  const otherCores = (figure('other work on the machine') ?? 0) / 100;
  // By the answer, not by the second: a step is short, and what comes before and after its messages is not work.
  const cores = (role: string): number | null => {
    const per1000 = figure(`${role} processor per 1,000 answers`);
    return per1000 === null ? null : (per1000 / 1_000) * held;
  };
  const [serverCores, model, generator] = [cores('server'), cores('model'), cores('generator')];
  const isKnown = serverCores !== null && model !== null && generator !== null;
  const machineCores = isKnown ? serverCores + model + generator + otherCores : null;
  return [
    {
      ladder,
      heldPerSecond: held,
      users: usersOf(held),
      per1000: figure(PROCESSOR),
      serverCores,
      bottleneck: bottleneckOf(serverCores, machineCores, otherCores, machine.cores),
      isDisturbed: runs.disturbed.includes('stress'),
    },
  ];
}

function bottleneckOf(
  serverCores: number | null,
  machineCores: number | null,
  otherCores: number,
  cores: number,
): string {
  if (serverCores !== null && serverCores >= FULL_SHARE) return THREAD;
  if (machineCores !== null && machineCores >= cores * FULL_SHARE) {
    return otherCores * 100 >= NOISY_PERCENT
      ? `this machine’s cores, of which work that is not the lab’s took ${otherCores.toFixed(1)}: not the server’s own limit`
      : 'this machine’s cores, which model and generator share with the server';
  }
  if (serverCores === null || machineCores === null) return 'not measured';
  return 'neither the server’s thread nor the machine was full at the highest rate held: what ended it is not measured';
}

/** The least of what each says: where the line fills the server's thread, and where each ladder ended. */
export function bearsOf(processor: LinearFit | null, rates: readonly Rate[]): Bears | null {
  const bounds = [
    ...lineBound(processor),
    ...rates.map(({ ladder, users, serverCores, bottleneck, isDisturbed }): Bound => {
      return { by: `stress, ${ladder}`, users, usersError: null, cores: serverCores, bottleneck, isDisturbed };
    }),
  ];
  const [least] = bounds.toSorted((one, other) => one.users - other.users);
  return least ? { ...least, planAtUsers: least.users * PLAN_SHARE, headroom: least.users / 1_000, bounds } : null;
}

function lineBound(processor: LinearFit | null): Bound[] {
  if (!processor || processor.slope <= 0) return [];
  const perSecond = (SERVER_CORES - processor.intercept) / processor.slope;
  return [
    {
      by: `the processor’s line reaches ${SERVER_CORES} core`,
      users: usersOf(perSecond),
      usersError: usersOf(processor.errorAt(perSecond) / processor.slope),
      cores: SERVER_CORES,
      bottleneck: THREAD,
      isDisturbed: false,
    },
  ];
}
