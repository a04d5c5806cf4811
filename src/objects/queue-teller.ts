/**
 * Tells tabs who runs and who waits. A long queue changes with every message and every answer and is a long frame each
 * time, which would cost a busy session more than its answers: it is told now and then. Clients that follow the
 * records know all the while; why a turn waits they do not, and that is told elsewhere, at once.
 */
import type { SessionPorts } from './ports.ts';

/** More turns that wait than this are a long queue. */
const LONG_QUEUE = 8;
const TELL_LONG_EVERY_MS = 250;

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
      this.#cancel ??= this.#ports.setTimer(() => this.#tellNow(), TELL_LONG_EVERY_MS);
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
