/**
 * The promise that a session's work goes on, whoever is connected and whichever process it ends in.
 * While there is work this process looks after it, and an alarm is set or running for when the process
 * ends. Work that is soon over takes its alarm back: one that goes off costs far more than one that is
 * set. While an alarm runs, its handler stays until the work is over, since one that was cut off by the
 * end of its process is run again at once in the next.
 */
import { describeError } from '../metrics/describe-error.ts';
import type { Delivery } from './delivery.ts';
import type { SessionPorts } from './ports.ts';

/**
 * How soon the alarm looks after work that was just accepted, should this process end before it is done and nobody
 * come back to ask. An answer that takes less than a second is over, and delivered, by then.
 */
const WAKE_DELAY_MS = 2_000;
/** The platform ends an alarm after 15 minutes; longer work is handed to the next one. */
const MAX_ALARM_MS = 10 * 60_000;
/** When an alarm that failed for a reason of the platform's is tried again. */
const ALARM_RETRY_MS = 30_000;
/** How often it is looked whether there is something to deliver or nothing left to do, where nothing is due before. */
const LOOK_EVERY_MS = 1_000;
/** Waits longer than this are left to a new alarm, so that a quiet object is not kept awake. */
const MAX_AWAKE_WAIT_MS = 2_000;

/** What the alarm has to know of its session. */
export interface Work {
  /** The last record's place. */
  head(): number;
  /** A turn runs. */
  busy(): boolean;
  /** Until when (ms since 1970) the turn that runs waits without needing anything; null when it does not. */
  idleUntil(): number | null;
  /** That time has come. */
  askAgain(): void;
  /** The session is being erased. */
  removed(): boolean;
  /** Everything was erased from the outside; erases the rest. */
  destroy(): Promise<void>;
  /** Lets go of connections that only look open. */
  sweep(): void;
}

export class WorkAlarm {
  readonly #work: Work;
  readonly #delivery: Delivery;
  readonly #ports: SessionPorts<unknown>;
  /** When the alarm that is set is due (ms since 1970); null when none is. */
  #dueAt: number | null;
  /** The alarm's handler runs: it ends with the looking. */
  #isAlarmRunning = false;
  /** What looks after the work; null while there is none, or only such as waits for a later alarm. Never rejects. */
  #looking: Promise<void> | null = null;
  /** The pause before the next look; null while none is made. */
  #pausing: { until: number; end: () => void; cancel: () => void } | null = null;
  /** Nothing is left, not even the session. */
  #gone = false;

  /** `dueAt`: when the alarm that the process before has left is due. */
  constructor(work: Work, delivery: Delivery, ports: SessionPorts<unknown>, dueAt: number | null) {
    this.#work = work;
    this.#delivery = delivery;
    this.#ports = ports;
    this.#dueAt = dueAt;
  }

  /** To be called after every change: sees to it that somebody looks after the work, and to an alarm should the process end. */
  keep(): void {
    if (!this.#hasWork()) return;
    this.#lookBy(this.#delivery.dueAt(this.#work.head(), this.#isAwake()));
    // What only waits for D1 keeps its place in the retries; a turn must not wait for them.
    const canWait = !this.#isAwake() && !this.#work.removed();
    if (canWait && this.#dueAt !== null) return;
    if (!this.#isAlarmRunning) this.#setBy(this.#ports.now() + WAKE_DELAY_MS);
    this.#looking ??= this.#pause(LOOK_EVERY_MS).then(() => this.#look());
  }

  /** The alarm's handler. Never throws. */
  async run(): Promise<void> {
    this.#isAlarmRunning = true;
    this.#dueAt = null;
    this.#looking ??= Promise.resolve().then(() => this.#look());
    try {
      await this.#looking;
    } finally {
      this.#isAlarmRunning = false;
    }
    // What came since the looking ended has no alarm yet. What was left to a later one keeps its place.
    if (this.#looking !== null) this.keep();
  }

  /** Looks after the work until there is none, or none for a while. */
  async #look(): Promise<void> {
    const until = this.#ports.now() + MAX_ALARM_MS;
    let nextAt: number | null = null;
    try {
      while (this.#hasWork() && nextAt === null) nextAt = await this.#step(until);
    } catch (error) {
      // A handler that fails is run again six times and then never: the work would wait for ever.
      this.#ports.report('alarm_failed', { session: this.#delivery.session.id, ...describeError(error) });
      nextAt = this.#ports.now() + ALARM_RETRY_MS;
    }
    this.#looking = null;
    if (nextAt !== null) this.#set(nextAt);
    else if (this.#dueAt !== null && !this.#gone) this.#clear();
  }

  #hasWork(): boolean {
    if (this.#gone) return false;
    return this.#work.removed() || this.#work.busy() || this.#work.head() > this.#delivery.session.delivered;
  }

  /** A turn runs, or waits for something that may come at any moment. */
  #isAwake(): boolean {
    return this.#work.busy() && this.#work.idleUntil() === null;
  }

  #set(at: number): void {
    this.#dueAt = at;
    this.#ports.setAlarm(at);
  }

  #setBy(latest: number): void {
    if (this.#dueAt === null || this.#dueAt > latest) this.#set(latest);
  }

  #clear(): void {
    this.#dueAt = null;
    this.#ports.clearAlarm();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pausing = null;
        resolve();
      };
      this.#pausing = { until: this.#ports.now() + ms, end, cancel: this.#ports.setTimer(end, ms) };
    });
  }

  /** Makes the pause no longer than until `dueAt`. */
  #lookBy(dueAt: number | null): void {
    const pausing = this.#pausing;
    if (!pausing || dueAt === null || dueAt >= pausing.until) return;
    pausing.cancel();
    pausing.until = dueAt;
    pausing.cancel = this.#ports.setTimer(pausing.end, Math.max(0, dueAt - this.#ports.now()));
  }

  /** One step of the work; returns when to go on in another alarm, or null to go on in this one. */
  async #step(until: number): Promise<number | null> {
    const now = this.#ports.now();
    if (now >= until) return now;
    if (this.#work.removed()) return this.#forget();
    this.#work.sweep();
    const idleUntil = this.#work.idleUntil();
    if (idleUntil !== null && idleUntil <= now) this.#work.askAgain();
    const busy = this.#isAwake();
    const due = this.#delivery.dueAt(this.#work.head(), busy);
    if (due !== null && due <= now) {
      await this.#delivery.deliver();
      return null;
    }
    const next = Math.min(due ?? Infinity, this.#work.idleUntil() ?? Infinity);
    if (!busy && next < Infinity && next - now > MAX_AWAKE_WAIT_MS) return next;
    // A look now and then, instead of being woken by every commit: a busy session has many.
    const waitMs = Math.min(LOOK_EVERY_MS, Math.min(next, until) - now);
    await this.#pause(waitMs);
    return null;
  }

  async #forget(): Promise<number | null> {
    const retryAt = await this.#delivery.forget();
    if (retryAt !== null) return retryAt;
    await this.#work.destroy();
    this.#gone = true;
    return null;
  }
}
