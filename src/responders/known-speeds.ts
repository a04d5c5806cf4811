/**
 * How fast an endpoint's model writes, in bytes of the stream per ms, as its earlier streams told: what a stream
 * cannot tell of itself yet. Two accounts of it. What the model itself says counts first, since it does not depend on
 * how late this process reads. What was measured here comes out too slow in a process that is late, so the best counts.
 */

/** Endpoints and models remembered. */
const KNOWN_SOURCES = 64;
/** How long what was measured counts at least, and less than twice as long at most, in ms. */
const MEASURED_AGE_MS = 30_000;
/** How long after the last stream of a source its model's own account counts, in ms. */
const STATED_AGE_MS = 60_000;
/** What is left of the streams before when another one ends: one slow stream among many is no news. */
const KEPT_SHARE = 7 / 8;

/** The best speed since a moment (ms since 1970), and in the stretch before. */
interface Measured {
  since: number;
  best: number;
  bestBefore: number;
}

/** Sums over the last streams, each counting less than the one after it: a long one says more than a short one. */
interface Stated {
  at: number;
  bytes: number;
  ms: number;
}

const measured = new Map<string, Measured>();
const stated = new Map<string, Stated>();

/** The best that was measured lately; 0 where nothing was. */
export function bestSpeed(source: string, now: number): number {
  const seen = measured.get(source);
  if (!seen || now - seen.since >= 2 * MEASURED_AGE_MS) return 0;
  return now - seen.since < MEASURED_AGE_MS ? Math.max(seen.best, seen.bestBefore) : seen.best;
}

export function noteMeasured(source: string, speed: number, now: number): void {
  const seen = measured.get(source);
  if (seen && now - seen.since < MEASURED_AGE_MS) seen.best = Math.max(seen.best, speed);
  else keep(measured, source, { since: now, best: speed, bestBefore: bestSpeed(source, now) });
}

/** The usual speed by the model's own account; null where it gave none lately. */
export function statedSpeed(source: string, now: number): number | null {
  const said = recentlyStated(source, now);
  return said && said.bytes / said.ms;
}

/** `bytes` of a stream were written in `ms`, as its model says. */
export function noteStated(source: string, bytes: number, ms: number, now: number): void {
  const before = recentlyStated(source, now) ?? { bytes: 0, ms: 0 };
  const sums = { bytes: before.bytes * KEPT_SHARE + bytes, ms: before.ms * KEPT_SHARE + ms };
  keep(stated, source, { at: now, ...sums });
}

function recentlyStated(source: string, now: number): Stated | null {
  const said = stated.get(source);
  return said && now - said.at < STATED_AGE_MS ? said : null;
}

function keep<T>(known: Map<string, T>, source: string, value: T): void {
  if (!known.has(source) && known.size >= KNOWN_SOURCES) known.clear();
  known.set(source, value);
}
