/**
 * What a bot's counters were, poll after poll, and the rates and percentiles between them.
 * A counter is taken to hold its value until the next sample; so runs of equal samples need only
 * their first and their last one.
 */
import { percentile, type Histogram } from '../../../metrics/histogram.ts';
import type { Stats } from './shapes.ts';

/** Rates over less jump between nothing and a burst. */
const RATE_WINDOW_MS = 10_000;
/** Percentiles of fewer answers than a minute brings say little. */
const PERCENTILE_WINDOW_MS = 60_000;
/** No sample for longer than this although counters moved: nobody looked, and the line has a hole. */
const HOLE_MS = 15_000;

export interface Sample {
  /** ms since 1970. */
  at: number;
  turns: number;
  errors: number;
  promptTokens: number;
  answerTokens: number;
  running: number;
  queued: number;
  firstToken: readonly number[];
  total: readonly number[];
}

export interface Measured {
  running?: number | undefined;
  queued?: number | undefined;
  stats: Stats;
}

export function sampleOf({ running = 0, queued = 0, stats }: Measured, at: number): Sample {
  const errors = failuresOf(stats);
  return {
    at,
    turns: stats.replies + stats.stopped + errors,
    errors,
    promptTokens: stats.promptTokens,
    answerTokens: stats.answerTokens,
    running,
    queued,
    firstToken: stats.firstToken.counts,
    total: stats.total.counts,
  };
}

export function failuresOf(stats: Pick<Stats, 'failed'>): number {
  return Object.values(stats.failed).reduce((sum, count) => sum + count, 0);
}

/** Adds `sample` to `samples` (oldest first) in place. Beyond `max` the older half loses every other one. */
export function addSample(samples: Sample[], sample: Sample, max: number): void {
  const last = samples.at(-1);
  if (last !== undefined && sample.at <= last.at) return;
  // Fewer than before: the bot was made anew, and its past is another bot's.
  if (last !== undefined && sample.turns < last.turns) samples.length = 0;
  const before = samples.at(-2);
  if (last && before && isSame(before, last) && isSame(last, sample)) samples.pop();
  samples.push(sample);
  if (samples.length <= max) return;
  const half = Math.floor(samples.length / 2);
  samples.splice(0, half, ...samples.slice(0, half).filter((_, index) => index % 2 === 0));
}

function isSame(one: Sample, other: Sample): boolean {
  return (
    hasSameCounters(one, other) &&
    one.running === other.running &&
    one.queued === other.queued &&
    one.promptTokens === other.promptTokens &&
    one.answerTokens === other.answerTokens
  );
}

/** Times are counted with their turns, so turns tell of them, too. */
function hasSameCounters(one: Sample, other: Sample): boolean {
  return one.turns === other.turns && one.errors === other.errors;
}

export interface Recent {
  /** 0 to 1; null without turns. */
  errorShare: number | null;
  p95FirstTokenMs: number | null;
  /** False: nothing ended in the window, so these are of the bot's whole life. */
  isRecent: boolean;
}

/** How the bot did in the last `windowMs` of what was seen of it. */
export function recentOf(samples: readonly Sample[], windowMs: number): Recent {
  const last = samples.at(-1);
  if (last === undefined) return { errorShare: null, p95FirstTokenMs: null, isRecent: false };
  const start = samples.findLast(({ at }) => at <= last.at - windowMs) ?? samples[0] ?? last;
  const isRecent = last.turns > start.turns;
  const turns = isRecent ? last.turns - start.turns : last.turns;
  const errors = isRecent ? last.errors - start.errors : last.errors;
  const counts = isRecent ? difference(last.firstToken, start.firstToken) : last.firstToken;
  return { errorShare: turns === 0 ? null : errors / turns, p95FirstTokenMs: percentileOf(counts, 0.95), isRecent };
}

/** A line of a chart: a value per time, null where there is none. */
export type Line = (number | null)[];

export interface Lines {
  /** Seconds since 1970. */
  times: number[];
  turns: Line;
  errors: Line;
  promptTokens: Line;
  answerTokens: Line;
  firstTokenP50: Line;
  firstTokenP95: Line;
  totalP50: Line;
  totalP95: Line;
  running: Line;
  queued: Line;
}

type LineName = Exclude<keyof Lines, 'times'>;
const LINE_NAMES: readonly LineName[] = [
  'turns',
  'errors',
  'promptTokens',
  'answerTokens',
  'firstTokenP50',
  'firstTokenP95',
  'totalP50',
  'totalP95',
  'running',
  'queued',
];

/** Rates per second and percentiles in ms along `samples`. */
export function linesOf(samples: readonly Sample[]): Lines {
  const lines: Lines = {
    times: [],
    turns: [],
    errors: [],
    promptTokens: [],
    answerTokens: [],
    firstTokenP50: [],
    firstTokenP95: [],
    totalP50: [],
    totalP95: [],
    running: [],
    queued: [],
  };
  let rateFrom = 0;
  let percentileFrom = 0;
  for (const [index, sample] of samples.entries()) {
    rateFrom = startOf(samples, rateFrom, sample.at - RATE_WINDOW_MS);
    percentileFrom = startOf(samples, percentileFrom, sample.at - PERCENTILE_WINDOW_MS);
    const before = samples[index - 1];
    if (before && sample.at - before.at > HOLE_MS && !hasSameCounters(before, sample)) {
      push(lines, (before.at + sample.at) / 2, {});
    }
    push(lines, sample.at, {
      ...ratesAt(samples, rateFrom, index),
      ...percentilesAt(samples[percentileFrom] ?? sample, sample),
      running: sample.running,
      queued: sample.queued,
    });
  }
  return lines;
}

function push(lines: Lines, at: number, values: Partial<Record<LineName, number | null>>): void {
  lines.times.push(at / 1_000);
  for (const name of LINE_NAMES) lines[name].push(values[name] ?? null);
}

/** The last sample at or before `at`, looking from `from` on; the first one where none is so old. */
function startOf(samples: readonly Sample[], from: number, at: number): number {
  let start = from;
  while ((samples[start + 1]?.at ?? Infinity) <= at) start += 1;
  return start;
}

function ratesAt(samples: readonly Sample[], from: number, index: number): Partial<Record<LineName, number>> {
  const start = samples[from];
  const end = samples[index];
  const next = samples[from + 1];
  if (!start || !end || !next || from === index) return {};
  // Where nothing moved since `start`, the window may begin later than that sample.
  const began = isSame(start, next) ? Math.max(start.at, Math.min(next.at, end.at - RATE_WINDOW_MS)) : start.at;
  const seconds = (end.at - began) / 1_000;
  if (seconds <= 0) return {};
  const rate = (counter: 'turns' | 'errors' | 'promptTokens' | 'answerTokens') =>
    Math.max(0, end[counter] - start[counter]) / seconds;
  return {
    turns: rate('turns'),
    errors: rate('errors'),
    promptTokens: rate('promptTokens'),
    answerTokens: rate('answerTokens'),
  };
}

function percentilesAt(start: Sample, end: Sample): Partial<Record<LineName, number | null>> {
  if (start.turns === end.turns) return {};
  const firstToken = difference(end.firstToken, start.firstToken);
  const total = difference(end.total, start.total);
  return {
    firstTokenP50: percentileOf(firstToken, 0.5),
    firstTokenP95: percentileOf(firstToken, 0.95),
    totalP50: percentileOf(total, 0.5),
    totalP95: percentileOf(total, 0.95),
  };
}

function difference(end: readonly number[], start: readonly number[]): number[] {
  return end.map((count, bucket) => Math.max(0, count - (start[bucket] ?? 0)));
}

function percentileOf(counts: readonly number[], at: number): number | null {
  const histogram: Histogram = { counts: [...counts], sumMs: 0 };
  return percentile(histogram, at);
}
