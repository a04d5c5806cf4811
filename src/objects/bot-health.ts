/**
 * How a bot's endpoint does: asks it while somebody needs it, and keeps the breaker. An endpoint that
 * is gone, refused or swallowed, is noticed within two seconds of its end.
 */
import { breakerAfter, CLOSED, isEndpointFailure, type Breaker, type BreakerEvent } from '../bots/breaker.ts';
import type { TurnErrorCode } from '../protocol/codes.ts';
import { TurnFailure, type ModelSettings } from '../responders/port.ts';
import type { BotPorts } from './bot-ports.ts';

/** Between two probes while all is well, and once one failed or keeps one waiting. */
const CALM_PROBE_EVERY_MS = 900;
const DOUBT_PROBE_EVERY_MS = 250;
/** While the breaker is open. */
const OPEN_PROBE_EVERY_MS = 1_500;
const PROBE_TIMEOUT_MS = 700;
/** A far endpoint's first answer takes a few round trips: at a launch nobody is in a hurry. */
const FIRST_PROBE_TIMEOUT_MS = 5_000;
/** Loading a large model takes minutes; after that a launch goes on without. */
const PRELOAD_TIMEOUT_MS = 120_000;
/** Progress that was reported just now says that the endpoint lives, however slowly it answers probes. */
const PROGRESS_COUNTS_MS = 500;
/** After a turn that the endpoint failed it is asked for so long, also when nobody else needs it. */
const DOUBT_WATCH_MS = 2_000;
/** A probe that is given up so much too late was kept waiting by this process, which says nothing about the endpoint. */
const OWN_DELAY_MS = 250;
/** An endpoint that fails is looked at for so long after the last turn, to see it come back. */
const WATCH_MS = 10 * 60_000;

export interface Problem {
  code: TurnErrorCode;
  message: string;
}

export interface HealthListener {
  /** Null: there is nothing that could be asked. */
  settings(): ModelSettings | null;
  /** The breaker opened, closed, or lets one through. */
  onBreaker(): void;
  /** The endpoint answered at a launch; the model may still be loading. */
  onReached(): void;
  onStarted(): void;
}

export class BotHealth {
  readonly #ports: BotPorts;
  readonly #listener: HealthListener;
  breaker: Breaker = CLOSED;
  /** Why the breaker is open, and why the model could not be loaded; null when all is well. */
  #problem: Problem | null = null;
  #loadProblem: Problem | null = null;
  /** The endpoint answered since the launch: its model may still be loading. */
  reached = false;
  #starting: AbortController | null = null;
  #lastProbeAt = 0;
  #probing = 0;
  /** The last probe failed, whatever that meant: the next one comes soon. */
  #doubtful = false;
  /** When the last probe that was answered was begun: failures of earlier ones are old news. */
  #answeredAt = 0;
  #progressAt = 0;
  #busyAt = 0;
  #failedAt = -Infinity;

  constructor(ports: BotPorts, listener: HealthListener) {
    this.#ports = ports;
    this.#listener = listener;
  }

  get failing(): boolean {
    return this.breaker.state !== 'closed' || this.#loadProblem !== null;
  }

  /** What the endpoint said when it failed; null when all is well. */
  get problem(): Problem | null {
    return this.breaker.state === 'closed' ? this.#loadProblem : this.#problem;
  }

  /** What became of a turn; `message` of its failure. */
  note(event: BreakerEvent, message = ''): void {
    const now = this.#ports.now();
    if (event.type === 'turn_progressed') this.#progressAt = now;
    if (event.type === 'turn_succeeded' || event.type === 'turn_progressed') this.#loadProblem = null;
    if (event.type === 'turn_failed' && isEndpointFailure(event.code)) {
      this.#problem = { code: event.code, message };
      this.#busyAt = now;
      // Its end may be the first sign of the endpoint's: who comes next is not to find that out.
      this.#failedAt = now;
      this.#doubtful = true;
    }
    this.#apply(event, now);
  }

  /** Another endpoint, or a launch: what was known of the old one does not count. */
  reset(): void {
    this.#starting?.abort();
    this.#starting = null;
    this.reached = false;
    this.#loadProblem = null;
    this.#answeredAt = 0;
    this.#lastProbeAt = 0;
    this.#doubtful = false;
    const before = this.breaker;
    this.breaker = CLOSED;
    if (before.state !== 'closed') this.#listener.onBreaker();
  }

  /** Begins what is due at `now`. `busy`: turns run or wait for the endpoint. */
  step(now: number, busy: boolean, starting: boolean): void {
    if (starting) {
      if (!this.#starting) void this.#start();
      return;
    }
    if (busy) this.#busyAt = now;
    const due = this.nextAt(now, busy, false);
    if (due === null || due > now) return;
    // Nothing can be asked: when the pause is over a turn is tried.
    if (this.#listener.settings()?.kind === 'workers-ai') this.#apply({ type: 'probe_answered' }, now);
    else void this.#probe(now);
  }

  /** When something is due (ms since 1970); null when nobody needs to know how the endpoint does. */
  nextAt(now: number, busy: boolean, starting: boolean): number | null {
    if (starting) return this.#starting ? now + PRELOAD_TIMEOUT_MS : now;
    const doubted = now - this.#failedAt < DOUBT_WATCH_MS;
    const watched = busy || doubted || (this.breaker.state !== 'closed' && now - this.#busyAt < WATCH_MS);
    const settings = this.#listener.settings();
    if (!watched || settings === null) return null;
    if (settings.kind === 'workers-ai') return this.breaker.state === 'open' ? this.breaker.retryAt : null;
    // Two at most: one that is late and one that shows whether the next is, too.
    if (this.#probing >= 2) return this.#lastProbeAt + PROBE_TIMEOUT_MS;
    return this.#lastProbeAt + this.#everyMs();
  }

  /** Asks once more, for somebody who looks. */
  lookAgain(now: number): void {
    const settings = this.#listener.settings();
    if (this.breaker.state === 'closed' || this.#probing > 0 || settings === null) return;
    if (settings.kind === 'workers-ai') return;
    if (now - this.#lastProbeAt >= OPEN_PROBE_EVERY_MS) void this.#probe(now);
  }

  #everyMs(): number {
    if (this.breaker.state === 'open') return OPEN_PROBE_EVERY_MS;
    return this.#probing > 0 || this.#doubtful ? DOUBT_PROBE_EVERY_MS : CALM_PROBE_EVERY_MS;
  }

  async #probe(now: number): Promise<void> {
    const settings = this.#listener.settings();
    if (settings === null) return;
    this.#lastProbeAt = now;
    this.#probing += 1;
    const failure = await this.#attempt((signal) => this.#ports.probe(settings, signal), PROBE_TIMEOUT_MS);
    this.#probing -= 1;
    // The definition was changed meanwhile: this was about another endpoint.
    if (this.#listener.settings() !== settings) return;
    this.#probed(failure, now);
  }

  /** What a probe that was begun at `askedAt` found. */
  #probed(failure: Problem | null, askedAt: number): void {
    const now = this.#ports.now();
    this.#doubtful = failure !== null && askedAt >= this.#answeredAt;
    if (failure === null) {
      this.#answeredAt = Math.max(this.#answeredAt, askedAt);
      this.#apply({ type: 'probe_answered' }, now);
      return;
    }
    if (askedAt < this.#answeredAt || now - this.#progressAt < PROGRESS_COUNTS_MS) return;
    // Opening the breaker when there is too much to do would make more of it.
    if (failure.code === 'connect_timeout' && now - askedAt > PROBE_TIMEOUT_MS + OWN_DELAY_MS) return;
    this.#problem = failure;
    this.#apply({ type: 'probe_failed' }, now);
  }

  /** A launch: is the endpoint there, and does it have the model? */
  async #start(): Promise<void> {
    const abort = new AbortController();
    this.#starting = abort;
    const settings = this.#listener.settings();
    const isCurrent = () => this.#starting === abort;
    if (settings !== null && settings.kind !== 'workers-ai') {
      const dead = await this.#attempt((signal) => this.#ports.probe(settings, signal), FIRST_PROBE_TIMEOUT_MS, abort);
      if (!isCurrent()) return;
      this.#lastProbeAt = this.#ports.now();
      this.#busyAt = this.#lastProbeAt;
      if (dead) {
        // Once is enough: nobody was served yet, and the first probe after it is back closes it.
        this.#problem = dead;
        this.#apply({ type: 'probe_failed' }, this.#lastProbeAt);
        this.#apply({ type: 'probe_failed' }, this.#lastProbeAt);
      } else {
        this.reached = true;
        this.#listener.onReached();
        const load = (signal: AbortSignal): Promise<void> => this.#ports.preload(settings, signal);
        const failure = await this.#attempt(load, PRELOAD_TIMEOUT_MS, abort);
        if (!isCurrent()) return;
        this.#loadProblem = failure;
      }
    }
    this.#starting = null;
    this.#listener.onStarted();
  }

  /** Null when it went well. Never rejects. */
  async #attempt(
    work: (signal: AbortSignal) => Promise<void>,
    timeoutMs: number,
    abort = new AbortController(),
  ): Promise<Problem | null> {
    let cancel: () => void = () => undefined;
    const late = new Promise<Problem>((resolve) => {
      cancel = this.#ports.setTimer(() => {
        resolve({ code: 'connect_timeout', message: `The endpoint did not answer within ${timeoutMs} ms.` });
        abort.abort();
      }, timeoutMs);
    });
    const done = work(abort.signal).then(
      () => null,
      (error: unknown) => problemOf(error),
    );
    const result = await Promise.race([done, late]);
    cancel();
    return result;
  }

  #apply(event: BreakerEvent, now: number): void {
    const before = this.breaker;
    this.breaker = breakerAfter(before, event, now);
    if (before.state !== this.breaker.state) this.#listener.onBreaker();
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof TurnFailure) return { code: error.code, message: error.message };
  return { code: 'endpoint_unreachable', message: 'The endpoint could not be reached.' };
}
