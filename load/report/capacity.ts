/**
 * How much a scale needs, worked out from what was measured and from nothing else: straight lines
 * through the runs of different user counts; rates.ts says where it ends.
 */
import { linearFit, type LinearFit } from '../statistics.ts';
import { bearsOf, perSecondOf, ratesOf, type Bears, type Rate } from './rates.ts';
import type { Runs } from './runs.ts';
import { isGrowthJudged } from './soak.ts';

/** Runs of one steady rate, each of another number of users. */
const STEADY = ['baseline', 'low', 'soak', 'medium', 'users-500', 'high'];
export const SCALES = [50, 200, 500, 1_000, 5_000] as const;
/** What the reports say that such a scale needs, as they write it. */
export const CLAIMED_SIZES: Readonly<Record<number, string>> = {
  50: '512 MB, 1-2 cores',
  200: '2 GB, 2-4 cores',
  500: '4 GB, 4-8 cores',
  1_000: '8 GB+, 8+ cores',
};
/** The reports' own bound: a run that leaves more without an answer did not hold its rate. */
const MAX_UNANSWERED_PERCENT = 1;
/** So near to a scale a run shows what the scale needs by itself. */
const NEAR_SHARE = 0.1;

export interface Point {
  run: string;
  users: number;
  answersPerSecond: number;
  /** At most, and when the first message was sent. */
  memoryMb: number;
  memoryBeforeMb: number | null;
  /** Of the server. */
  cores: number;
  /** How long it was measured; null: as long as the scenario itself thinks right. */
  seconds: number | null;
  dollarsPerHour: number | null;
}

export interface Need {
  users: number;
  memoryMb: number;
  /** Half of what 95 in 100 further runs would lie within. */
  memoryErrorMb: number;
  cores: number;
  coresError: number;
  dollarsPerHour: number | null;
  /** The run of about as many users. */
  measured: Point | null;
  /** More users than any run had: the line is drawn on beyond what it was fitted to. */
  isBeyond: boolean;
}

export interface Capacity {
  points: Point[];
  /** Runs that broke down: what they used says nothing of what so many users need. */
  broken: string[];
  /** Runs that are not in the line of memory: the caches of their databases were filled first, as after days of talk. */
  filled: string[];
  memory: LinearFit | null;
  /** Cores by answers a second. */
  processor: LinearFit | null;
  /** Dollars an hour by answers a second, at Cloudflare's prices, for what the runs counted. */
  price: LinearFit | null;
  /** Of a core, with no work; null: not measured. */
  idleCores: number | null;
  needs: Need[];
  rates: Rate[];
  bears: Bears | null;
  pricePerMillion: { run: string; all: number; withoutWaiting: number | null }[];
}

export function capacityOf(runs: Runs): Capacity {
  const broken = [...STEADY, 'peak'].filter((run) => {
    return (runs.value(run, { subject: run, name: 'not answered' }) ?? 0) > MAX_UNANSWERED_PERCENT;
  });
  const held = (run: string): boolean => !broken.includes(run);
  const points = STEADY.filter(held).flatMap((run) => pointOf(runs, run));
  const filled = isGrowthJudged(runs) ? ['soak'] : [];
  const alike = points.filter(({ run }) => !filled.includes(run));
  const memory = linearFit(alike.map(({ users, memoryMb }) => [users, memoryMb] as const));
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
            coresError: processor.errorAt(perSecond),
            dollarsPerHour: price && Math.max(0, price.intercept + price.slope * perSecond),
            measured: points.find((point) => Math.abs(point.users - users) <= users * NEAR_SHARE) ?? null,
            isBeyond: users > most,
          };
        })
      : [];
  const rates = ratesOf(runs);
  const idle = runs.value('operations', { group: 'the API', subject: '10 bots', name: 'server idle' });
  return {
    points,
    broken,
    filled,
    memory,
    processor,
    price,
    idleCores: idle === null ? null : idle / 100,
    needs,
    rates,
    bears: bearsOf(processor, rates),
    pricePerMillion: [...STEADY, 'peak'].filter(held).flatMap((run) => {
      const all = runs.value(run, { subject: run, name: 'price of a million answers' });
      const withoutWaiting = runs.value(run, { subject: run, name: 'price without waiting for the model' });
      return all === null ? [] : [{ run, all, withoutWaiting }];
    }),
  };
}

/** Empty where a figure that the point needs was not measured. */
function pointOf(runs: Runs, run: string): Point[] {
  const value = (name: string): number | null => runs.value(run, { subject: run, name });
  const [users, answersPerSecond, memoryMb, busy] = [
    value('users'),
    value('answers/s'),
    value('server memory at most'),
    value('server busy'),
  ];
  if (users === null || answersPerSecond === null || memoryMb === null || busy === null) return [];
  const price = value('price of a million answers');
  const dollarsPerHour = price === null ? null : (price / 1_000_000) * answersPerSecond * 3_600;
  const memoryBeforeMb = value('server memory before');
  const seconds = runs.run(run)?.options?.seconds ?? null;
  return [{ run, users, answersPerSecond, memoryMb, memoryBeforeMb, cores: busy / 100, seconds, dollarsPerHour }];
}
