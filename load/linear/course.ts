/**
 * One course of `linear`: variants that differ in one number take turns, and each is held against the smallest within
 * a round. A bare object's course is shown and judges nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SwitchboardBench } from '../lab/bench.ts';
import type { Lab } from '../lab/lab.ts';
import {
  integrityGates,
  integrityNotes,
  isTelling,
  lateGate,
  machineNotes,
  PROCESSOR,
  problemNotes,
  processorPer1000,
} from '../measure/figures.ts';
import { measurePhase, speak, type Bench, type Phase } from '../measure/phase.ts';
import { BYTES_PER_MB } from '../processes.ts';
import { atMost, type Figure, type Gate, type ScenarioResult } from '../scenario.ts';
import { median } from '../statistics.ts';

/** After so long every object that has nothing to do has left memory. */
const ASLEEP_MS = 13_000;
export const ROUNDS = 3;
/** Before it is measured everybody has spoken once: objects are in memory, and code is compiled. */
const MIN_WARM_UP_SECONDS = 2;
/** What a server with more, or with longer, sessions may take more than the one with the least. */
export const MAX_GROWTH = 1.2;
export const GROWTH = 'processor per answer, against the smallest';

export interface Variant {
  /** Sessions, or messages of a session. */
  size: number;
  /** One that cannot settle is a bare object's: nothing is checked of what it keeps. */
  bench: Bench & Partial<Pick<SwitchboardBench, 'settle'>>;
  users: number;
}

export interface Course {
  group: string;
  unit: string;
  perSecond: number;
  variants: Variant[];
}

/** `seconds` each round. What it has measured talks no more afterwards. */
export async function measureCourse(lab: Lab, seconds: number, course: Course): Promise<ScenarioResult> {
  const { variants, perSecond, unit } = course;
  const talk = { messagesPerMinute: perSecond * 60 };
  const warmUp = async ({ bench, users }: Variant): Promise<void> => {
    lab.progress('warming up');
    const warmUpSeconds = Math.max(MIN_WARM_UP_SECONDS, Math.ceil(users / perSecond));
    await speak(bench, { first: 0, end: users }, talk.messagesPerMinute, warmUpSeconds);
  };
  const measure = ({ bench, users }: Variant, name: string): Promise<Phase> =>
    measurePhase(bench, { name, first: 0, end: users, seconds, ...talk });
  const phases = variants.map((): Phase[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, variant] of variants.entries()) {
      await warmUp(variant);
      phases[index]?.push(await measure(variant, `${variant.size} ${unit}`));
    }
  }
  const asleep: Phase[] = [];
  const largest = variants.at(-1);
  // Fewer would speak again, awake, before the time is over.
  if (largest && largest.users >= perSecond * seconds) {
    lab.progress('waiting until every object sleeps');
    await sleep(ASLEEP_MS, undefined, { signal: lab.signal });
    asleep.push(await measure(largest, `${largest.size} ${unit}, woken`));
  }
  const gates: Gate[] = [];
  const notes: string[] = [];
  for (const { bench, size } of variants) {
    if (!bench.settle) {
      await lab.end(bench.generators);
      continue;
    }
    const settled = await bench.settle();
    gates.push(...integrityGates(settled).map((gate) => ({ ...gate, name: `${size} ${unit}: ${gate.name}` })));
    notes.push(...integrityNotes(settled));
  }
  const all = [...phases.flat(), ...asleep];
  const isJudged = variants.every(({ bench }) => bench.settle !== undefined);
  // What would have missed a gate, where there are none, says nothing.
  const says = isJudged || phases.flat().every(isTelling);
  const figures = [...phases, ...(asleep.length > 0 ? [asleep] : [])].flatMap((own) =>
    phasesFigures(course.group, own),
  );
  return {
    figures: [...figures, ...growthFigures(course, says ? phases : [])],
    gates: isJudged
      ? [...growthGates(course, phases), ...answeredGates(course, all), ...gates, ...all.map(lateGate)]
      : [],
    notes: [...machineNotes(all), ...all.flatMap(problemNotes), ...notes],
  };
}

function processorOf(phase: Phase): number {
  return processorPer1000(phase) ?? Number.NaN;
}

function phasesFigures(group: string, phases: readonly Phase[]): Figure[] {
  const subject = phases[0]?.name ?? '';
  const figure = (name: string, unit: string, of: (phase: Phase) => number): Figure => {
    const rounds = phases.map(of);
    const value = median(rounds);
    return { group, subject, name, unit, value: Number.isNaN(value) ? null : value, rounds };
  };
  return [
    figure('answers/s', '', ({ answersPerSecond }) => answersPerSecond),
    figure(PROCESSOR, 's', processorOf),
    figure('ours to the end p50', 'ms', ({ timings }) => timings.oursToEnd.percentile(50) ?? Number.NaN),
    figure('ours to the end p95', 'ms', ({ timings }) => timings.oursToEnd.percentile(95) ?? Number.NaN),
    figure('server memory', 'MB', ({ usage }) => (usage.serverBytesAfter ?? Number.NaN) / BYTES_PER_MB),
  ];
}

/** Within a round, against the smallest: what a variant takes more of the processor for an answer. */
function growth(phases: readonly Phase[][], index: number): number {
  const ratios = (phases[index] ?? []).map((phase, round) => {
    const smallest = phases[0]?.[round];
    return smallest ? processorOf(phase) / processorOf(smallest) : Number.NaN;
  });
  return median(ratios);
}

function growthFigures({ group, unit, variants }: Course, phases: readonly Phase[][]): Figure[] {
  return variants.map(({ size }, index) => {
    const value = growth(phases, index);
    return { group, subject: `${size} ${unit}`, name: GROWTH, unit: '', value: Number.isNaN(value) ? null : value };
  });
}

function growthGates({ unit, variants }: Course, phases: readonly Phase[][]): Gate[] {
  const [smallest] = variants;
  return variants.slice(1).map(({ size }, index) => {
    const name = `${size} ${unit} against ${smallest?.size ?? 0}`;
    return atMost(`${name}: processor per answer, ratio`, growth(phases, index + 1), MAX_GROWTH);
  });
}

function answeredGates({ group }: Course, phases: readonly Phase[]): Gate[] {
  return [
    atMost(
      `${group}: messages without an answer`,
      phases.reduce((sum, { sent, answered }) => sum + sent - answered, 0),
      0,
    ),
  ];
}
