/**
 * What a bot does without being asked. While something is due soon the alarm's handler stays and does
 * it; what is due later is left to the next alarm, so that a quiet object may sleep. Without work there
 * is no alarm.
 */
import { describeError } from '../metrics/describe-error.ts';
import type { BotPorts } from './bot-ports.ts';

/** A fired alarm is used up: this one comes if the process ends while the handler is at work. */
const SAFETY_MS = 30_000;
/** The platform ends an alarm after 15 minutes. */
const MAX_ALARM_MS = 10 * 60_000;
/** Waits longer than this are left to a new alarm. */
const MAX_AWAKE_WAIT_MS = 2_000;
/** Whatever is due, never more often than this: a mistake must not become a loop. */
const MIN_STEP_MS = 20;
const RETRY_MS = 5_000;

export interface BotWork {
  /** Does, or begins, what is due at `now`. */
  step(now: number): void;
  /** When something is due next (ms since 1970); null: nothing is. */
  nextAt(now: number): number | null;
}

export class BotAlarm {
  readonly #work: BotWork;
  readonly #ports: BotPorts;
  /** When the alarm that is set is due. */
  #setAt: number | null;
  #running = false;
  /** `keepSoon` has a timer. */
  #isTimed = false;
  #nudge: () => void = () => undefined;

  /** `setAt`: when the alarm that the process before has left is due. */
  constructor(work: BotWork, ports: BotPorts, setAt: number | null) {
    this.#work = work;
    this.#ports = ports;
    this.#setAt = setAt;
  }

  /** To be called after every change: something may be due earlier than was known. */
  keep(): void {
    if (this.#running) return this.#nudge();
    const now = this.#ports.now();
    const next = this.#work.nextAt(now);
    if (next === null || (this.#setAt !== null && this.#setAt <= Math.max(next, now))) return;
    this.#set(Math.max(next, now));
  }

  /**
   * The same once what is being answered has left: what is sent after an alarm was set waits until that is durable.
   * For changes that are lost with the process anyway.
   */
  keepSoon(): void {
    if (this.#running) return this.#nudge();
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#ports.setTimer(() => {
      this.#isTimed = false;
      this.keep();
    }, 0);
  }

  /** The alarm's handler. Never throws. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const startedAt = this.#ports.now();
    this.#set(startedAt + SAFETY_MS);
    let next: number | null;
    try {
      next = await this.#go(startedAt + MAX_ALARM_MS);
    } catch (error) {
      this.#ports.report('bot_alarm_failed', { ...describeError(error) });
      next = this.#ports.now() + RETRY_MS;
    }
    this.#running = false;
    if (next !== null) this.#set(Math.max(next, this.#ports.now() + MIN_STEP_MS));
    else {
      this.#setAt = null;
      this.#ports.clearAlarm();
    }
  }

  async #go(until: number): Promise<number | null> {
    for (;;) {
      const now = this.#ports.now();
      this.#work.step(now);
      const next = this.#work.nextAt(now);
      if (next === null || next - now > MAX_AWAKE_WAIT_MS || now >= until) return next;
      await this.#sleep(next);
      this.#nudge = () => undefined;
    }
  }

  /** Waits until `until`, or not so long when something turns out to be due before. */
  #sleep(until: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel = this.#ports.setTimer(resolve, Math.max(MIN_STEP_MS, until - this.#ports.now()));
      this.#nudge = () => {
        const next = this.#work.nextAt(this.#ports.now());
        if (next === null || next >= until) return;
        this.#nudge = () => undefined;
        cancel();
        cancel = this.#ports.setTimer(resolve, MIN_STEP_MS);
      };
    });
  }

  #set(at: number): void {
    this.#setAt = at;
    this.#ports.setAlarm(at);
  }
}
