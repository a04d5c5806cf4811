/** What climbing came to: figures, gates, notes and a chart. */
import { phaseFigures } from '../measure/figures.ts';
import { atLeast, type Chart, type Figure, type Gate } from '../scenario.ts';
import type { Climb, Ladder, Step } from './climb.ts';

/**
 * A session answers one message after the other: with a slow model few users hold no high rate, however good the
 * server is. So they are asked for less.
 */
const LEAST_PER_SECOND_PER_USER = 0.5;

export function climbFigures(climb: Climb, users: number): Figure[] {
  const { ladder, steps, held } = climb;
  const heldRates = new Set(steps.filter(({ isHeld: wasHeld }) => wasHeld).map(({ perSecond }) => perSecond));
  const broken = steps
    .filter(({ perSecond }) => !heldRates.has(perSecond))
    .toSorted((a, b) => a.perSecond - b.perSecond)[0];
  const subject = ladder.name;
  return [
    heldFigure(subject, climb),
    {
      group: 'breaking point',
      subject,
      name: 'lowest rate not held',
      unit: 'messages/s',
      value: broken?.perSecond ?? null,
    },
    ...(held ? phaseFigures(`highest rate held, ${users} users`, { ...held.phase, name: subject }) : []),
  ];
}

export function heldFigure(subject: string, { held }: Climb): Figure {
  const value = held?.perSecond ?? null;
  return { group: 'breaking point', subject, name: 'highest rate held', unit: 'messages/s', value };
}

/** None where the bare object held no rate at all: more than nothing is no figure. */
export function bareGates(own: Step | null | undefined, { ladder, held }: Climb): Gate[] {
  if (held === null || ladder.leastOfBare === null) return [];
  const ratio = (own?.perSecond ?? 0) / held.perSecond;
  return [atLeast(`${ladder.name}: highest rate held, of a bare object’s`, ratio, ladder.leastOfBare)];
}

/** @param best in messages a second; null: none was held, which is no rate at all */
export function heldGate(ladder: Pick<Ladder, 'name' | 'leastPerSecond'>, best: number | null, users: number): Gate {
  const least = Math.min(ladder.leastPerSecond, users * LEAST_PER_SECOND_PER_USER);
  return atLeast(`${ladder.name}: highest rate held, messages/s`, best ?? 0, least);
}

/** A search that found a rate which then was not held for long shows none: that has to be said. */
export function unconfirmedNotes({ ladder, steps, held }: Climb): string[] {
  const found = Math.max(0, ...steps.filter((step) => step.isHeld).map(({ perSecond }) => perSecond));
  if (held !== null || found === 0) return [];
  return [`${ladder.name}: no rate was held for long; short steps held ${Math.round(found)}/s at most.`];
}

export function climbChart({ ladder: { name }, steps }: Climb): Chart {
  const sorted = steps.toSorted((a, b) => a.perSecond - b.perSecond);
  const line = (percent: number): [number, number][] =>
    sorted.map(({ perSecond, phase }) => [perSecond, phase.timings.oursToEnd.percentile(percent) ?? 0]);
  return {
    title: `Ours to the end by rate, ${name}`,
    kind: 'lines',
    x: 'messages/s',
    y: 'ms',
    series: [
      { name: 'p50', points: line(50) },
      { name: 'p95', points: line(95) },
      { name: 'p99', points: line(99) },
    ],
  };
}
