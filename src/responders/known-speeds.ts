/**
 * How fast an endpoint's model writes, in bytes of the stream per ms, as its earlier streams told: what a stream
 * cannot tell of itself yet. Two accounts of it. What the model itself says counts first, since it does not depend on
 * how late this process reads. What was measured here comes out too slow in a process that is late, so the best counts.
 *
 * The first, beside how long the reading took, tells how late this process is. That is kept by source all the same: an
 * account that is wrong does no harm to others then.
 */

/**
 * How far a process may be taken to be late, as a factor. Whatever else delays a stream on its way, an endpoint that
 * leaves its body open after the answer, or a model that says too little, looks the same: in a busy process a reader
 * then waits up to so many times longer than otherwise, 0.4 s from frame to frame at most (twice the pace's longest wait
 * by `DOUBTED_TIMES`, times this).
 */
const MAX_LATENESS = 4;
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
  /** That the model wrote. */
  ms: number;
  /** That this process read, of each stream within `MAX_LATENESS`: one that hung is no news either. */
  readMs: number;
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

/**
 * The usual speed by the model's own account, and how many times as long this process took to read its streams: 1 where
 * it is not late. Null where the model gave no account lately.
 */
export function statedSpeed(source: string, now: number): { speed: number; lateness: number } | null {
  const said = recentlyStated(source, now);
  if (!said) return null;
  return { speed: said.bytes / said.ms, lateness: Math.max(1, said.readMs / said.ms) };
}

/** `bytes` of a stream were written in `ms`, as its model says, and read in `readMs`. */
export function noteStated(source: string, bytes: number, ms: number, readMs: number, now: number): void {
  const before = recentlyStated(source, now) ?? { bytes: 0, ms: 0, readMs: 0 };
  const sum = (until: number, added: number): number => until * KEPT_SHARE + added;
  // Less than nothing by a clock that was put back.
  const telling = Math.min(Math.max(0, readMs), MAX_LATENESS * ms);
  const sums = { bytes: sum(before.bytes, bytes), ms: sum(before.ms, ms), readMs: sum(before.readMs, telling) };
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
