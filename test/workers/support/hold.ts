/**
 * How long objects are kept from sleeping, which is what is billed of them: a call, an alarm, or work that the object
 * looks after with timers of its own. Many of those at once are billed once.
 */

/** Objects that are kept just now. */
const kept = new Set<Hold>();
let endedMs = 0;

export class Hold {
  #reasons = 0;
  #since = 0;
  #isWorking = false;

  /** Keeps the object until `result` is settled, where it is a promise. Returns it as it is. */
  during<T>(call: () => T): T {
    this.#begin();
    let result: T;
    try {
      result = call();
    } catch (error) {
      this.#end();
      throw error;
    }
    const end = (): void => this.#end();
    if (result instanceof Promise) result.then(end, end);
    else end();
    return result;
  }

  /** Whether the object has work which it looks after by itself, without a call or an alarm. */
  working(isWorking: boolean): void {
    if (isWorking === this.#isWorking) return;
    this.#isWorking = isWorking;
    if (isWorking) this.#begin();
    else this.#end();
  }

  /** Up to `now` (ms since 1970). */
  msUntil(now: number): number {
    return now - this.#since;
  }

  #begin(): void {
    this.#reasons += 1;
    if (this.#reasons > 1) return;
    this.#since = Date.now();
    kept.add(this);
  }

  #end(): void {
    this.#reasons -= 1;
    if (this.#reasons > 0) return;
    kept.delete(this);
    endedMs += this.msUntil(Date.now());
  }
}

/** Of all objects of the process together, in ms. */
export function heldMs(): number {
  const now = Date.now();
  return [...kept].reduce((sum, hold) => sum + hold.msUntil(now), endedMs);
}
