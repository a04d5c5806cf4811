/** A phase cut into stretches of time, to see how it went and not only how it was on the whole. */
import { Latencies } from '../histogram.ts';
import type { Phase } from './phase.ts';

export interface Stretch {
  /** Its middle, in seconds after the first message. */
  second: number;
  sent: number;
  toFirst: Latencies;
  toEnd: Latencies;
  answered: Latencies;
}

/** @param most as many stretches, or fewer of a second each */
export function stretches(phase: Phase, most: number): Stretch[] {
  const { columns, ours, startAt, seconds } = phase;
  const length = Math.max(1, seconds / most);
  const cut: Stretch[] = Array.from({ length: Math.ceil(seconds / length) }, (_, index) => {
    const second = (index + 0.5) * length;
    return { second, sent: 0, toFirst: new Latencies(), toEnd: new Latencies(), answered: new Latencies() };
  });
  for (const [row, intendedAt] of columns.intendedAt.entries()) {
    const stretch = cut[Math.floor((intendedAt - startAt) / 1_000 / length)];
    if (!stretch) continue;
    stretch.sent += 1;
    stretch.toFirst.record(ours.toFirst[row] ?? Number.NaN);
    stretch.toEnd.record(ours.toEnd[row] ?? Number.NaN);
    stretch.answered.record((columns.replyAt[row] ?? Number.NaN) - intendedAt);
  }
  return cut.filter(({ sent }) => sent > 0);
}
