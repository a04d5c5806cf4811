/**
 * Asking again and again, only while somebody looks: one question at a time, the next one a fixed
 * time after the answer to the last, later while the server does not answer.
 */
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals';
import { OperatorError, type Ports } from './ports.ts';

/** While nothing answers, the pause doubles up to this. */
const MAX_PAUSE_MS = 10_000;

export interface Poll {
  /** When the last good answer came (ms since 1970); null before the first. */
  readonly answeredAt: ReadonlySignal<number | null>;
  /** Why the last try failed; null when it did not. */
  readonly failure: ReadonlySignal<OperatorError | null>;
  /** Asks now instead of at its time. Resolves when the answer was taken, or failed. */
  refresh(): Promise<void>;
  /** Another question from now on: answers and failures so far are forgotten. */
  clear(): void;
  stop(): void;
}

/** Polls while `everyMs` is not null, and at once whenever it stops being null. */
export function createPoll(
  ports: Pick<Ports, 'now' | 'after'>,
  everyMs: ReadonlySignal<number | null>,
  ask: () => Promise<void>,
): Poll {
  const answeredAt = signal<number | null>(null);
  const failure = signal<OperatorError | null>(null);
  let failures = 0;
  let asking: Promise<void> | null = null;
  let cancelTimer: () => void = () => undefined;

  async function tryOnce(): Promise<void> {
    try {
      await ask();
      failures = 0;
      failure.value = null;
      answeredAt.value = ports.now();
    } catch (error) {
      failures += 1;
      failure.value = asOperatorError(error);
    }
  }

  function poll(): Promise<void> {
    cancelTimer();
    asking ??= tryOnce().finally(() => {
      asking = null;
      schedule();
    });
    return asking;
  }

  function schedule(): void {
    cancelTimer();
    const every = everyMs.peek();
    if (every === null) return;
    const wait = failures === 0 ? every : Math.min(every * 2 ** (failures - 1), Math.max(every, MAX_PAUSE_MS));
    cancelTimer = ports.after(Math.max(wait, failure.peek()?.retryAfterMs ?? 0), () => void poll());
  }

  let wasOn = false;
  const stopWatching = effect(() => {
    const isOn = everyMs.value !== null;
    untracked(() => {
      if (isOn && !wasOn) void poll();
      else if (isOn && asking === null) schedule();
      else if (!isOn) cancelTimer();
    });
    wasOn = isOn;
  });

  return {
    answeredAt,
    failure,
    async refresh() {
      // An answer that is under way may be older than what made somebody ask.
      await asking;
      await poll();
    },
    clear() {
      failures = 0;
      failure.value = null;
      answeredAt.value = null;
    },
    stop() {
      stopWatching();
      cancelTimer();
    },
  };
}

export function asOperatorError(error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  return new OperatorError('internal', 0, 'The page made a mistake.', { cause: error });
}
