/** A bot without a platform: time that a test moves, an endpoint that dies as told, storage that a crash leaves behind. */
import { define } from '../../src/bots/definition.ts';
import type { BotSpec } from '../../src/bots/spec.ts';
import { parseConfig, type Config } from '../../src/env.ts';
import type { StoredBot } from '../../src/history/bots.ts';
import type { SqlPort } from '../../src/log/sql.ts';
import type {
  AuditEntry,
  BotView,
  SessionAnswer,
  SessionCall,
  TurnClaim,
  TurnReport,
} from '../../src/objects/bot-rpc.ts';
import { BotRuntime } from '../../src/objects/bot-runtime.ts';
import { BotStore } from '../../src/objects/bot-store.ts';
import type { Result } from '../../src/objects/session-rpc.ts';
import { TurnFailure } from '../../src/responders/port.ts';
import { settle } from '../support/fake-world.ts';
import { nodeSql } from '../support/node-sql.ts';

export const REF = { id: 'helper', name: 'Helper', model: 'm' };
export const SPEC: BotSpec = { id: 'helper', name: 'Helper', kind: 'ollama', options: {} };

/** Thrown by storage where a test wants the process to end. */
export class Crash extends Error {}

export class BotWorld {
  time = 1_700_000_000_000;
  config: Config;
  /** `refused` answers at once that it is not there, `silent` never answers. */
  endpoint: 'up' | 'refused' | 'silent' = 'up';
  loadMs = 0;
  loadFailure: TurnFailure | null = null;
  d1: 'up' | 'down' | 'silent' = 'up';
  readonly rows: StoredBot[] = [];
  readonly entries = new Map<number, AuditEntry>();
  readonly wakes: { session: string; at: number }[] = [];
  readonly probes: number[] = [];
  preloads = 0;
  readonly reports: string[] = [];
  alarmAt: number | null = null;
  alarmsSet = 0;
  alarmRuns = 0;
  restartsAsked = 0;
  leavesEnded = 0;
  /** Writes until storage ends the process; null: never. */
  crashIn: number | null = null;
  writes = 0;
  onWake: (session: string) => void = () => undefined;
  readonly #sql = nodeSql();
  #timers: { at: number; callback: () => void }[] = [];
  #boot = 0;
  #alarming: Promise<void> | null = null;
  runtime: BotRuntime;

  constructor(variables: Readonly<Record<string, string>> = {}) {
    this.config = parseConfig({ SESSION_SECRET: 'a-secret-of-at-least-32-characters!!', ...variables });
    this.runtime = this.#start();
  }

  get sql(): SqlPort {
    return this.#sql;
  }

  #start(): BotRuntime {
    this.#boot += 1;
    const boot = this.#boot;
    const alive = (): boolean => boot === this.#boot;
    return new BotRuntime(
      new BotStore(this.#crashing()),
      {
        config: this.config,
        now: () => this.time,
        setTimer: (callback, delayMs) => {
          const timer = { at: this.time + delayMs, callback };
          if (alive()) this.#timers.push(timer);
          return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
        },
        setAlarm: (at) => {
          if (!alive()) return;
          this.alarmAt = at;
          this.alarmsSet += 1;
        },
        clearAlarm: () => {
          if (alive()) this.alarmAt = null;
        },
        define: (spec) => define(spec, null, this.config),
        probe: () => {
          this.probes.push(this.time);
          return this.#answer();
        },
        preload: async () => {
          this.preloads += 1;
          await this.#answer();
          if (this.loadMs > 0) await this.#pause(this.loadMs);
          if (this.loadFailure) throw this.loadFailure;
        },
        endLeave: () => void (this.leavesEnded += 1),
        wake: async (session) => {
          this.wakes.push({ session, at: this.time });
          await Promise.resolve();
          if (alive()) this.onWake(session);
        },
        publish: async (row, entries) => {
          if (this.d1 === 'silent') await new Promise(() => undefined);
          await Promise.resolve();
          if (this.d1 === 'down') throw new Error('D1 is down');
          if (row.version > (this.rows.at(-1)?.version ?? 0)) this.rows.push(row);
          for (const entry of entries) this.entries.set(entry.seq, entry);
        },
        recordAlerts: () => Promise.resolve(),
        deliverAlert: null,
        startAnew: () => void (this.restartsAsked += 1),
        report: (event) => void this.reports.push(event),
        note: () => undefined,
      },
      this.alarmAt,
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#timers.push({ at: this.time + ms, callback: resolve }));
  }

  async #answer(): Promise<void> {
    await Promise.resolve();
    if (this.endpoint === 'refused')
      throw new TurnFailure('endpoint_unreachable', 'The endpoint could not be reached.');
    if (this.endpoint === 'silent') await new Promise(() => undefined);
  }

  /** The object's storage, which may end the process at any write. */
  #crashing(): SqlPort {
    const { exec, transaction } = this.#sql;
    return {
      transaction,
      exec: (query, ...bindings) => {
        if (!/^\s*SELECT/i.test(query)) {
          this.writes += 1;
          if (this.crashIn !== null) {
            this.crashIn -= 1;
            if (this.crashIn < 0) throw new Crash('the process ended');
          }
        }
        return exec(query, ...bindings);
      },
    };
  }

  /** The process ends without a word and a new one takes over. */
  async restart(): Promise<void> {
    this.#timers = [];
    this.crashIn = null;
    const wasAlarming = this.#alarming !== null;
    this.#alarming = null;
    // An alarm that its process did not finish runs again at once.
    if (wasAlarming) this.alarmAt = this.time;
    this.runtime = this.#start();
    await settle();
  }

  /** Moves time on, firing timers and the alarm in their order. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      const timer = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      const alarmAt = this.#alarming ? null : this.alarmAt;
      const at = Math.min(timer?.at ?? Infinity, alarmAt ?? Infinity);
      if (at > until) break;
      this.time = Math.max(this.time, at);
      if (alarmAt === at) this.#fireAlarm();
      else if (timer) {
        this.#timers = this.#timers.filter((other) => other !== timer);
        timer.callback();
      }
      await settle();
    }
    this.time = until;
    await settle();
  }

  #fireAlarm(): void {
    this.alarmAt = null;
    this.alarmRuns += 1;
    const running = this.runtime.alarm().finally(() => {
      if (this.#alarming === running) this.#alarming = null;
    });
    this.#alarming = running;
  }

  get isAlarming(): boolean {
    return this.#alarming !== null;
  }

  /** A bot of an operator, launched and running. */
  async launched(fields: Partial<BotSpec> = {}): Promise<this> {
    this.runtime.create('token', { ...SPEC, ...fields });
    this.runtime.act('token', null, 'launch');
    await this.advance(100);
    return this;
  }

  view(): BotView {
    return valueOf(this.runtime.view(REF));
  }

  attend(call: SessionCall): SessionAnswer {
    return this.runtime.attend(call);
  }

  /** A turn that wants to begin. */
  ask(session: string, claim: Partial<TurnClaim> = {}, more: Partial<SessionCall> = {}): SessionAnswer {
    return this.attend(callOf(session, claim, more));
  }

  /** A turn that runs. */
  beat(session: string, claim: Partial<TurnClaim> = {}, more: Partial<SessionCall> = {}): SessionAnswer {
    return this.attend(callOf(session, { phase: 'running', ...claim }, more));
  }

  /** A turn that has ended. */
  end(session: string, report: Partial<TurnReport> = {}): SessionAnswer {
    return this.attend(callOf(session, null, { ended: [reportOf(report)] }));
  }
}

export function callOf(
  session: string,
  claim: Partial<TurnClaim> | null,
  more: Partial<SessionCall> = {},
): SessionCall {
  return {
    session,
    user: `u-${session}`,
    bot: REF,
    claim: claim && { turn: 1, attempt: 1, priority: 0, phase: 'waiting', progressed: false, ...claim },
    ended: [],
    connections: 1,
    rowsWritten: 0,
    undeliveredMs: 0,
    restarts: 0,
    silentCloses: 0,
    revision: -1,
    ...more,
  };
}

export function reportOf(report: Partial<TurnReport> = {}): TurnReport {
  return {
    turn: 1,
    attempt: 1,
    outcome: 'reply',
    promptTokens: 0,
    answerTokens: 0,
    waitedMs: 0,
    firstTokenMs: 100,
    totalMs: 500,
    overheadMs: null,
    ...report,
  };
}

export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.code);
  return result.value;
}
