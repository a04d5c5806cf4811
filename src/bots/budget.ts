/** What a bot may use: turns in any minute, tokens in a day. Pure. */

const SLICE_MS = 1_000;
const SLICES = 60;
const DAY_MS = 24 * 60 * 60_000;

/** The minute, as kept: the second that it ends with (since 1970), and the turns of each, by its place in a minute. */
export interface KeptRate {
  slice: number;
  counts: number[];
}

/** Turns begun in the last minute, counted by the second: as exact as anybody waits, and of one size whatever the budget. */
export class TurnRate {
  #counts = Array.from({ length: SLICES }, () => 0);
  #slice = 0;
  #sum = 0;

  /** `kept`: as it was at some time before `now`. A minute that has not come is another clock's. */
  constructor(kept: KeptRate | null = null, now = 0) {
    if (!kept || kept.slice - Math.floor(now / SLICE_MS) > SLICES) return;
    this.#slice = kept.slice;
    this.#counts = this.#counts.map((_, place) => kept.counts[place] ?? 0);
    this.#sum = this.#counts.reduce((sum, count) => sum + count, 0);
  }

  kept(): KeptRate {
    return { slice: this.#slice, counts: [...this.#counts] };
  }

  /** Notes that a turn began at `now` (ms since 1970). */
  begun(now: number): void {
    this.#moveTo(now);
    const at = this.#slice % SLICES;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += 1;
  }

  /** How long until one more turn is within `perMinute` (null: there is no bound); 0 when it is now. */
  waitMs(perMinute: number | null, now: number): number {
    if (perMinute === null) return 0;
    this.#moveTo(now);
    let excess = this.#sum - perMinute;
    if (excess < 0) return 0;
    for (let age = SLICES - 1; age >= 0; age -= 1) {
      const slice = this.#slice - age;
      excess -= this.#counts[((slice % SLICES) + SLICES) % SLICES] ?? 0;
      // The slice leaves the minute that ends at the same place one minute later.
      if (excess < 0) return Math.max(1, (slice + SLICES) * SLICE_MS - now);
    }
    return SLICE_MS;
  }

  #moveTo(now: number): void {
    const slice = Math.floor(now / SLICE_MS);
    // A clock that went back counts on where it was.
    const steps = Math.min(SLICES, Math.max(0, slice - this.#slice));
    for (let step = 1; step <= steps; step += 1) {
      const at = (slice - steps + step) % SLICES;
      this.#sum -= this.#counts[at] ?? 0;
      this.#counts[at] = 0;
    }
    this.#slice = Math.max(this.#slice, slice);
  }
}

/** Tokens used on one day (UTC), as kept. */
export interface TokenDay {
  /** Days since 1970. */
  day: number;
  used: number;
}

export function tokensAfter(before: TokenDay, tokens: number, now: number): TokenDay {
  const day = Math.floor(now / DAY_MS);
  return { day, used: (before.day === day ? before.used : 0) + tokens };
}

/** Whether the day's tokens are used up. */
export function isUsedUp(tokens: TokenDay, perDay: number, now: number): boolean {
  return tokens.day === Math.floor(now / DAY_MS) && tokens.used >= perDay;
}
