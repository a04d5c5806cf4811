/** A gate that cannot be missed shows nothing, and one that cannot be held says nothing of the server. */
import { expect, test } from 'vitest';
import { BARE, heldGates, tabGates, wakingGates, type Held, type Wakings } from '../../load/connections/results.ts';
import type { TalkColumns } from '../../load/generator/open-loop.ts';
import { Latencies } from '../../load/histogram.ts';
import type { Gate } from '../../load/scenario.ts';
import { noiseNotes } from '../../load/measure/noise.ts';
import type { Phase } from '../../load/measure/phase.ts';
import { fillingOf, growthGates, IN_USE } from '../../load/scenarios/soak.ts';
import { bareFigures, boundGates } from '../../load/scenarios/steady.ts';
import type { Bound } from '../../load/steady/rates.ts';
import { OWN } from '../../load/peers/subjects.ts';
import { whoIsAsked } from '../../load/stress/climb.ts';
import { heldGate } from '../../load/stress/results.ts';

const QUICK = Latencies.of([1, 2, 3]);
const NOTHING = new Latencies();
const STEADY: { name: string; bounds: Bound[] } = {
  name: 'low',
  bounds: [
    { of: 'answered', percent: 95, ms: 500 },
    { of: 'oursToFirst', percent: 50, ms: 5 },
    { of: 'oursToEnd', percent: 99, ms: 80 },
  ],
};
const HELD: Held = {
  users: 10,
  live: 10,
  reconnects: 0,
  pongs: 30,
  pongsWanted: 30,
  bytesEach: null,
  bytesEachQuiet: null,
  processorPercent: null,
  connectSeconds: 1,
};
const ASLEEP: Wakings = {
  users: 10,
  pongs: 30,
  pongsWanted: 30,
  counted: { frames: 0, built: 0, alarms: 0, objectRequests: 0 },
};

function missed(gates: readonly Gate[]): string[] {
  return gates.filter(({ ok }) => !ok).map(({ name }) => name);
}

test('without a model of the lab’s own only the whole answer has a bound', () => {
  const elsewhere = boundGates(STEADY, { answered: QUICK, oursToFirst: NOTHING, oursToEnd: NOTHING }, false);
  expect(elsewhere).toMatchObject([{ name: 'low: answer p95, ms', ok: true }]);
  const own = boundGates(STEADY, { answered: QUICK, oursToFirst: QUICK, oursToEnd: QUICK }, true);
  expect(own).toHaveLength(3);
  expect(missed(own)).toEqual([]);
});

test('what should have been measured and was not misses its bound', () => {
  const gates = boundGates(STEADY, { answered: NOTHING, oursToFirst: NOTHING, oursToEnd: NOTHING }, true);
  expect(missed(gates)).toHaveLength(3);
  expect(missed(boundGates(STEADY, { answered: NOTHING, oursToFirst: NOTHING, oursToEnd: NOTHING }, false))).toEqual([
    'low: answer p95, ms',
  ]);
});

const FAST = { name: 'fast', leastPerSecond: 87 };

test('a server that holds no rate fails, however few users it had', () => {
  for (const users of [1, 100, 500]) expect(heldGate(FAST, null, users).ok).toBe(false);
  expect(heldGate(FAST, 86, 500)).toMatchObject({ ok: false, limit: 87 });
  expect(heldGate(FAST, 87, 500).ok).toBe(true);
  expect(heldGate(FAST, 1, 1)).toMatchObject({ ok: true, limit: 0.5 });
});

test('connections hold when each of them could have had a heartbeat answered', () => {
  expect(missed(heldGates(HELD))).toEqual([]);
  const heartbeats = ['10 connections: heartbeats answered'];
  expect(missed(heldGates({ ...HELD, pongs: 29 }))).toEqual(heartbeats);
  // Too short a time to want any.
  expect(missed(heldGates({ ...HELD, pongs: 0, pongsWanted: 0 }))).toEqual(heartbeats);
  expect(missed(heldGates({ ...HELD, live: 9, reconnects: 1 }))).toHaveLength(2);
});

test('memory is judged where there is something to hold it against', () => {
  const bare = { ...HELD, bytesEachQuiet: 100_000 };
  expect(missed(heldGates({ ...HELD, bytesEachQuiet: 132_000 }, bare))).toEqual([]);
  expect(missed(heldGates({ ...HELD, bytesEachQuiet: 132_100 }, bare))).toHaveLength(1);
  expect(missed(heldGates({ ...HELD, bytesEachQuiet: 132_100 }))).toEqual([]);
  // What should have been measured, and was not, is no success.
  expect(missed(heldGates(HELD, bare))).toHaveLength(1);
  expect(missed(tabGates({ [OWN]: 90_000, [BARE]: 80_000 }))).toEqual([]);
  expect(missed(tabGates({ [OWN]: 93_000, [BARE]: 80_000 }))).toHaveLength(1);
  expect(missed(tabGates({ [OWN]: null, [BARE]: 80_000 }))).toHaveLength(1);
});

test('that nobody was woken shows something only when there were heartbeats', () => {
  expect(missed(wakingGates(ASLEEP))).toEqual([]);
  expect(missed(wakingGates({ ...ASLEEP, pongs: 0, pongsWanted: 0 }))).toEqual([
    'heartbeats of idle connections answered',
  ]);
  const woken = { ...ASLEEP, counted: { ...ASLEEP.counted, frames: 1, built: 1 } };
  expect(missed(wakingGates(woken))).toHaveLength(2);
});

test('growth that was not measured misses its bound', () => {
  const grown = (value: number | null) =>
    growthGates([{ group: 'growth', subject: 'an hour', unit: 'MB', name: IN_USE, value }]);
  expect(grown(9)).toMatchObject([{ ok: true, limit: 10 }]);
  expect(missed(grown(11))).toHaveLength(1);
  expect(missed(grown(null))).toHaveLength(1);
  expect(missed(growthGates([]))).toHaveLength(1);
});

test('caches are filled for ten minutes at most, by few users at four messages a second each', () => {
  expect(fillingOf(50)).toEqual({ turns: 1_101, perSecond: 120, seconds: 459 });
  expect(fillingOf(500)).toEqual({ turns: 144, perSecond: 120, seconds: 600 });
  expect(fillingOf(1)).toEqual({ turns: 1_100, perSecond: 4, seconds: 275 });
});

test('a bare object that left messages unanswered, or was asked late, says nothing', () => {
  const times = (offset: number) => Float64Array.from({ length: 100 }, (_, row) => row * 10 + offset);
  const columnsOf = (late: number): TalkColumns => ({
    user: times(0),
    number: times(0),
    intendedAt: times(0),
    sentAt: times(late),
    ackAt: times(late),
    firstAt: times(late),
    replyAt: times(late),
    failedAt: times(Number.NaN),
  });
  const timings = {
    acknowledged: QUICK,
    firstToken: QUICK,
    answered: QUICK,
    oursToFirst: Latencies.of([4, 5, 6]),
    oursToEnd: Latencies.of([7, 8, 9]),
    late: QUICK,
    model: QUICK,
  };
  const bare = (sent: number, late = 0): Phase => ({
    name: 'bare object, each token',
    users: 1,
    messagesPerMinute: 600,
    seconds: 10,
    sent,
    acknowledged: 100,
    answered: 100,
    answersPerSecond: 10,
    problems: {},
    timings,
    ours: { toFirst: new Float64Array(), toEnd: new Float64Array() },
    columns: columnsOf(late),
    startAt: 0,
    usage: {
      seconds: 10,
      processor: { server: 2, model: null, generator: null },
      otherProcessor: 0,
      serverBytesBefore: null,
      serverBytesAfter: null,
      serverBytesPeak: null,
      samples: [],
    },
    counted: null,
    framesPerAnswer: null,
    charactersPerAnswer: null,
    reconnects: 0,
  });
  const figures = (phase: Phase) => bareFigures('', phase).map(({ name, value }) => [name, value && Math.round(value)]);
  const names = ['ours to the first token p50', 'ours to the first token p99', 'ours to the end p99'];
  const processor = 'server processor per 1,000 answers';
  expect(figures(bare(100))).toEqual([...names.map((name, at) => [name, [5, 6, 9][at]]), [processor, 20]]);
  expect(figures(bare(101))).toEqual([...names, processor].map((name) => [name, null]));
  expect(figures(bare(100, 21))).toEqual([...names, processor].map((name) => [name, null]));
});

test('who held less is asked for as much; a bare object that held no more is asked for more', () => {
  const at = (perSecond: number | null) => ({ held: perSecond === null ? null : { perSecond } });
  expect(whoIsAsked(at(100), at(120))).toEqual({ who: 'own', perSecond: 120 });
  expect(whoIsAsked(at(null), at(120))).toEqual({ who: 'own', perSecond: 120 });
  expect(whoIsAsked(at(100), at(92))).toEqual({ who: 'bare', perSecond: 100 });
  expect(whoIsAsked(at(100), at(null))).toEqual({ who: 'bare', perSecond: 100 });
  const { who, perSecond } = whoIsAsked(at(100), at(100));
  expect(who).toBe('bare');
  expect(perSecond).toBeGreaterThan(100);
  expect(whoIsAsked(at(null), at(null)).who).toBeNull();
});

test('a machine with other work is told of from a fifth of a core on', () => {
  expect(noiseNotes([5, 19.9, null], '')).toEqual([]);
  expect(noiseNotes([], '')).toEqual([]);
  expect(noiseNotes([5, 20, null], 'Read the ratios.')).toEqual([
    'THE MACHINE WAS NOT QUIET: other work took up to 20 % of a core. Read the ratios.',
  ]);
});
