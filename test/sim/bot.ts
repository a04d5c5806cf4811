/**
 * One bot's object: the real admission with its real line, on storage that a crash takes back, with an
 * operator and an endpoint. What is not admission (copies to D1, alerts, probes) is left out.
 */
import { define } from '../../src/bots/definition.ts';
import { botSpec, type BotSpec } from '../../src/bots/spec.ts';
import { parseConfig } from '../../src/env.ts';
import { Admission } from '../../src/objects/bot-admission.ts';
import { BotCounters } from '../../src/objects/bot-counters.ts';
import { BotHealth } from '../../src/objects/bot-health.ts';
import type { BotPorts } from '../../src/objects/bot-ports.ts';
import type { SessionCall, Verdict } from '../../src/objects/bot-rpc.ts';
import { BotSessions } from '../../src/objects/bot-sessions.ts';
import { BotSettings } from '../../src/objects/bot-settings.ts';
import { BotStore, type BotRecord } from '../../src/objects/bot-store.ts';
import { BotWaker } from '../../src/objects/bot-waker.ts';
import type { SqlPort } from '../../src/log/sql.ts';
import { SimStorage, type Database } from './storage.ts';
import type { Timeline } from './timeline.ts';

const CONFIG = parseConfig({ SESSION_SECRET: 'a-secret-of-at-least-32-characters!!' });
/** How often the endpoint is asked while it fails. */
const PROBE_EVERY_MS = 1_500;
const MIN_STEP_MS = 20;

/** What bots may be allowed, by the fields of a definition. */
export type Limits = Partial<
  Pick<BotSpec, 'concurrency' | 'queueLength' | 'queueTimeoutMs' | 'turnsPerMinute' | 'tokensPerDay' | 'graceMs'>
>;

export interface BotSurroundings {
  timeline: Timeline;
  wallClock(): number;
  /** The bot tells a session to ask again. */
  wake(session: string): void;
}

/** The same without budgets. */
export function affordable(limits: Limits): Limits {
  const { turnsPerMinute: _turns, tokensPerDay: _tokens, ...others } = limits;
  return others;
}

/** As if it had been made and launched before the run. */
function launched(id: string, limits: Limits, revision: number, now: number): BotRecord {
  return {
    id,
    ref: null,
    spec: specOf(id, limits, revision),
    deleted: false,
    revision,
    desired: 'running',
    because: null,
    launchedAt: now,
    openSince: now,
    stoppedAt: 0,
    starting: false,
    copied: 0,
  };
}

function specOf(id: string, limits: Limits, revision: number): BotSpec {
  return botSpec.parse({ id, name: nameOf(id, revision), ...limits });
}

/** Every revision has a name of its own, so that an answer shows under which it was given. */
export function nameOf(id: string, revision: number): string {
  return `${id} ${revision}`;
}

/** The tables of a bot, made once for many runs. */
export function prepareBot(sql: SqlPort): void {
  new BotStore(sql).save(launched('b0', {}, 1, 0));
}

export class SimBot {
  readonly id: string;
  readonly storage: SimStorage;
  record: BotRecord;
  endpointDown = false;
  readonly #surroundings: BotSurroundings;
  #limits: Limits;
  #life: Life;

  constructor(id: string, limits: Limits, db: Database, surroundings: BotSurroundings) {
    this.id = id;
    this.storage = new SimStorage(db);
    this.#surroundings = surroundings;
    this.#limits = limits;
    this.record = launched(id, limits, 1, surroundings.wallClock());
    this.#life = new Life(this, surroundings);
  }

  attend(call: SessionCall): Verdict {
    return this.#life.attend(call);
  }

  /** The process ends; some of what it had written and answered to nobody yet is lost. */
  crash(survivors: number): void {
    this.#surroundings.timeline.drop(this.#life);
    this.storage.crash(survivors);
    this.#life = new Life(this, this.#surroundings);
  }

  stop(): void {
    if (this.record.desired === 'stopped') return;
    const stoppedAt = this.#surroundings.wallClock();
    this.#change({ desired: 'stopped', because: 'Stopped.', launchedAt: 0, openSince: 0, stoppedAt });
  }

  pause(): void {
    if (this.record.desired === 'running') this.#change({ desired: 'paused', because: 'Paused.', openSince: 0 });
  }

  launch(): void {
    if (this.record.deleted) this.define(this.#limits);
    if (this.record.desired === 'running') return;
    const now = this.#surroundings.wallClock();
    this.#change({ desired: 'running', because: null, launchedAt: now, openSince: now, stoppedAt: 0 });
  }

  /** Another definition, under the next revision. */
  define(limits: Limits): void {
    this.#limits = limits;
    const revision = this.record.revision + 1;
    this.#change({ deleted: false, revision, spec: specOf(this.id, limits, revision) });
  }

  /** Nobody waits for another minute, or for another day. */
  afford(): void {
    const { turnsPerMinute, tokensPerDay } = this.#limits;
    if (turnsPerMinute !== undefined || tokensPerDay !== undefined) this.define(affordable(this.#limits));
  }

  /** The same, under the next revision. */
  rename(): void {
    this.define(this.#limits);
  }

  remove(): void {
    const revision = this.record.revision + 1;
    this.#change({ deleted: true, revision, desired: 'stopped', launchedAt: 0, openSince: 0 });
  }

  /** The endpoint answers its probes again, or not any more. */
  setEndpoint(down: boolean): void {
    this.endpointDown = down;
    this.#life.probed();
    if (down) this.#life.probed();
  }

  #change(change: Partial<BotRecord>): void {
    const hasTurned = change.desired !== undefined;
    this.record = { ...this.record, ...change };
    this.#life.changed(hasTurned);
  }
}

/** One process of a bot's object: the parts as `BotRuntime` puts them together. */
class Life {
  readonly #bot: SimBot;
  readonly #surroundings: BotSurroundings;
  readonly #store: BotStore;
  readonly #health: BotHealth;
  readonly #admission: Admission;
  #cancelStep: () => void = () => undefined;

  constructor(bot: SimBot, surroundings: BotSurroundings) {
    this.#bot = bot;
    this.#surroundings = surroundings;
    this.#store = new BotStore(bot.storage.port(() => undefined));
    const ports = this.#ports();
    this.#health = new BotHealth(ports, {
      settings: () => null,
      onBreaker: () => this.#opened(),
      onReached: () => undefined,
      onStarted: () => undefined,
    });
    this.#admission = new Admission({
      store: this.#store,
      ports,
      counters: new BotCounters(this.#store.counters(), ports.now()),
      sessions: new BotSessions(this.#store),
      settings: new BotSettings(ports),
      health: this.#health,
      waker: new BotWaker(ports),
    });
    this.#schedule();
  }

  attend(call: SessionCall): Verdict {
    const { verdict } = this.#atomic(() => this.#admission.attend(call, this.#bot.record));
    this.#schedule();
    return verdict;
  }

  changed(hasTurned: boolean): void {
    if (hasTurned) this.#health.reset();
    this.#opened();
    this.#schedule();
  }

  /** The endpoint was asked how it does. */
  probed(): void {
    this.#health.note({ type: this.#bot.endpointDown ? 'probe_failed' : 'probe_answered' });
    this.#schedule();
  }

  #opened(): void {
    this.#atomic(() => this.#admission.opened(this.#now(), this.#bot.record));
  }

  #atomic<T>(body: () => T): T {
    return this.#store.sql.transaction(body);
  }

  #now(): number {
    return this.#surroundings.wallClock();
  }

  #step(): void {
    if (this.#health.breaker.state !== 'closed') this.probed();
    this.#atomic(() => this.#admission.step(this.#now(), this.#bot.record));
    this.#schedule();
  }

  #schedule(): void {
    this.#cancelStep();
    const now = this.#now();
    const probeAt = this.#health.breaker.state === 'closed' ? Infinity : now + PROBE_EVERY_MS;
    const next = Math.min(this.#admission.nextAt(now, this.#bot.record) ?? Infinity, probeAt);
    if (next === Infinity) return;
    this.#cancelStep = this.#surroundings.timeline.after(Math.max(MIN_STEP_MS, next - now), this, () => this.#step());
  }

  #ports(): BotPorts {
    const { timeline, wake } = this.#surroundings;
    const nothing = (): Promise<void> => Promise.resolve();
    return {
      config: CONFIG,
      now: () => this.#now(),
      setTimer: (callback, delayMs) => timeline.after(delayMs, this, callback),
      setAlarm: () => undefined,
      clearAlarm: () => undefined,
      define: (spec) => define(spec, null, CONFIG),
      probe: nothing,
      preload: nothing,
      wake: (session) => {
        wake(session);
        return nothing();
      },
      publish: nothing,
      recordAlerts: nothing,
      deliverAlert: null,
      endLeave: () => undefined,
      startAnew: () => undefined,
      report: () => undefined,
      note: () => undefined,
    };
  }
}
