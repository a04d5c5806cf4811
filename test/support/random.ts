/** Seeded chance, so that a run can be had again. */
export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
}

/** mulberry32: small, fast, good enough to choose moments. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, between: (min, max) => min + Math.floor(next() * (max - min + 1)) };
}

/** The seed of this run: `SEED=n` repeats one that failed. */
export function seedFromEnvironment(fallback: number): number {
  const given = process.env['SEED'];
  return given === undefined ? fallback : Number(given);
}
