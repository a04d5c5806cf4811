/** The steady rates that are measured, and what is asked of each. */
import { SLOW_MODEL, type Ladder } from '../stress/climb.ts';

export interface Steady {
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
  /** Of the server's processor time for 1,000 answers. */
  maxProcessorSeconds?: number;
  /** The same load to bare objects, measured after it: a bound in ms or seconds holds on one machine only. */
  besideBare?: boolean;
  /** Measured after it, with a server of its own: the highest rate that this holds. */
  beside?: Ladder;
}

export interface Bound {
  of: 'oursToFirst' | 'oursToEnd' | 'answered';
  percent: number;
  ms: number;
}

/** As figures name them, before the percentile. */
export const BOUND_NAMES: Readonly<Record<Bound['of'], string>> = {
  oursToFirst: 'ours to the first token',
  oursToEnd: 'ours to the end',
  answered: 'answer',
};
/** At 1,000 messages a second, p99. */
export const MAX_PEAK_MS = 100;
/** What the reports ask of every answer, the model included, at 20 tokens. */
const ANSWER_BOUND: Bound = { of: 'answered', percent: 95, ms: 500 };
/** Of the part that is ours, at every rate but the shortest and the highest. */
export const OWN_BOUNDS: readonly Bound[] = [
  { of: 'oursToFirst', percent: 50, ms: 5 },
  { of: 'oursToFirst', percent: 99, ms: 50 },
  { of: 'oursToEnd', percent: 99, ms: 80 },
];
/** Of 1,000 answers of 200 tokens. */
export const MAX_LONG_ANSWER_SECONDS = 6;
const PACED = { tokens: 20, tokenMs: 10 };

export const STEADY: readonly Steady[] = [
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
    maxProcessorSeconds: MAX_LONG_ANSWER_SECONDS,
    besideBare: true,
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
    besideBare: true,
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
    bounds: [{ of: 'oursToEnd', percent: 99, ms: MAX_PEAK_MS }],
    // So few users, who get one answer after the other, end it themselves: `stress` compares with more.
    beside: { ...SLOW_MODEL, leastOfBare: null },
  },
];
