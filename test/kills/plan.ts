/** When each process is killed: decided before the first one starts, by a seed alone. */
import type { Random } from '../support/random.ts';
import { FAILPOINTS, type Failpoint } from './failpoints.ts';

export type Plan =
  /** At a named place, at its n-th passage; at the latest after `MAX_LIFE_MS`. */
  | { kind: 'failpoint'; name: Failpoint; passage: number }
  /** Before the port is open, this long after the start. */
  | { kind: 'boot'; afterMs: number }
  /** This long after the port is open. */
  | { kind: 'random'; afterMs: number }
  /** This long after somebody who connected anew had a message acknowledged, which is timed. */
  | { kind: 'acknowledged'; afterMs: number };

/** A life in which the place is not reached ends here, and counts as killed at random. */
export const MAX_LIFE_MS = 500;
const BOOT_SHARE = 0.05;
const RANDOM_SHARE = 0.15;
const ACKNOWLEDGED_SHARE = 0.25;
const MAX_BOOT_MS = 80;
const MAX_RANDOM_MS = 150;
const MAX_AFTER_ACK_MS = 150;

export function makePlans(count: number, random: Random): Plan[] {
  const next = bagOf(FAILPOINTS, random);
  return Array.from({ length: count }, () => {
    const share = random.next();
    if (share < BOOT_SHARE) return { kind: 'boot', afterMs: random.between(0, MAX_BOOT_MS) };
    if (share < BOOT_SHARE + RANDOM_SHARE) return { kind: 'random', afterMs: random.between(0, MAX_RANDOM_MS) };
    if (share < BOOT_SHARE + RANDOM_SHARE + ACKNOWLEDGED_SHARE) {
      return { kind: 'acknowledged', afterMs: random.between(0, MAX_AFTER_ACK_MS) };
    }
    const name = next();
    return { kind: 'failpoint', name, passage: passageOf(name, random) };
  });
}

/** Mostly the first time: later passages are reached by fewer lives. */
function passageOf(name: Failpoint, random: Random): number {
  const isRare = /^(created|removed|forget|destroy)\b/.test(name);
  return isRare || random.next() < 0.7 ? 1 : random.between(2, 4);
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
