/** What was measured of operations as figures, gates and a chart, beside what the reports say of them. */
import { Latencies } from '../histogram.ts';
import { lateGate } from '../measure/figures.ts';
import type { Usage } from '../measure/usage.ts';
import { BYTES_PER_MB } from '../processes.ts';
import { atLeast, atMost, type Chart, type Figure, type Gate } from '../scenario.ts';
import { OPERATIONS, type Measured, type Operation } from './rounds.ts';
import type { Talking } from './talking.ts';

const PERCENTS = [50, 95, 99];

/** What the reports say of an operation, in ms, and how many times better the 95th percentile has to be. */
const CLAIMS: Readonly<Partial<Record<Operation, { ms: number; better: number }>>> = {
  'list bots': { ms: 45, better: 5 },
  'bot status': { ms: 52, better: 5 },
  launch: { ms: 850, better: 5 },
  stop: { ms: 250, better: 5 },
  'send message': { ms: 120, better: 5 },
  'send message, as a frame': { ms: 120, better: 5 },
  'load history': { ms: 65, better: 5 },
  'database query': { ms: 15, better: 1 },
  'frame there and back': { ms: 25, better: 1 },
};
const CLAIMED_CALLS_PER_SECOND = 15.2;
const CLAIMED_BOT_MB = 125;
const CLAIMED_IDLE_PERCENT = 5;
/** The reports' bound for the processor with so many bots. */
const CLAIMED_TALKING = { bots: 5, percent: 15 };

export interface Step {
  bots: number;
  measured: Measured;
  callsPerSecond: number;
  idlePercent: number | null;
  /** While the rounds ran. */
  usage: Usage;
}

export function stepFigures({ bots, measured, callsPerSecond: calls, idlePercent: idle }: Step): Figure[] {
  const subject = `${bots} bots`;
  const figure = (group: string, name: string, unit: string, value: number | null): Figure => {
    return { group, subject, name, unit, value };
  };
  const times = OPERATIONS.flatMap((operation) => {
    const latencies = measured.get(operation) ?? new Latencies();
    return PERCENTS.map((percent) =>
      figure('operations', `${operation} p${percent}`, 'ms', latencies.percentile(percent)),
    );
  });
  const counted = measured.get('list bots')?.count ?? 0;
  return [
    ...times,
    figure('operations', 'rounds', '', counted),
    figure('the API', 'calls/s', '', calls),
    figure('the API', 'server idle', '% of a core', idle),
  ];
}

export function claimFigures(): Figure[] {
  const of = (subject: string, group: string, name: string, unit: string, value: number): Figure => {
    return { group, subject, name, unit, value };
  };
  const claimed = OPERATIONS.flatMap((operation) => {
    const claim = CLAIMS[operation];
    if (!claim) return [];
    const name = `${operation} p95`;
    return [
      of('reports', 'operations', name, 'ms', claim.ms),
      of('bound', 'operations', name, 'ms', claim.ms / claim.better),
    ];
  });
  return [
    ...claimed,
    of('reports', 'the API', 'calls/s', '', CLAIMED_CALLS_PER_SECOND),
    of('reports', 'the API', 'server idle', '% of a core', CLAIMED_IDLE_PERCENT),
    of('reports', 'bots talking at once', 'memory each', 'MB', CLAIMED_BOT_MB),
    of('reports', 'bots talking at once', 'server busy', '% of a core', CLAIMED_TALKING.percent),
  ];
}

export function endpointFigures(endpoint: Latencies): Figure[] {
  return PERCENTS.map((percent) => ({
    group: 'what the endpoint itself takes at a launch, contained above',
    subject: 'simulator',
    name: `probe and load p${percent}`,
    unit: 'ms',
    value: endpoint.percentile(percent),
  }));
}

export function talkingFigures({ bots, phase, bytesEach, processorPercent }: Talking): Figure[] {
  const figure = (name: string, unit: string, value: number | null): Figure => {
    return { group: 'bots talking at once', subject: `${bots} bots`, name, unit, value };
  };
  const { timings, usage } = phase;
  const peak = usage.serverBytesPeak;
  return [
    figure('messages sent', '', phase.sent),
    figure('messages answered', '', phase.answered),
    figure('answers/s', '', phase.answersPerSecond),
    figure('acknowledged p95', 'ms', timings.acknowledged.percentile(95)),
    figure('ours to the end p95', 'ms', timings.oursToEnd.percentile(95)),
    figure('memory each', 'MB', bytesEach === null ? null : bytesEach / BYTES_PER_MB),
    figure('server memory in all', 'MB', peak === null ? null : peak / BYTES_PER_MB),
    figure('server busy', '% of a core', processorPercent),
    figure('server busy for each bot', '% of a core', processorPercent === null ? null : processorPercent / bots),
  ];
}

export function stepGates({ bots, measured, callsPerSecond: calls, idlePercent: idle }: Step): Gate[] {
  const times = OPERATIONS.flatMap((operation) => {
    const claim = CLAIMS[operation];
    if (!claim) return [];
    const value = measured.get(operation)?.percentile(95) ?? null;
    return [atMost(`${bots} bots: ${operation} p95, ms`, value, claim.ms / claim.better)];
  });
  return [
    ...times,
    atLeast(`${bots} bots: API calls/s`, calls, CLAIMED_CALLS_PER_SECOND),
    atMost(`${bots} bots: server idle, % of a core`, idle, CLAIMED_IDLE_PERCENT),
  ];
}

export function talkingGates({ bots, phase, bytesEach, processorPercent }: Talking): Gate[] {
  return [
    atMost(`${bots} bots talking: messages without an answer`, phase.sent - phase.answered, 0),
    lateGate(phase),
    atMost(`${bots} bots talking: memory each, MB`, (bytesEach ?? Number.NaN) / BYTES_PER_MB, CLAIMED_BOT_MB),
    ...(bots === CLAIMED_TALKING.bots
      ? [atMost(`${bots} bots talking: server busy, % of a core`, processorPercent, CLAIMED_TALKING.percent)]
      : []),
  ];
}

/** Times of a machine that had other work are times of that work, too. */
export function stepNotes({ bots, usage }: Step): string[] {
  if (usage.otherProcessor === null) return [];
  const percent = Math.round((usage.otherProcessor / usage.seconds) * 100);
  return [`${bots} bots: beside server, model and the lab itself the machine was busy for ${percent} % of a core.`];
}

export function operationsChart(steps: readonly Step[]): Chart {
  const claimed = OPERATIONS.filter((operation) => CLAIMS[operation]);
  return {
    title: 'Operations, 95th percentile',
    kind: 'bars',
    x: '',
    y: 'ms',
    labels: claimed,
    series: [
      ...steps.map(({ bots, measured }) => ({
        name: `${bots} bots`,
        points: claimed.map((operation, index): [number, number] => [
          index,
          measured.get(operation)?.percentile(95) ?? 0,
        ]),
      })),
      {
        name: 'reports',
        points: claimed.map((operation, index): [number, number] => [index, CLAIMS[operation]?.ms ?? 0]),
      },
    ],
  };
}
