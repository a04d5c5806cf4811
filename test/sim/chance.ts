/** Every choice of a run, from one seed. */
import { seeded, type Random } from '../support/random.ts';

export class Chance {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seeded(Math.imul(seed + 1, 0x9e3779b1));
  }

  next(): number {
    return this.#random.next();
  }

  /** True in `share` of all cases. */
  is(share: number): boolean {
    return this.#random.next() < share;
  }

  between(min: number, max: number): number {
    return this.#random.between(min, max);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.#random.between(0, items.length - 1)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** One of `items`, each as likely as its weight says. */
  weighted<T extends { weight: number }>(items: readonly T[]): T {
    let left = this.#random.next() * items.reduce((sum, item) => sum + item.weight, 0);
    for (const item of items) {
      left -= item.weight;
      if (left < 0) return item;
    }
    const last = items.at(-1);
    if (!last) throw new Error('nothing to pick from');
    return last;
  }
}

/** Characters that break naive code: pairs of surrogates, joined and combining ones, JSON's own. */
const UNITS = ['a', 'b ', 'é', 'e\u0301', '\u{1f600}', '\u{1f469}\u200d\u{1f680}', '中', '\n', '"', '\\', '\u{1d11e}'];

export function textOf(chance: Chance, minUnits: number, maxUnits: number): string {
  const count = chance.between(minUnits, maxUnits);
  let text = '';
  for (let index = 0; index < count; index += 1) text += chance.pick(UNITS);
  return text;
}
