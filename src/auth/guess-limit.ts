/**
 * Bounds tries at guessing a secret: wrong ones are counted per address, and after some of them the
 * address may not try for a while, not even with the right one. Counted per isolate: the length of
 * the secret is what makes guessing hopeless, this keeps it from being cheap.
 */

const MAX_WRONG = 20;
const WINDOW_MS = 60_000;
/** Addresses remembered; the one remembered longest makes room. */
const MAX_ADDRESSES = 10_000;

export class GuessLimit {
  readonly #wrong = new Map<string, { count: number; until: number }>();

  /** How long `address` may not try (ms), at `now` (ms since 1970); 0 when it may. */
  blockedMs(address: string, now: number): number {
    const entry = this.#wrong.get(address);
    return entry && entry.count >= MAX_WRONG ? Math.max(0, entry.until - now) : 0;
  }

  /** A try was wrong. */
  wrong(address: string, now: number): void {
    const entry = this.#wrong.get(address);
    if (entry && entry.until > now) {
      entry.count += 1;
      return;
    }
    this.#wrong.delete(address);
    this.#wrong.set(address, { count: 1, until: now + WINDOW_MS });
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size > MAX_ADDRESSES && oldest !== undefined) this.#wrong.delete(oldest);
  }
}
