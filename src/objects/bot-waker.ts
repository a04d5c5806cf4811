/** Tells sessions to ask again: soon, a few at a time, and never so that anybody waits for it. */
import type { BotPorts } from './bot-ports.ts';
import { inTime } from './in-time.ts';

/** Calls under way at once; each brings a call back. */
const MAX_AT_ONCE = 16;
/** A session that does not answer in this time asks by itself sooner or later. */
const WAKE_TIMEOUT_MS = 5_000;

export class BotWaker {
  readonly #ports: BotPorts;
  readonly #waiting = new Set<string>();
  #underWay = 0;

  constructor(ports: BotPorts) {
    this.#ports = ports;
  }

  wake(session: string): void {
    this.#waiting.add(session);
    this.#go();
  }

  /** The session is here already. */
  spare(session: string): void {
    this.#waiting.delete(session);
  }

  #go(): void {
    if (this.#underWay >= MAX_AT_ONCE || this.#waiting.size === 0) return;
    this.#underWay += 1;
    // After the step that is under way: what it decides is what they are to be told.
    void Promise.resolve().then(() => this.#drain());
  }

  async #drain(): Promise<void> {
    for (const session of this.#waiting) {
      this.#waiting.delete(session);
      await this.#wakeOne(session);
    }
    this.#underWay -= 1;
  }

  /** Never rejects: a session polls, so a wake that fails costs it time and nothing else. */
  async #wakeOne(session: string): Promise<void> {
    const wake = this.#ports.wake(session);
    await inTime(this.#ports, wake, WAKE_TIMEOUT_MS, 'The session did not answer in time.').catch(() => undefined);
  }
}
