/** A drill's run as figures and gates, the same for every drill. */
import { NOT_QUIET } from '../measure/noise.ts';
import { Latencies } from '../histogram.ts';
import { CHECKED, integrityFigures, integrityGates, integrityNotes, LATE_MS } from '../measure/figures.ts';
import { atMost, type Chart, type Figure, type Gate, type ScenarioResult } from '../scenario.ts';
import type { TalkColumns } from '../generator/open-loop.ts';
import type { Drill, DrillRun } from './drill.ts';
import {
  losses,
  lostSince,
  type Loss,
  PHASES,
  ratio,
  recovery,
  timesByPhase,
  unexplained,
  type PhaseTimes,
} from './outcome.ts';

/** What the reports claim of failures. */
export const CLAIMS = {
  seenMs: 2_000,
  recoveredMs: 5_000,
  /** They say "at once", which is no number: this is how it is taken. */
  atOnceMs: 2_000,
  /** That a user is told of a model that fell silent. */
  toldMs: 5_000,
} as const;
/** What may become of those to whom nothing was done: what a shared machine does to anybody, and no more. */
export const OTHERS = { p50: 1.25, p95: 1.5 } as const;
/** The group of what became of connections and of those who had them. */
export const LOST_CONNECTIONS = 'lost connections';
const CHART_POINTS = 60;

export type MakeFigure = (name: string, unit: string, value: number | null) => Figure;

export function figuresOf(group: string, subject = 'measured'): MakeFigure {
  return (name, unit, value) => ({ group, subject, name, unit, value });
}

export function spread(figure: MakeFigure, name: string, latencies: Latencies): Figure[] {
  return [
    figure(`${name} p50`, 'ms', latencies.percentile(50)),
    figure(`${name} p95`, 'ms', latencies.percentile(95)),
    figure(`${name} at most`, 'ms', latencies.max),
  ];
}

/** Gates of a drill in which connections are lost: seen and recovered as claimed, everybody back. */
export function connectionGates(run: DrillRun): Gate[] {
  const { wounds, outages, columns } = run;
  const lost = losses(wounds, outages);
  const { acknowledgedHealed, firstTokenHealed, never } = recovery(columns, wounds, lost, null);
  return [
    atMost('loss seen by the client after at most, ms', seen(run).max, CLAIMS.seenMs),
    atMost('healed to the next new acknowledgement at most, ms', acknowledgedHealed.max, CLAIMS.recoveredMs),
    atMost('healed to the next first token at most, ms', firstTokenHealed.max, CLAIMS.recoveredMs),
    atMost('users that were never live again', lost.length - backCount(lost), 0),
    atMost('users whose messages were never acknowledged again', never, 0),
  ];
}

/** That nobody lost a connection but those that the drill itself cut: the server may not close any for its own trouble. */
export function lostGate({ span, outages }: DrillRun, cut = 0): Gate {
  return atMost('connections lost since the fault began', lostSince(span, outages), cut);
}

function seen({ wounds, outages }: DrillRun): Latencies {
  return Latencies.of(losses(wounds, outages).map(({ lostAt, wound }) => lostAt - wound.at));
}

function othersGates({ isOther }: Drill, run: DrillRun): Gate[] {
  if (!isOther) return [];
  const { before, during } = timesByPhase(run.columns, run.span, (user) => isOther(user, run));
  return unaffectedGates('others: answer', during, before);
}

/** That people waited about as long as before. Where the machine itself stuttered, one in twenty says nothing of the server. */
export function unaffectedGates(name: string, during: PhaseTimes, before: PhaseTimes): Gate[] {
  const gate = (percent: number, most: number): Gate => {
    return atMost(`${name} p${percent}, during over before`, ratio(during.answer, before.answer, percent), most);
  };
  return [gate(50, OTHERS.p50), ...(isLate(during) || isLate(before) ? [] : [gate(95, OTHERS.p95)])];
}

function isLate({ late }: PhaseTimes): boolean {
  return (late.percentile(99) ?? 0) > LATE_MS;
}

export function resultOf(drill: Drill, run: DrillRun): ScenarioResult {
  const { columns, wounds, span, outages, settled, problems } = run;
  const verdict = drill.judge(run);
  const all = timesByPhase(columns, span);
  const late = Math.max(...PHASES.map((phase) => all[phase].late.percentile(99) ?? 0));
  const early = unexplained(span, outages);
  return {
    figures: [
      ...PHASES.flatMap((phase) => phaseFigures('everybody', phase, all[phase])),
      ...effectFigures(drill, run),
      ...connectionFigures(run),
      ...(verdict.figures ?? []),
      ...integrityFigures(CHECKED, settled),
    ],
    gates: [
      ...verdict.gates,
      ...othersGates(drill, run),
      ...integrityGates(settled).filter(({ name }) => name !== 'not answered'),
      atMost('connections lost before the fault', early, 0),
    ],
    notes: [
      `${run.users} users send ${Math.round(run.messagesPerMinute)} messages a minute by the clock, whatever becomes of the server; all times count from when a message was to be sent.`,
      `Faults: ${wounds.map(({ name, at, healedAt }) => `${name} (${Math.round(healedAt - at)} ms)`).join(', ')}.`,
      ...(late > LATE_MS
        ? [
            `${NOT_QUIET}: messages were sent up to ${Math.round(late)} ms late (p99), and that is in every time here. Of the effect on others only the median is judged.`,
          ]
        : []),
      ...verdict.notes,
      ...Object.entries(problems).map(([problem, count]) => `${count} times "${problem}"`),
      ...integrityNotes(settled),
    ],
    charts: [answersChart(columns, run)],
  };
}

/** Every message is to be answered, unless the drill itself takes answers away. */
export function answeredGate({ columns }: DrillRun): Gate {
  return atMost('not answered', columns.replyAt.filter((at) => Number.isNaN(at)).length, 0);
}

function phaseFigures(group: string, phase: string, times: PhaseTimes): Figure[] {
  const figure = figuresOf(group, phase);
  return [
    figure('sent', '', times.sent),
    figure('answered', '', times.answered),
    ...spread(figure, 'acknowledged', times.acknowledged),
    ...spread(figure, 'first token', times.firstToken),
    ...spread(figure, 'answer', times.answer),
    figure('generator late p99', 'ms', times.late.percentile(99)),
  ];
}

function effectFigures({ isOther }: Drill, run: DrillRun): Figure[] {
  const { columns, span } = run;
  const rows = (subject: string, choose?: (user: number) => boolean): Figure[] => {
    const { before, during, after } = timesByPhase(columns, span, choose);
    const figure = figuresOf('effect, as a ratio', subject);
    return [50, 95].flatMap((percent) => [
      figure(`acknowledged p${percent}, during / before`, '', ratio(during.acknowledged, before.acknowledged, percent)),
      figure(`answer p${percent}, during / before`, '', ratio(during.answer, before.answer, percent)),
      figure(`answer p${percent}, after / before`, '', ratio(after.answer, before.answer, percent)),
    ]);
  };
  return [...rows('everybody'), ...(isOther ? rows('others', (user) => isOther(user, run)) : [])];
}

function connectionFigures(run: DrillRun): Figure[] {
  const { columns, wounds, outages } = run;
  const lost = losses(wounds, outages);
  if (lost.length === 0) return [];
  const figure = figuresOf(LOST_CONNECTIONS);
  const back = recovery(columns, wounds, lost, null);
  const live = (from: 'at' | 'healedAt'): Latencies =>
    Latencies.of(lost.map(({ liveAt, wound }) => Math.max(0, liveAt - wound[from])));
  return [
    figure('faults', '', wounds.length),
    figure('connections lost', '', outages.length),
    figure('users who lost theirs, over all faults', '', lost.length),
    figure('of them live again by themselves', '%', (backCount(lost) / lost.length) * 100),
    ...spread(figure, 'seen by the client', seen(run)),
    ...spread(figure, 'fault to live again', live('at')),
    ...spread(figure, 'healed to live again', live('healedAt')),
    ...spread(figure, 'fault to new acknowledgement', back.acknowledged),
    ...spread(figure, 'healed to new acknowledgement', back.acknowledgedHealed),
    ...spread(figure, 'fault to first token', back.firstToken),
    ...spread(figure, 'healed to first token', back.firstTokenHealed),
  ];
}

function backCount(lost: readonly Loss[]): number {
  return lost.filter(({ liveAt }) => !Number.isNaN(liveAt)).length;
}

/** Acknowledgements and answers by when their message was to be sent. */
function answersChart({ intendedAt, ackAt, replyAt }: TalkColumns, { wounds }: DrillRun): Chart {
  const begin = Math.min(...intendedAt);
  const seconds = (Math.max(...intendedAt) - begin) / 1_000;
  const length = Math.max(0.5, seconds / CHART_POINTS);
  const points = (column: Float64Array): [number, number][] => {
    const worst = new Map<number, number>();
    for (const [row, at] of column.entries()) {
      const sent = intendedAt[row] ?? 0;
      const slot = Math.floor((sent - begin) / 1_000 / length);
      if (!Number.isNaN(at)) worst.set(slot, Math.max(worst.get(slot) ?? 0, at - sent));
    }
    return [...worst].sort(([a], [b]) => a - b).map(([slot, ms]) => [slot * length, ms]);
  };
  const marks = wounds.map(({ at }): [number, number] => [(at - begin) / 1_000, 0]);
  return {
    title: 'The longest wait, by when a message was to be sent',
    kind: 'lines',
    x: 'seconds',
    y: 'ms',
    series: [
      { name: 'acknowledged', points: points(ackAt) },
      { name: 'answer', points: points(replyAt) },
      { name: 'faults begin', points: marks },
    ],
  };
}
