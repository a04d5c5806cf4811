/**
 * Named deadlines over one timer. Hundreds of clients share a process in a load test: setting a
 * deadline must cost a map entry, not a timer, and a client at rest holds exactly one.
 */
import type { Clock } from './types.ts';

export interface Deadlines<Name extends string> {
  /** Calls `run` at `at` (ms since 1970); replaces what was set under the name. */
  set(name: Name, at: number, run: () => void): void;
  clear(name: Name): void;
  clearAll(): void;
}

interface Deadline {
  at: number;
  run: () => void;
}

export function createDeadlines<Name extends string>(clock: Clock): Deadlines<Name> {
  const deadlines = new Map<Name, Deadline>();
  let armed: { at: number; cancel: () => void } | null = null;

  function arm(at: number): void {
    // A timer that fires too early only re-arms: cheaper than replacing it at every change.
    if (armed && armed.at <= at) return;
    armed?.cancel();
    armed = { at, cancel: clock.setTimer(() => fire(at), Math.max(0, at - clock.now())) };
  }

  function fire(armedFor: number): void {
    armed = null;
    // The timer counts elapsed time, the clock can be set back: move the deadlines along with it,
    // or a corrected clock would silence the pings for an hour.
    const setBackMs = armedFor - clock.now();
    if (setBackMs > 0) for (const deadline of deadlines.values()) deadline.at -= setBackMs;
    const now = clock.now();
    // What is set during this round waits for the next one, or a deadline of "now" would never let go.
    const due = [...deadlines].filter(([, deadline]) => deadline.at <= now);
    for (const [name, deadline] of due) {
      // An earlier one of this round may have cleared or replaced it.
      if (deadlines.get(name) !== deadline) continue;
      deadlines.delete(name);
      deadline.run();
    }
    if (deadlines.size > 0) arm(Math.min(...[...deadlines.values()].map((deadline) => deadline.at)));
  }

  return {
    set(name, at, run) {
      deadlines.set(name, { at, run });
      arm(at);
    },
    clear(name) {
      deadlines.delete(name);
    },
    clearAll() {
      deadlines.clear();
      armed?.cancel();
      armed = null;
    },
  };
}
