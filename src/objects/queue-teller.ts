/**
 * Tells tabs who runs and who waits. A long queue changes with every message and every answer and is a long frame each
 * time, which would cost a busy session more than its answers: it is told now and then. Clients that follow the
 * records know all the while; why a turn waits they do not, and that is told elsewhere, at once.
 */
import type { SessionPorts } from './ports.ts';

/** More turns that wait than this are a long queue. */
const LONG_QUEUE = 8;
/** How long a change of a long queue waits to be told: longer for one that is a longer frame. */
const MIN_WAIT_MS = 250;
const WAIT_MS_PER_TURN = 10;

export class QueueTeller {
  readonly #ports: Pick<SessionPorts<unknown>, 'setTimer'>;
  readonly #tell: () => void;
  #cancel: (() => void) | null = null;

  constructor(ports: Pick<SessionPorts<unknown>, 'setTimer'>, tell: () => void) {
    this.#ports = ports;
    this.#tell = tell;
  }

  /** Who runs or waits has changed; so many wait now. */
  changed(waiting: number): void {
    if (waiting > LONG_QUEUE) {
      const waitMs = Math.max(MIN_WAIT_MS, waiting * WAIT_MS_PER_TURN);
      this.#cancel ??= this.#ports.setTimer(() => this.#tellNow(), waitMs);
    } else {
      this.#cancel?.();
      this.#tellNow();
    }
  }

  #tellNow(): void {
    this.#cancel = null;
    this.#tell();
  }
}
