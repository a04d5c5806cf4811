/** The comparison as figures and gates. */
import type { Timings } from '../driver.ts';
import { BYTES_PER_MB } from '../processes.ts';
import { figuresOfRounds, type Round } from '../round.ts';
import { atLeast, atMost, type Chart, type Figure, type Gate } from '../scenario.ts';
import { median } from '../statistics.ts';
import { roundsGates, type Stored } from '../targets.ts';
import { priceOf, priceWithSeconds, type Bill } from './billing.ts';
import type { CrashCounts } from './crash.ts';
import { AI_CHAT, BARE_WHOLE, OWN, SUBJECTS, type Subject } from './subjects.ts';

/** Of the object that reads the answer at once and keeps nothing; more tokens leave more of the work to the reading. */
export const MIN_OF_WHOLE = { fewTokens: 0.4, manyTokens: 0.5 };
const MANY_TOKENS = 100;
export const MIN_TIMES_AI_CHAT = 25;
/** The older controller in Python, with 20 tokens an answer, as it was measured once: on another, faster machine. */
export const PYTHON_PER_SECOND = 150;
export const MIN_TIMES_PYTHON = 8;
export const MAX_PRICE_OF_AI_CHAT = 0.25;

export interface Course {
  /** By their numbers: one that failed is missing. */
  rounds: Map<number, Round>;
  timings: Timings;
  /** Why there are fewer rounds than were wanted. */
  problem: string | null;
}
export type Courses = ReadonlyMap<Subject, Course>;

/** What all servers did with answers of one length. */
export interface Compared {
  tokens: number;
  /** That were wanted of each. */
  rounds: number;
  courses: Courses;
  /** Of Switchboard: what D1 and `GET messages` have of it. */
  stored: Stored;
  /** What the rest of the machine was busy with meanwhile, in percent of a core. */
  otherPercent: number | null;
}

/** Of each server's figures. */
export function groupOf(tokens: number): string {
  return `${tokens} tokens an answer`;
}

export function courseFigures(tokens: number, courses: Courses): Figure[] {
  const group = groupOf(tokens);
  return [...courses].flatMap(([subject, { rounds, timings }]) => {
    const figure = figuresOfRounds(group, subject, [...rounds.values()]);
    const times = (
      [
        ['acknowledged', timings.ack],
        ['first token', timings.first],
        ['reply', timings.reply],
      ] as const
    ).flatMap(([name, latencies]) =>
      [50, 99].map((percent): Figure => {
        return { group, subject, name: `${name} p${percent}`, unit: 'ms', value: latencies.percentile(percent) };
      }),
    );
    return [
      // Where no reply came within the window, its length says nothing.
      figure('answers/s', '', (own) => own.answersPerSecond || null),
      figure('finished answers/s', '', (own) => own.finishedPerSecond),
      figure('server processor per answer', 'ms', (own) => own.serverMs),
      figure('server busy in the window', '% of a core', (own) => own.serverLoad && own.serverLoad * 100),
      ...times,
      figure('server memory', 'MB', (own) => own.residentBytes && own.residentBytes / BYTES_PER_MB),
      figure('frames per answer', '', (own) => own.framesPerAnswer),
      figure('messages lost', '', ({ counts }) => counts && counts.lost),
      figure('messages doubled', '', ({ counts }) => counts && counts.doubled),
      figure('messages altered', '', ({ counts }) => counts && counts.altered),
    ];
  });
}

/** Our rounds over the other's, each with the one of the same number, in the middle. */
function ratio(courses: Courses, other: Subject, of: (round: Round) => number | null): number {
  const others = courses.get(other)?.rounds;
  const ratios = [...(courses.get(OWN)?.rounds ?? [])].flatMap(([number, own]) => {
    const beside = others?.get(number);
    const [value, base] = [of(own), beside ? of(beside) : null];
    return value === null || base === null || base === 0 ? [] : [value / base];
  });
  return median(ratios);
}

export function courseGates({ tokens, rounds, courses, stored }: Compared): Gate[] {
  const group = groupOf(tokens);
  const finished = ({ finishedPerSecond }: Round): number => finishedPerSecond;
  const own = [...(courses.get(OWN)?.rounds.values() ?? [])];
  const isShort = tokens < MANY_TOKENS;
  return [
    atLeast(
      `${group}: of the bare object that reads the whole answer`,
      ratio(courses, BARE_WHOLE, finished),
      isShort ? MIN_OF_WHOLE.fewTokens : MIN_OF_WHOLE.manyTokens,
    ),
    ...(isShort
      ? [
          atLeast(`${group}: times AIChatAgent`, ratio(courses, AI_CHAT, finished), MIN_TIMES_AI_CHAT),
          atLeast(
            `${group}: times the older Python controller’s ${PYTHON_PER_SECOND}/s, on another machine`,
            median(own.map(finished)) / PYTHON_PER_SECOND,
            MIN_TIMES_PYTHON,
          ),
        ]
      : []),
    atMost(`${group}: rounds that failed`, rounds - own.length, 0),
    ...roundsGates(group, own, stored),
  ];
}

export function ratioFigures(tokens: number, courses: Courses): Figure[] {
  const finished = ({ finishedPerSecond }: Round): number => finishedPerSecond;
  const processor = ({ serverMs }: Round): number | null => serverMs;
  return SUBJECTS.filter((subject) => subject !== OWN).flatMap((subject) => {
    const figure = (name: string, value: number): Figure => {
      return {
        group: `Switchboard against them, ${groupOf(tokens)}`,
        subject,
        name,
        unit: '',
        value: Number.isNaN(value) ? null : value,
      };
    };
    return [
      figure('finished answers/s, times theirs', ratio(courses, subject, finished)),
      figure('processor per answer, times theirs', ratio(courses, subject, processor)),
    ];
  });
}

export function billFigures(bills: ReadonlyMap<Subject, Bill | null>): Figure[] {
  return [...bills].flatMap(([subject, bill]) => {
    const figure = (name: string, unit: string, of: (own: Bill) => number): Figure => {
      return { group: 'what a turn is billed for', subject, name, unit, value: bill && of(bill) };
    };
    return [
      figure('turns counted', '', ({ answers }) => answers),
      figure('rows written per turn', '', ({ billed }) => billed.rowsWritten),
      figure('rows read per turn', '', ({ billed }) => billed.rowsRead),
      figure('object requests per turn', '', ({ billed }) => billed.objectRequests),
      figure('frames received per turn', '', ({ billed }) => billed.frames),
      figure('rows written to begin a conversation', '', ({ rowsToBegin }) => rowsToBegin),
      figure('price of a million turns, rows and requests', '$', priceOf),
      figure('object seconds per turn', 's', ({ heldSeconds }) => heldSeconds),
      figure('price of a million turns, with object seconds', '$', priceWithSeconds),
    ];
  });
}

export function billGates(bills: ReadonlyMap<Subject, Bill | null>): Gate[] {
  const [own, theirs] = [bills.get(OWN), bills.get(AI_CHAT)];
  const part = own && theirs ? priceOf(own) / priceOf(theirs) : Number.NaN;
  const unanswered = (bill: Bill | null | undefined): number => (bill ? bill.sent - bill.answers : Number.NaN);
  return [
    atMost('price of a turn, rows and requests, of AIChatAgent’s', part, MAX_PRICE_OF_AI_CHAT),
    // What they cost would be counted for the others.
    atMost('billed turns without an answer, theirs too', unanswered(own) + unanswered(theirs), 0),
  ];
}

const CRASH = 'after a crash (SIGKILL in the middle)';

export function crashFigures(crashes: ReadonlyMap<Subject, CrashCounts | null>): Figure[] {
  return [...crashes].flatMap(([subject, counts]) => {
    const figure = (name: string, of: keyof CrashCounts): Figure => {
      return { group: CRASH, subject, name, unit: '', value: counts?.[of] ?? null };
    };
    return [
      figure('messages sent', 'sent'),
      figure('acknowledged, and gone', 'acknowledgedLost'),
      figure('sent, and gone', 'missing'),
      figure('there, and never answered', 'unanswered'),
      figure('answers seen, and gone or another', 'repliesLost'),
      figure('doubled', 'doubled'),
    ];
  });
}

export function crashGates(crashes: ReadonlyMap<Subject, CrashCounts | null>): Gate[] {
  const own = crashes.get(OWN);
  const gate = (name: string, of: keyof CrashCounts): Gate => atMost(`crash: ${name}`, own?.[of] ?? null, 0);
  return [
    gate('sent, and gone', 'missing'),
    gate('there, and never answered', 'unanswered'),
    gate('answers seen, and gone or another', 'repliesLost'),
    gate('doubled', 'doubled'),
  ];
}

export function ratesChart(tokens: number, courses: Courses): Chart {
  const shown = [...courses].filter(([, { rounds }]) => rounds.size > 0);
  return {
    title: `Finished answers/s, ${groupOf(tokens)}`,
    kind: 'bars',
    x: '',
    y: 'answers/s',
    labels: shown.map(([subject]) => subject),
    series: [
      {
        name: 'median of the rounds',
        points: shown.map(([, { rounds }], index) => [
          index,
          median([...rounds.values()].map(({ finishedPerSecond }) => finishedPerSecond)),
        ]),
      },
    ],
  };
}
