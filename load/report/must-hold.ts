/** What must hold, line by line, each with its bound, what is measured and how. */
import { BARE, MAX_ABOVE_BARE_KB, MAX_FURTHER_TAB_KB } from '../connections/results.ts';
import { CHECKED, PROCESSOR } from '../measure/figures.ts';
import {
  groupOf,
  MAX_PRICE_OF_AI_CHAT,
  MIN_OF_WHOLE,
  MIN_TIMES_AI_CHAT,
  MIN_TIMES_PYTHON,
  PYTHON_PER_SECOND,
} from '../peers/results.ts';
import { AI_CHAT, BARE_DIRECT, BARE_EACH, BARE_PACED, BARE_WHOLE, OWN, PLAIN } from '../peers/subjects.ts';
import { GROWTH, MAX_GROWTH } from '../linear/course.ts';
import { AT_SATURATION, OF_SMALLEST } from '../linear/saturation.ts';
import { BARE_BY_SESSIONS, BY_HISTORY, BY_SESSIONS } from '../scenarios/linear.ts';
import { BOUND_NAMES, MAX_LONG_ANSWER_SECONDS, MAX_PEAK_MS, OWN_BOUNDS } from '../steady/rates.ts';
import { atLeast, atMost, leastOfAll, mostOfAll, of, ofLargest, quotient, type Claim, type Measure } from './claim.ts';
import { heldRate, SLOW_MODEL } from './rates.ts';
import type { Runs } from './runs.ts';

export interface MustHold {
  part: string;
  name: string;
  limit: Claim['limit'];
  /** What is hoped for beyond the bound. */
  goal?: string;
  measure: Measure | null;
  by: string;
  /** The same against a bare object that runs as Switchboard does. */
  likeForLike?: Measure;
  /** What else is to be known; not judged either. */
  beside?: readonly { name: string; measure: Measure }[];
}

const SATURATION = 'Saturation';
const LINEAR = 'Costs grow linearly';
const THEIRS = 'finished answers/s, times theirs';
/** 99 of 100 tokens in a frame of their own; two that come in one packet are one. */
const QUIET_FRAMES = 20 * 0.99 + 3;
const BARE_LADDER = `${BARE_EACH}, ${SLOW_MODEL}`;

const longAnswers = (subject: string): Measure => of('long-answers', { subject, name: PROCESSOR });

const against = (tokens: number, subject: string): Measure =>
  of('peers', { group: `Switchboard against them, ${groupOf(tokens)}`, subject, name: THEIRS });

const billed = (subject: string, name: string): Measure =>
  of('peers', { group: 'what a turn is billed for', subject, name: `price of a million turns, ${name}` });

const peak = (name: string): Measure => of('peak', { subject: 'peak', name });
const high = (name: string, most: number): MustHold => ({
  part: 'high',
  name: `${name}, ms`,
  limit: atMost(most),
  measure: of('high', { subject: 'high', name }),
  by: 'high: 1,000 users, 10,000 messages a minute, a model at 10 ms a token',
  beside: [
    { name: 'a bare object that forwards each token', measure: of('high', { subject: BARE_EACH, name }) },
    { name: 'one with reads of 1 KB', measure: of('high', { subject: BARE_PACED, name }) },
  ],
});

const PEAK: readonly MustHold[] = [
  {
    part: 'peak',
    name: 'messages accepted, of 1,000/s for 60 s',
    limit: atLeast(60_000),
    measure: peak('acknowledged'),
    by: 'peak: each sent at its time, whatever became of those before, and acknowledged within 30 s after the last; 20 tokens, model at full speed',
  },
  {
    part: 'peak',
    name: 'messages lost',
    limit: atMost(0),
    measure: of('peak', { group: CHECKED, name: 'messages lost' }),
    by: 'peak: acknowledged, and not in what the killed server left on its disk',
  },
  {
    part: 'peak',
    name: 'messages without an answer, %',
    limit: atMost(0),
    measure: peak('not answered'),
    by: 'peak: within 30 s after the last was sent',
  },
  {
    part: 'peak',
    name: 'ours to the end p99, ms',
    limit: atMost(MAX_PEAK_MS),
    measure: peak('ours to the end p99'),
    by: 'peak: from when a message was to be sent, without what the model took',
    beside: [
      {
        name: 'a bare object that forwards each token, as Miniflare sets up any, answers at saturation, /s',
        measure: of('peers', { group: groupOf(20), subject: BARE_EACH, name: 'finished answers/s' }),
      },
    ],
  },
  {
    part: 'peak',
    name: 'highest rate held, model at 10 ms a token, messages/s',
    limit: null,
    goal: '500',
    measure: (runs) => heldRate(runs, 'peak', SLOW_MODEL),
    by: 'peak, after it: 100 users, all answered, ours to the end p95 under 50 ms',
    beside: [{ name: 'stress, 500 users', measure: (runs) => heldRate(runs, 'stress', SLOW_MODEL) }],
  },
  {
    part: 'peak',
    name: 'the same with 500 users, of what a bare object holds that forwards each token',
    limit: atLeast(1),
    measure: quotient(
      (runs) => heldRate(runs, 'stress', SLOW_MODEL),
      (runs) => heldRate(runs, 'stress', BARE_LADDER),
    ),
    by: 'stress: 500 users, the bare object set up as Switchboard is',
    beside: [{ name: 'it holds, messages/s', measure: (runs) => heldRate(runs, 'stress', BARE_LADDER) }],
  },
  {
    part: 'peak',
    name: 'processor per 1,000 answers of 200 tokens, s',
    limit: atMost(MAX_LONG_ANSWER_SECONDS),
    measure: longAnswers('long-answers'),
    by: 'long-answers: 100 users, 1,000 messages a minute, a model at 10 ms a token',
    beside: [
      {
        name: 'peers, at saturation',
        measure: of('peers', { group: groupOf(200), subject: OWN, name: 'server processor per answer' }),
      },
    ],
  },
  {
    part: 'peak',
    name: 'the same, of what a bare object takes that forwards each token',
    limit: null,
    goal: '0.43',
    measure: quotient(longAnswers('long-answers'), longAnswers(BARE_EACH)),
    by: 'long-answers: 6 s were asked for where a bare object took 14, and one with reads of 1 KB 4.2',
    beside: [
      { name: 'it takes, s', measure: longAnswers(BARE_EACH) },
      { name: 'one with reads of 1 KB, s', measure: longAnswers(BARE_PACED) },
    ],
  },
];

const SATURATED: readonly MustHold[] = [
  {
    part: SATURATION,
    name: '20 tokens: of an object that reads the whole answer',
    limit: atLeast(MIN_OF_WHOLE.fewTokens),
    goal: '0.6',
    measure: against(20, BARE_WHOLE),
    likeForLike: against(20, BARE_DIRECT),
    by: 'peers: finished answers/s, 100 connections, the median of rounds in turn',
  },
  {
    part: SATURATION,
    name: '20 tokens: times AIChatAgent',
    limit: atLeast(MIN_TIMES_AI_CHAT),
    measure: against(20, AI_CHAT),
    by: 'peers',
  },
  {
    part: SATURATION,
    name: '20 tokens: times the older Python controller',
    limit: atLeast(MIN_TIMES_PYTHON),
    measure: timesPython,
    by: `peers: against ${PYTHON_PER_SECOND}/s, which was measured elsewhere; it does not run here`,
  },
  {
    part: SATURATION,
    name: '20 tokens: of a plain Node process with SQLite',
    limit: null,
    goal: '1',
    measure: against(20, PLAIN),
    by: 'peers',
  },
  {
    part: SATURATION,
    name: '200 tokens: of an object that reads the whole answer',
    limit: atLeast(MIN_OF_WHOLE.manyTokens),
    measure: against(200, BARE_WHOLE),
    likeForLike: against(200, BARE_DIRECT),
    by: 'peers',
    beside: [
      { name: 'of plain Node', measure: against(200, PLAIN) },
      { name: 'times AIChatAgent', measure: against(200, AI_CHAT) },
    ],
  },
];

const HIGH: readonly MustHold[] = [
  {
    part: 'high',
    name: 'messages without an answer, %',
    limit: atMost(0),
    measure: of('high', { subject: 'high', name: 'not answered' }),
    by: 'high: within 30 s after the last was sent; the times below are of those that were answered',
  },
  ...OWN_BOUNDS.map(({ of: time, percent, ms }) => high(`${BOUND_NAMES[time]} p${percent}`, ms)),
  {
    part: 'high',
    name: 'frames an answer when the server is quiet',
    limit: atLeast(QUIET_FRAMES),
    measure: of('low', { subject: 'low', name: 'frames per answer' }),
    by: 'low: 10 users, 20 tokens an answer, and an acknowledgement, the message and the whole reply: with fewer frames tokens waited for others',
  },
];

const CONNECTIONS: readonly MustHold[] = [
  {
    part: 'connections',
    name: 'memory each above a bare object, kB',
    limit: atMost(MAX_ABOVE_BARE_KB),
    // A heap grows once with the first connections: the more there were, the less of it is in what each takes.
    measure: ofLargest('connections', { subject: OWN, name: `memory each above the ${BARE}` }),
    by: 'connections: the runtime’s growth by each, when quiet; the largest step',
  },
  {
    part: 'connections',
    name: 'memory of a further connection to the same session, kB',
    limit: atMost(MAX_FURTHER_TAB_KB),
    measure: of('connections', { subject: OWN, name: `that, above the ${BARE}` }),
    by: 'connections: above the same to a bare object, since most of it is what any connection takes the local runtime',
    beside: [{ name: 'in all', measure: of('connections', { subject: OWN, name: 'memory of a further connection' }) }],
  },
  {
    part: 'Price',
    name: 'of a turn, of AIChatAgent’s',
    limit: atMost(MAX_PRICE_OF_AI_CHAT),
    measure: quotient(billed(OWN, 'rows and requests'), billed(AI_CHAT, 'rows and requests')),
    by: 'peers: rows and requests as counted, at Cloudflare’s prices',
    beside: [
      {
        name: 'with object seconds',
        measure: quotient(billed(OWN, 'with object seconds'), billed(AI_CHAT, 'with object seconds')),
      },
    ],
  },
];

const grown = (group: string): Measure => mostOfAll('linear', { group, name: GROWTH });

const COSTS: readonly MustHold[] = [
  {
    part: LINEAR,
    name: 'processor per answer, 10 to 1,000 sessions, times that of 10',
    limit: atMost(MAX_GROWTH),
    measure: grown(BY_SESSIONS),
    by: 'linear: the same 125 messages/s in all, every session awake; the worst',
    beside: [{ name: 'a bare object that reads the whole answer', measure: grown(BARE_BY_SESSIONS) }],
  },
  {
    part: LINEAR,
    name: 'processor per answer, 10 to 10,000 messages each, times that of 10',
    limit: atMost(MAX_GROWTH),
    measure: grown(BY_HISTORY),
    by: 'linear: the worst',
  },
  {
    part: LINEAR,
    name: 'answers/s at saturation, 10 to 1,000 sessions, of those with 10',
    limit: atLeast(1 / MAX_GROWTH),
    measure: leastOfAll('linear', {
      group: AT_SATURATION,
      name: OF_SMALLEST,
    }),
    by: 'linear: users who ask as fast as they are answered; the worst',
  },
  {
    part: 'Performance run',
    name: 'fails on a fall of more than 25 %',
    limit: null,
    measure: null,
    by: 'npm test: test/load/performance.test.ts compares with a bare object in the same run; a report does not run it',
  },
];

export const MUST_HOLD: readonly MustHold[] = [...PEAK, ...SATURATED, ...HIGH, ...CONNECTIONS, ...COSTS];

function timesPython(runs: Runs): number | null {
  const own = runs.value('peers', { group: groupOf(20), subject: OWN, name: 'finished answers/s' });
  return own === null ? null : own / PYTHON_PER_SECOND;
}
