/** When each process is killed: decided before the first one starts, by a seed alone. */
import type { Random } from '../support/random.ts';
import type { Failpoint } from './failpoints.ts';

export type Plan =
  /** At a named place, at its n-th passage; `afterMs` later where it is not reached. */
  | { kind: 'failpoint'; name: Failpoint; passage: number; afterMs: number }
  /** Before the port is open, this long after the start. */
  | { kind: 'boot'; afterMs: number }
  /** This long after the port is open. */
  | { kind: 'random'; afterMs: number }
  /**
   * This long after somebody who connected anew had a message acknowledged, which is timed.
   * `alone`: the others come back only then.
   */
  | { kind: 'acknowledged'; afterMs: number; alone: boolean };

/** A life in which the place is not reached ends here, and counts as killed at random. */
const MAX_LIFE_MS = 500;
/** What is left to an alarm that is a second away. */
const MAX_LATE_LIFE_MS = 1_600;
const LATE = /^(removed|forget|destroy|alarm\.cleared)\b/;
const BOOT_SHARE = 0.05;
const RANDOM_SHARE = 0.15;
const ACKNOWLEDGED_SHARE = 0.25;
const ALONE_SHARE = 0.4;
const MAX_BOOT_MS = 80;
const MAX_RANDOM_MS = 150;
const MAX_AFTER_ACK_MS = 150;
/** Now and then a life is long enough for whatever waits for quiet: deliveries, the alarm's second look. */
const LONG_LIFE_SHARE = 0.1;
const LONG_LIFE_MS = 1_500;
const FIRST_PASSAGE_SHARE = 0.75;
const MAX_PASSAGE = 3;

/** Without an end: the same ones for the same seed, however many are taken. */
export function* makePlans(random: Random, failpoints: readonly Failpoint[]): Generator<Plan, never> {
  const next = bagOf(failpoints, random);
  for (;;) yield makePlan(random, next);
}

function makePlan(random: Random, next: () => Failpoint): Plan {
  const share = random.next();
  if (share < BOOT_SHARE) return { kind: 'boot', afterMs: random.between(0, MAX_BOOT_MS) };
  if (share < BOOT_SHARE + RANDOM_SHARE) return { kind: 'random', afterMs: random.between(0, MAX_RANDOM_MS) };
  if (share < BOOT_SHARE + RANDOM_SHARE + ACKNOWLEDGED_SHARE) {
    const isLong = random.next() < LONG_LIFE_SHARE;
    const afterMs = isLong ? LONG_LIFE_MS : random.between(0, MAX_AFTER_ACK_MS);
    return { kind: 'acknowledged', afterMs, alone: random.next() < ALONE_SHARE };
  }
  const name = next();
  const afterMs = LATE.test(name) ? MAX_LATE_LIFE_MS : MAX_LIFE_MS;
  return { kind: 'failpoint', name, passage: passageOf(name, random), afterMs };
}

/** Places that a life passes often; of the others the first passage is the only one. */
const FREQUENT = /^(message|reply|ack|model|delta|welcome|alarm\.(start|set))\b/;

function passageOf(name: Failpoint, random: Random): number {
  const isFirst = !FREQUENT.test(name) || random.next() < FIRST_PASSAGE_SHARE;
  return isFirst ? 1 : random.between(2, MAX_PASSAGE);
}

/** Every item once, in any order, before one comes again. */
function bagOf<T>(items: readonly T[], random: Random): () => T {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = [...items];
    const [item] = left.splice(random.between(0, left.length - 1), 1);
    if (item === undefined) throw new Error('there is nothing to choose from');
    return item;
  };
}
