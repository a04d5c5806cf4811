/**
 * A bot at work: gives turns leave to begin, keeps the line before its endpoint, follows its operator.
 * Knows nothing of Cloudflare: the Durable Object hands it the ports, and so do tests.
 *
 * Every call is answered without waiting for anything: what takes time (probes, copies to D1, waking
 * sessions) is begun and comes back as an event. See src/bots/SPEC.md for the rules.
 */
import { botState, type BotAction } from '../bots/bot-state.ts';
import type { BotSpec, BotSpecPatch } from '../bots/spec.ts';
import type { StoredBot } from '../history/bots.ts';
import { emptyStats } from '../metrics/bot-stats.ts';
import type { BotRef } from '../protocol/values.ts';
import { Admission } from './bot-admission.ts';
import { BotAlarm } from './bot-alarm.ts';
import { BotAlerts } from './bot-alerts.ts';
import { BotCopies } from './bot-copies.ts';
import { BotCounters } from './bot-counters.ts';
import {
  BOT_NOT_FOUND,
  decideAction,
  decideCreate,
  decideRemove,
  decideUpdate,
  standing,
  untouched,
  type Decision,
} from './bot-decisions.ts';
import { BotHealth } from './bot-health.ts';
import { BotLog } from './bot-log.ts';
import { rowOf, type BotPorts } from './bot-ports.ts';
import type { Actor, AuditEntry, BotStatus, BotView, SessionAnswer, SessionCall } from './bot-rpc.ts';
import { BotSessions } from './bot-sessions.ts';
import { BotSettings, isConfigured } from './bot-settings.ts';
import type { BotRecord, BotStore } from './bot-store.ts';
import { BotWaker } from './bot-waker.ts';
import { D1_SILENT, inTime } from './in-time.ts';
import type { Result } from './session-rpc.ts';

/** Entries of the log copied to D1 at once. */
const COPY_ENTRIES = 100;
/** Longer than any alert looks back: of a bot of which nothing was heard since, none changes. */
const ASLEEP_AFTER_MS = 15 * 60_000;

export class BotRuntime {
  readonly #store: BotStore;
  readonly #ports: BotPorts;
  readonly #log: BotLog;
  readonly #counters: BotCounters;
  readonly #sessions: BotSessions;
  readonly #settings: BotSettings;
  readonly #health: BotHealth;
  readonly #waker: BotWaker;
  readonly #admission: Admission;
  readonly #copies: BotCopies;
  readonly #alerts: BotAlerts;
  readonly #alarm: BotAlarm;
  /** Null: nobody ever did anything with this bot. */
  #record: BotRecord | null;
  /** When anything was last heard of it, from sessions, operators or its endpoint. */
  #stirredAt: number;

  /** `alarmAt`: when the alarm that the process before has left is due. */
  constructor(store: BotStore, ports: BotPorts, alarmAt: number | null) {
    this.#store = store;
    this.#ports = ports;
    this.#record = store.record();
    this.#stirredAt = ports.now();
    this.#log = new BotLog(store.sql);
    this.#counters = new BotCounters(store.counters(), ports.now());
    this.#sessions = new BotSessions(store);
    this.#settings = new BotSettings(ports);
    this.#waker = new BotWaker(ports);
    this.#health = new BotHealth(ports, {
      settings: () => (this.#record ? this.#settings.of(this.#record) : null),
      onBreaker: () => this.#breakerChanged(),
      onReached: () => this.#opened(),
      onStarted: () => this.#started(),
    });
    const parts = { counters: this.#counters, sessions: this.#sessions, settings: this.#settings };
    this.#admission = new Admission({ store, ports, ...parts, health: this.#health, waker: this.#waker });
    this.#copies = new BotCopies(
      {
        take: (version) => this.#rowOf(version),
        copied: (seq) => this.#change({ copied: seq }),
        hasUncopied: () => this.#record !== null && this.#log.head > this.#record.copied,
      },
      ports,
    );
    this.#alerts = this.#alertsOf(store);
    this.#alarm = new BotAlarm({ step: (now) => this.#step(now), nextAt: (now) => this.#nextAt(now) }, ports, alarmAt);
    this.#alarm.keep();
  }

  attend(call: SessionCall): SessionAnswer {
    this.#stirredAt = this.#ports.now();
    const { verdict, counted } = this.#atomic(() => this.#admission.attend(call, this.#ensure(call.bot)));
    if (counted) {
      this.#copies.counted();
      this.#alerts.counted();
    }
    // What is due of a turn without a lease is lost with the process anyway, and a first token may wait for the answer.
    if (verdict.do === 'go' && verdict.leaseMs === null) this.#alarm.keepSoon();
    else this.#alarm.keep();
    const excess = this.#sessions.excess(call);
    return excess > 0 ? { ...verdict, excess } : verdict;
  }

  view(ref: BotRef | null): Result<BotView> {
    const record = this.#current(ref, 0);
    if (!record || record.deleted) return { ok: false, error: BOT_NOT_FOUND };
    this.#health.lookAgain(this.#ports.now());
    return { ok: true, value: this.#viewOf(record) };
  }

  create(actor: Actor, spec: BotSpec): Result<BotView> {
    return this.#carryOut(decideCreate(this.#record, actor, spec));
  }

  update(actor: Actor, ref: BotRef | null, patch: BotSpecPatch, revision?: number): Result<BotView> {
    const { config, now } = this.#ports;
    return this.#carryOut(decideUpdate(this.#current(ref, now()), actor, { patch, revision, config }));
  }

  act(actor: Actor, ref: BotRef | null, action: BotAction): Result<BotView> {
    const now = this.#ports.now();
    return this.#carryOut(decideAction(this.#current(ref, now), actor, action, now));
  }

  remove(actor: Actor, ref: BotRef | null): Result<null> {
    const result = this.#carryOut(decideRemove(this.#current(ref, this.#ports.now()), actor, ref));
    if (!result.ok) return result;
    if (this.#record?.deleted) this.#alerts.end();
    return { ok: true, value: null };
  }

  verify(): ReturnType<BotLog['verify']> {
    return this.#record ? this.#log.verify() : { entries: 0, head: '', brokenAt: null };
  }

  /** The platform's alarm. Never throws. */
  alarm(): Promise<void> {
    return this.#alarm.run();
  }

  /** Resolves when D1 shows what was done last, or `ms` later. Never rejects. */
  async settled(ms: number): Promise<void> {
    await inTime(this.#ports, this.#copies.settle(), ms, D1_SILENT).catch(() => undefined);
  }

  #alertsOf(store: BotStore): BotAlerts {
    const { now, setTimer, recordAlerts, deliverAlert, report, note } = this.#ports;
    const measured = (): BotView => {
      if (!this.#record) throw new Error('A bot that does not exist has nothing to measure.');
      return this.#viewOf(this.#record);
    };
    return new BotAlerts(
      { id: () => this.#record?.id ?? '', stats: () => this.#counters.stats, measured },
      {
        now,
        setTimer,
        load: () => store.alerts(),
        save: (kept) => store.saveAlerts(kept),
        record: recordAlerts,
        deliver: deliverAlert,
        onDue: () => this.#alarm.keep(),
        report,
        note,
      },
    );
  }

  #step(now: number): void {
    const record = this.#record;
    if (!record) return;
    this.#atomic(() => this.#admission.step(now, record));
    this.#health.step(now, this.#admission.isBusy(now, record), record.starting);
    if (this.#alerts.step(now)) this.#copies.changed();
    this.#copies.step(now);
  }

  #nextAt(now: number): number | null {
    const record = this.#record;
    if (!record) return null;
    const next = Math.min(
      this.#copies.nextAt(now) ?? Infinity,
      this.#health.nextAt(now, this.#admission.isBusy(now, record), record.starting) ?? Infinity,
      this.#admission.nextAt(now, record) ?? Infinity,
      this.#alerts.nextAt(now - this.#stirredAt > ASLEEP_AFTER_MS) ?? Infinity,
    );
    return next === Infinity ? null : next;
  }

  /** The record of a bot that a session talks to: configured ones come into being so. */
  #ensure(ref: BotRef): BotRecord {
    const record = this.#record;
    // What the session remembers may be the bot that was deleted: only configuration brings it back here.
    if (record && !(record.deleted && isConfigured(record.id, this.#ports.config))) return record;
    const now = this.#ports.now();
    const begun = this.#current(ref, now) ?? untouched(ref, now);
    this.#put(begun);
    this.#copies.changed();
    return begun;
  }

  #current(ref: BotRef | null, since: number): BotRecord | null {
    return standing(this.#record, { ref, since, config: this.#ports.config });
  }

  #carryOut(decision: Decision): Result<BotView> {
    if (!decision.ok) return decision;
    const { record, entry } = decision;
    if (entry === null) return { ok: true, value: this.#viewOf(record) };
    const before = this.#record;
    this.#stirredAt = this.#ports.now();
    this.#atomic(() => {
      this.#put(record);
      this.#log.append(entry, this.#ports.now());
    });
    const isAnother = before?.spec !== record.spec || before.deleted !== record.deleted;
    const hasTurned = (before?.desired === 'stopped') !== (record.desired === 'stopped');
    if (isAnother || hasTurned) this.#health.reset();
    this.#opened();
    this.#copies.changed();
    this.#alarm.keep();
    return { ok: true, value: this.#viewOf(record) };
  }

  #put(record: BotRecord): void {
    this.#store.save(record);
    this.#record = record;
  }

  #change(change: Partial<BotRecord>): void {
    if (this.#record) this.#put({ ...this.#record, ...change });
  }

  /** All of what `body` writes, or nothing. */
  #atomic<T>(body: () => T): T {
    try {
      return this.#store.sql.transaction(body);
    } catch (error) {
      // What was undone in storage was not undone here.
      this.#ports.startAnew();
      throw error;
    }
  }

  #breakerChanged(): void {
    this.#stirredAt = this.#ports.now();
    if (this.#health.breaker.state === 'open') this.#counters.stats.breakerOpened += 1;
    this.#copies.changed();
    this.#alerts.counted();
    this.#opened();
    this.#alarm.keep();
  }

  #started(): void {
    if (this.#record?.starting) this.#change({ starting: false });
    this.#copies.changed();
    this.#opened();
    this.#alarm.keep();
  }

  /** Whoever may begin is to ask for it anew, and whoever waited asks again: for something other than a slot it may be over. */
  #opened(): void {
    const record = this.#record;
    if (record) this.#ports.endLeave(record.id);
    if (record) this.#atomic(() => this.#admission.opened(this.#ports.now(), record));
  }

  #rowOf(version: number): { row: StoredBot; entries: readonly AuditEntry[] } {
    const record = this.#record;
    if (!record) throw new Error('A bot that does not exist has no row.');
    this.#store.saveCounters(this.#counters.kept());
    this.#sessions.forgetOld(this.#ports.now());
    const row = rowOf(this.#viewOf(record), { deleted: record.deleted, version, updatedAt: this.#ports.now() });
    return { row, entries: this.#log.after(record.id, record.copied, COPY_ENTRIES) };
  }

  #viewOf(record: BotRecord): BotView {
    const now = this.#ports.now();
    const { name, model } = this.#settings.shown(record);
    const { state, because } = this.#stateOf(record);
    const stored = this.#record !== null;
    return {
      id: record.id,
      name,
      model,
      state,
      because,
      revision: record.revision,
      uptimeMs: record.launchedAt === 0 ? 0 : Math.max(0, now - record.launchedAt),
      ...this.#admission.figures(now, record),
      connections: this.#sessions.connections,
      breaker: this.#health.breaker.state,
      lastError: this.#counters.lastError,
      stats: stored ? this.#counters.stats : emptyStats(),
      alerts: this.#alerts.firing,
      spec: record.spec,
    };
  }

  #stateOf(record: BotRecord): Pick<BotStatus, 'state' | 'because'> {
    const problem = this.#settings.problem(record);
    const failing = this.#health.failing || problem !== null;
    const state = botState(record.desired, record.starting, failing);
    const endpoint = this.#health.problem?.message ?? null;
    return { state, because: state === 'degraded' ? (problem ?? endpoint) : record.because };
  }
}
