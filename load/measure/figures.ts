/** A phase as figures, gates and charts, the same for every scenario that measures phases. */
import { CLASS_BOUNDS_MS, type Latencies } from '../histogram.ts';
import type { Settled } from '../lab/bench.ts';
import { BYTES_PER_MB } from '../processes.ts';
import { atMost, type Chart, type Figure, type Gate } from '../scenario.ts';
import { noiseNotes, otherPercent } from './noise.ts';
import { mostUnderWay } from './queue.ts';
import { stretches } from './stretches.ts';
import { talkSeconds, type Phase } from './phase.ts';
import { pricePerMillion, type Billed } from './price.ts';

/** A generator that is later than this measures itself: 99 of 100 messages have to go out within it. */
export const LATE_MS = 20;
const MAX_LATE_SHARE = 0.01;
/** In a run of a few messages each of them is more than a hundredth. */
const MAX_LATE_FEW = 2;
/** The group of what the checker counted, over a whole run. */
export const CHECKED = 'every message, checked';
/** Of the server; the same name wherever it is measured. */
export const PROCESSOR = 'server processor per 1,000 answers';
/** What a chart of a stretch of time is drawn from. */
const CHART_POINTS = 60;

/** @param group the table; the phase's name is the column */
export function phaseFigures(group: string, phase: Phase): Figure[] {
  const figure = (name: string, unit: string, value: number | null): Figure => {
    return { group, subject: phase.name, name, unit, value };
  };
  const { timings, usage } = phase;
  const megabytes = (bytes: number | null): number | null => (bytes === null ? null : bytes / BYTES_PER_MB);
  const { server } = usage.processor;
  return [
    figure('users', '', phase.users),
    figure('messages wanted', 'a minute', phase.messagesPerMinute),
    figure('sent', '', phase.sent),
    figure('acknowledged', '', phase.acknowledged),
    figure('answered', '', phase.answered),
    figure('not answered', '%', phase.sent === 0 ? 0 : ((phase.sent - phase.answered) / phase.sent) * 100),
    figure('answers/s', '', phase.answersPerSecond),
    figure('messages under way at most', '', mostUnderWay(phase.columns)),
    figure('connections that held', '%', heldPercent(phase)),
    ...latencyFigures(figure, 'acknowledged', timings.acknowledged),
    ...latencyFigures(figure, 'first token', timings.firstToken),
    ...latencyFigures(figure, 'answer', timings.answered),
    ...latencyFigures(figure, 'ours to the first token', timings.oursToFirst),
    ...latencyFigures(figure, 'ours to the end', timings.oursToEnd),
    figure('model itself p50', 'ms', timings.model.percentile(50)),
    figure('generator late p50', 'ms', timings.late.percentile(50)),
    figure('generator late p99', 'ms', timings.late.percentile(99)),
    figure('generator late at most', 'ms', timings.late.max),
    figure(PROCESSOR, 's', processorPer1000(phase)),
    figure('model processor per 1,000 answers', 's', processorPer1000(phase, 'model')),
    figure('generator processor per 1,000 answers', 's', processorPer1000(phase, 'generator')),
    figure('server busy', '% of a core', server === null ? null : (server / talkSeconds(phase)) * 100),
    figure('server busy in one second, at most', '% of a core', busiestPercent(phase)),
    figure('other work on the machine', '% of a core', otherPercent(usage)),
    figure('server memory before', 'MB', megabytes(usage.serverBytesBefore)),
    figure('server memory after', 'MB', megabytes(usage.serverBytesAfter)),
    figure('server memory at most', 'MB', megabytes(usage.serverBytesPeak)),
    figure('frames per answer', '', phase.framesPerAnswer),
    figure('characters per answer', '', phase.charactersPerAnswer),
    ...costFigures(figure, phase),
  ];
}

/** In seconds; null: not known, or nothing was answered. */
export function processorPer1000(
  { usage, answered }: Pick<Phase, 'usage' | 'answered'>,
  role: keyof Phase['usage']['processor'] = 'server',
): number | null {
  const seconds = usage.processor[role];
  return seconds === null || answered === 0 ? null : (seconds * 1_000) / answered;
}

function heldPercent({ users, reconnects }: Phase): number | null {
  return users === 0 ? null : Math.max(0, 1 - reconnects / users) * 100;
}

function busiestPercent({ usage }: Phase): number | null {
  // The last sample ends with the watch and may be of a moment only.
  const loads = usage.samples.slice(0, -1).flatMap(({ serverLoad }) => (serverLoad === null ? [] : [serverLoad]));
  return loads.length === 0 ? null : Math.max(...loads) * 100;
}

/** What has to be said of phases that were not alone on their machine. */
export function machineNotes(phases: readonly Phase[]): string[] {
  return noiseNotes(
    phases.map(({ usage }) => otherPercent(usage)),
    'Times mean little.',
  );
}

type MakeFigure = (name: string, unit: string, value: number | null) => Figure;

function latencyFigures(figure: MakeFigure, name: string, latencies: Latencies): Figure[] {
  return [
    figure(`${name} average`, 'ms', latencies.mean),
    ...[50, 95, 99].map((percent) => figure(`${name} p${percent}`, 'ms', latencies.percentile(percent))),
    figure(`${name} at most`, 'ms', latencies.max),
  ];
}

/** What a deployment would pay for an answer; empty without counters. */
function costFigures(figure: MakeFigure, phase: Phase): Figure[] {
  const billed = billedPerAnswer(phase);
  if (billed === null) return [];
  const modelSeconds = (phase.timings.model.mean ?? 0) / 1_000;
  const withoutModel = { ...billed, objectSeconds: Math.max(0, billed.objectSeconds - modelSeconds) };
  return [
    figure('rows written per answer', '', billed.rowsWritten),
    figure('rows read per answer', '', billed.rowsRead),
    figure('object requests per answer', '', billed.objectRequests),
    figure('frames received per answer', '', billed.frames),
    figure('object seconds per answer', 's', billed.objectSeconds),
    figure('price of a million answers', '$', pricePerMillion(billed)),
    figure('price without waiting for the model', '$', pricePerMillion(withoutModel)),
  ];
}

export function billedPerAnswer({ counted, answered }: Phase): Billed | null {
  if (counted === null || answered === 0) return null;
  const per = (count: number): number => count / answered;
  return {
    rowsWritten: per(counted.objectRowsWritten + counted.historyRowsWritten),
    rowsRead: per(counted.objectRowsRead + counted.historyRowsRead),
    objectRequests: per(counted.objectRequests),
    frames: per(counted.frames),
    objectSeconds: per(counted.heldMs) / 1_000,
    workerRequests: per(counted.workerRequests),
  };
}

/** What must hold of every run, whatever its rate. */
export function integrityGates(settled: Settled): Gate[] {
  const { integrity, different, rows } = settled;
  if (!integrity) return [];
  const { counts, violations, complete } = integrity;
  return [
    atMost('not answered', counts.sent - counts.answered, 0),
    atMost('lost', counts.lost, 0),
    atMost('doubled', counts.doubled, 0),
    atMost('out of order', counts.outOfOrder, 0),
    atMost('altered', counts.altered, 0),
    atMost('histories that break a rule', violations, 0),
    ...(different === null ? [] : [atMost('told differently over HTTP', different, 0)]),
    ...(rows ? [atMost('rows missing in D1 or too many', Math.abs(rows.expected - rows.found), 0)] : []),
    atMost('histories not recorded to their end', complete ? 0 : 1, 0),
  ];
}

/** A run whose generator was late says so and fails, since its figures would flatter or blame the wrong one. */
export function lateGate({ name, sent, columns }: Phase): Gate {
  const late = columns.sentAt.filter((at, row) => at - (columns.intendedAt[row] ?? 0) > LATE_MS).length;
  const most = Math.max(MAX_LATE_FEW, Math.floor(sent * MAX_LATE_SHARE));
  return atMost(`${name}: messages that the generator sent more than ${LATE_MS} ms late`, late, most);
}

/** All was answered, and the generator was on time: figures of a phase without gates say nothing otherwise. */
export function isTelling(phase: Phase): boolean {
  return phase.answered === phase.sent && lateGate(phase).ok;
}

export function integrityFigures(group: string, { integrity, rows, deliveredMs }: Settled): Figure[] {
  if (!integrity) return [];
  const figure = (name: string, unit: string, value: number | null): Figure => {
    return { group, subject: 'all messages', name, unit, value };
  };
  const { counts } = integrity;
  return [
    figure('histories checked', '', integrity.histories),
    figure('messages sent', '', counts.sent),
    figure('messages acknowledged', '', counts.acknowledged),
    figure('messages answered', '', counts.answered),
    figure('messages lost', '', counts.lost),
    figure('messages doubled', '', counts.doubled),
    figure('messages out of order', '', counts.outOfOrder),
    figure('messages altered', '', counts.altered),
    figure('histories that break a rule', '', integrity.violations),
    figure('rows in D1', '', rows?.found ?? null),
    figure('D1 complete after the last answer', 'ms', deliveredMs),
  ];
}

export function problemNotes({ name, problems }: Phase): string[] {
  return Object.entries(problems).map(([problem, count]) => `${name}: ${count} times "${problem}"`);
}

export function integrityNotes({ integrity, open }: Settled): string[] {
  return [
    ...(open === 0
      ? []
      : [
          `NOT COMPARED: ${open} messages were still under way when it was ended. What was acknowledged has to be in the log, its answers need not; D1 and \`GET messages\` were held against nothing.`,
        ]),
    ...(integrity?.samples ?? []).map((sample) => `BROKEN RULE: ${sample}`),
  ];
}

/** How the answers' times were spread, and how the run went over its time. */
export function phaseCharts(phase: Phase): Chart[] {
  const { name, timings, usage } = phase;
  const labels = [...CLASS_BOUNDS_MS.map((bound) => `< ${bound}`), `≥ ${CLASS_BOUNDS_MS.at(-1) ?? 0}`];
  const shares = (latencies: Latencies): [number, number][] => {
    return latencies.shares.map((share, index) => [index, share * 100]);
  };
  const over = stretches(phase, CHART_POINTS);
  return [
    {
      title: `${name}: how the times are spread`,
      kind: 'bars',
      x: 'ms',
      y: '% of the answers',
      labels,
      series: [
        { name: 'answer, in all', points: shares(timings.answered) },
        { name: 'ours to the end', points: shares(timings.oursToEnd) },
      ],
    },
    {
      title: `${name}: the part that is ours, as it went`,
      kind: 'lines',
      x: 'seconds',
      y: 'ms',
      series: [
        { name: 'to the first token, p50', points: over.map((at) => [at.second, at.toFirst.percentile(50) ?? 0]) },
        { name: 'to the end, p50', points: over.map((at) => [at.second, at.toEnd.percentile(50) ?? 0]) },
        { name: 'to the end, p99', points: over.map((at) => [at.second, at.toEnd.percentile(99) ?? 0]) },
      ],
    },
    {
      title: `${name}: the server's memory`,
      kind: 'lines',
      x: 'seconds',
      y: 'MB',
      series: [
        {
          name: 'resident',
          points: usage.samples.flatMap(({ atMs, serverBytes }): [number, number][] => {
            return serverBytes === null ? [] : [[atMs / 1_000, serverBytes / BYTES_PER_MB]];
          }),
        },
      ],
    },
  ];
}
