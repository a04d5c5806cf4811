/**
 * How much a scale needs, worked out from what was measured and from nothing else: straight lines
 * through the runs of different user counts, and where the highest rate held met its end.
 */
import { linearFit, type LinearFit } from '../statistics.ts';
import type { Runs } from './runs.ts';

/** Runs of one steady rate, each of another number of users. */
const STEADY = ['baseline', 'low', 'soak', 'medium', 'users-500', 'high'];
/** What the reports' users say, and what the scales below are worked out for. */
const MESSAGES_PER_USER_PER_MINUTE = 10;
export const SCALES = [50, 200, 500, 1_000, 5_000] as const;
/** What the reports say that such a scale needs, as they write it. */
export const CLAIMED_SIZES: Readonly<Record<number, string>> = {
  50: '512 MB, 1-2 cores',
  200: '2 GB, 2-4 cores',
  500: '4 GB, 4-8 cores',
  1_000: '8 GB+, 8+ cores',
};
/** The reports plan for more at this share of what can be held. */
const PLAN_SHARE = 0.7;
const LADDERS = ['model at full speed', 'model at 10 ms a token'] as const;
/** A process with one thread that computes is full here; so is a machine, of all its cores. */
const FULL_SHARE = 0.85;
/** The reports' own bound: a run that leaves more without an answer did not hold its rate. */
const MAX_UNANSWERED_PERCENT = 1;
/** Of one core: with more, the machine was not the lab's alone. */
const NOISY_CORES = 0.2;

export interface Point {
  run: string;
  users: number;
  answersPerSecond: number;
  memoryMb: number;
  /** Of the server. */
  cores: number;
  dollarsPerHour: number | null;
}

export interface Need {
  users: number;
  memoryMb: number;
  /** Half of what 95 in 100 further runs would lie within. */
  memoryErrorMb: number;
  cores: number;
  dollarsPerHour: number | null;
  /** More users than any run had: the line is drawn on beyond what it was fitted to. */
  isBeyond: boolean;
}

export interface Limit {
  ladder: string;
  heldPerSecond: number;
  /** The rate is that of so many users who say 10 messages a minute each; 70 % of them is where to plan for more. */
  users: number;
  planAtUsers: number;
  /** Of the rate of 1,000 users: above 1, there is room. */
  headroom: number;
  serverCores: number | null;
  machineCores: number | null;
  bottleneck: string;
}

export interface Capacity {
  points: Point[];
  /** Runs that broke down: what they used says nothing of what so many users need. */
  broken: string[];
  memory: LinearFit | null;
  /** Cores by answers a second. */
  processor: LinearFit | null;
  /** Dollars an hour by answers a second, at Cloudflare's prices, for what the runs counted. */
  price: LinearFit | null;
  needs: Need[];
  limits: Limit[];
  pricePerMillion: { run: string; all: number; withoutWaiting: number | null }[];
}

export function capacityOf(runs: Runs): Capacity {
  const broken = [...STEADY, 'peak'].filter((run) => {
    return (runs.value(run, { name: 'not answered' }) ?? 0) > MAX_UNANSWERED_PERCENT;
  });
  const held = (run: string): boolean => !broken.includes(run);
  const points = STEADY.filter(held).flatMap((run) => pointOf(runs, run));
  const memory = linearFit(points.map(({ users, memoryMb }) => [users, memoryMb] as const));
  const processor = linearFit(points.map(({ answersPerSecond, cores }) => [answersPerSecond, cores] as const));
  const price = linearFit(
    points.flatMap(({ answersPerSecond, dollarsPerHour }) =>
      dollarsPerHour === null ? [] : [[answersPerSecond, dollarsPerHour] as const],
    ),
  );
  const most = Math.max(0, ...points.map(({ users }) => users));
  const needs =
    memory && processor
      ? SCALES.map((users) => {
          const perSecond = perSecondOf(users);
          return {
            users,
            memoryMb: memory.intercept + memory.slope * users,
            memoryErrorMb: memory.errorAt(users),
            cores: Math.max(0, processor.intercept + processor.slope * perSecond),
            dollarsPerHour: price && Math.max(0, price.intercept + price.slope * perSecond),
            isBeyond: users > most,
          };
        })
      : [];
  return {
    points,
    broken,
    memory,
    processor,
    price,
    needs,
    limits: LADDERS.flatMap((ladder) => limitOf(runs, ladder)),
    pricePerMillion: [...STEADY, 'peak'].filter(held).flatMap((run) => {
      const all = runs.value(run, { name: 'price of a million answers' });
      const withoutWaiting = runs.value(run, { name: 'price without waiting for the model' });
      return all === null ? [] : [{ run, all, withoutWaiting }];
    }),
  };
}

/** What so many users say. */
export function perSecondOf(users: number): number {
  return (users * MESSAGES_PER_USER_PER_MINUTE) / 60;
}

/** Empty where a figure that the point needs was not measured. */
function pointOf(runs: Runs, run: string): Point[] {
  const value = (name: string): number | null => runs.value(run, { name });
  const [users, answersPerSecond, memoryMb, busy] = [
    value('users'),
    value('answers/s'),
    value('server memory at most'),
    value('server busy'),
  ];
  if (users === null || answersPerSecond === null || memoryMb === null || busy === null) return [];
  const price = value('price of a million answers');
  const dollarsPerHour = price === null ? null : (price / 1_000_000) * answersPerSecond * 3_600;
  return [{ run, users, answersPerSecond, memoryMb, cores: busy / 100, dollarsPerHour }];
}

function limitOf(runs: Runs, ladder: string): Limit[] {
  const held = runs.value('stress', { group: 'breaking point', subject: ladder, name: 'highest rate held' });
  const machine = runs.run('stress')?.machine;
  if (held === null || !machine) return [];
  const users = (held * 60) / MESSAGES_PER_USER_PER_MINUTE;
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
      users,
      planAtUsers: users * PLAN_SHARE,
      headroom: users / 1_000,
      serverCores,
      machineCores,
      bottleneck: bottleneckOf(serverCores, machineCores, otherCores, machine.cores),
    },
  ];
}

function bottleneckOf(
  serverCores: number | null,
  machineCores: number | null,
  otherCores: number,
  cores: number,
): string {
  if (serverCores !== null && serverCores >= FULL_SHARE) return 'the server’s one thread that computes';
  if (machineCores !== null && machineCores >= cores * FULL_SHARE) {
    return otherCores >= NOISY_CORES
      ? `this machine’s cores, of which work that is not the lab’s took ${otherCores.toFixed(1)}: not the server’s own limit`
      : 'this machine’s cores, which model and generator share with the server';
  }
  if (serverCores === null || machineCores === null) return 'not measured';
  return 'neither the server’s thread nor the machine was full at the highest rate held: what ended it is not measured';
}
