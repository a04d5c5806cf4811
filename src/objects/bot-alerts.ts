/**
 * A bot's alerts at work: rules are held against it now and then, what comes of that is written to
 * D1 and sent to the webhook, again and again until it arrives or is given up. Never in anybody's way.
 */
import * as z from 'zod/mini';
import {
  EVALUATE_EVERY_MS,
  evaluateAlerts,
  firingAlerts,
  firstAlertState,
  resolveAll,
  type AlertState,
} from '../metrics/alert-engine.ts';
import type { Measured } from '../metrics/alert-measures.ts';
import { alertTried, dueAlerts, enqueueAlerts, nextAlertAt, type WaitingAlert } from '../metrics/alert-queue.ts';
import type { AlertView } from '../metrics/alert-rules.ts';
import type { AlertDelivery } from '../metrics/alert-webhook.ts';
import type { BotStats } from '../metrics/bot-stats.ts';
import { describeError } from '../metrics/describe-error.ts';
import type { LogEvent } from '../metrics/log.ts';
import { D1_CALL_TIMEOUT_MS, D1_SILENT, inTime } from './in-time.ts';

/** Alerts that D1 does not have yet; beyond this it was down for days. */
const MAX_UNRECORDED = 100;
/** Written at once: each is a statement, and D1's free plan takes 50 an invocation, what else the bot writes included. */
const MAX_RECORDED_AT_ONCE = 20;
/** The rest is left to another alarm, and so to another invocation: its handler stays for what is due before. */
const RECORD_REST_MS = 3_000;
const RECORD_RETRY_FIRST_MS = 2_000;
const RECORD_RETRY_LAST_MS = 5 * 60_000;
/** When to look after what is under way, should its process have ended meanwhile. */
const SAFETY_MS = 60_000;

const severity = z.enum(['warning', 'critical']);
const alert = z.object({
  rule: z.string(),
  severity,
  bot: z.string(),
  value: z.number(),
  threshold: z.number(),
  startedAt: z.number(),
  resolvedAt: z.nullable(z.number()),
});
const counters = z.object({
  turns: z.number(),
  errors: z.number(),
  restarts: z.number(),
  silentCloses: z.number(),
  overhead: z.object({ counts: z.array(z.number()), sumMs: z.number() }),
});
const keptAlerts = z.object({
  state: z.object({
    window: z.array(z.object({ at: z.number(), counters })),
    tracks: z.array(
      z.object({
        rule: z.string(),
        severity,
        threshold: z.number(),
        since: z.number(),
        firing: z.boolean(),
        value: z.number(),
        wellSince: z.nullable(z.number()),
      }),
    ),
    evaluatedAt: z.number(),
  }),
  waiting: z.array(z.object({ alert, tries: z.number(), nextAt: z.number() })),
  unrecorded: z.array(alert),
});

export interface AlertPorts {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `delayMs`; returns what cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
  /** What `save` was given last, also in another process; null at first. */
  load(): unknown;
  save(kept: unknown): void;
  /** Writes alerts to D1; the same again is harmless. */
  record(alerts: readonly AlertView[]): Promise<void>;
  /** One try to send an alert; null where nobody wants to hear of any. */
  deliver: ((alert: AlertView) => Promise<AlertDelivery>) | null;
  /** `nextAt` may be earlier than it was. */
  onDue(): void;
  report: LogEvent;
  note: LogEvent;
}

/** What alerts are about. Only asked once the bot exists, except for what it has counted. */
export interface AlertSource {
  id(): string;
  stats(): BotStats;
  measured(): Measured;
}

export class BotAlerts {
  readonly #bot: AlertSource;
  readonly #ports: AlertPorts;
  #state: AlertState;
  #waiting: WaitingAlert[];
  #unrecorded: AlertView[];
  /** When the rules are to be looked at (ms since 1970); null: when something happens. */
  #lookAt: number | null = null;
  #recordAt = 0;
  #recordFailures = 0;
  /** When what is under way began. */
  #underWaySince: number | null = null;

  constructor(bot: AlertSource, ports: AlertPorts) {
    this.#bot = bot;
    this.#ports = ports;
    const kept = keptAlerts.safeParse(ports.load());
    if (kept.success) {
      this.#state = kept.data.state;
      this.#waiting = kept.data.waiting;
      this.#unrecorded = kept.data.unrecorded;
      if (this.#state.tracks.length > 0) this.#lookAt = ports.now();
    } else {
      // What was counted before anybody looked is no news.
      this.#state = firstAlertState(bot.stats(), ports.now());
      this.#waiting = [];
      this.#unrecorded = [];
    }
  }

  get firing(): AlertView[] {
    if (this.#state.tracks.length === 0) return [];
    return firingAlerts(this.#state, this.#bot.id());
  }

  /** Something that rules look at has changed. */
  counted(): void {
    this.#lookAt ??= Math.max(this.#ports.now(), this.#state.evaluatedAt + EVALUATE_EVERY_MS);
  }

  /**
   * When something is due next (ms since 1970); null: nothing is. `asleep`: nothing will change by itself,
   * so that rules need not be looked at until something does.
   */
  nextAt(asleep = false): number | null {
    const times: (number | null)[] = [asleep ? null : this.#lookAt];
    if (this.#underWaySince !== null) times.push(this.#underWaySince + SAFETY_MS);
    else {
      times.push(nextAlertAt(this.#waiting));
      if (this.#unrecorded.length > 0) times.push(this.#recordAt);
    }
    const known = times.filter((at) => at !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  /** Does, or begins, what is due at `now`. Returns whether other alerts fire than before. */
  step(now: number): boolean {
    const hasChanged = this.#lookAt !== null && this.#lookAt <= now && this.#look(now);
    if (this.#underWaySince === null && this.#isWorkDue(now)) void this.#work(now);
    return hasChanged;
  }

  /** The bot is deleted: what fires is over. */
  end(): void {
    const now = this.#ports.now();
    const { state, resolved } = resolveAll(this.#state, this.#bot.id(), now);
    this.#state = state;
    this.#lookAt = null;
    this.#tell([], resolved, now);
    this.#save();
  }

  #look(now: number): boolean {
    const { state, fired, resolved, againMs } = evaluateAlerts(this.#state, this.#bot.id(), this.#bot.measured(), now);
    this.#state = state;
    this.#lookAt = againMs === null ? null : now + againMs;
    this.#tell(fired, resolved, now);
    this.#save();
    return fired.length > 0 || resolved.length > 0;
  }

  #tell(fired: readonly AlertView[], resolved: readonly AlertView[], now: number): void {
    for (const { rule, severity: level, value, threshold, resolvedAt } of [...fired, ...resolved]) {
      const event = resolvedAt === null ? 'alert_fired' : 'alert_resolved';
      this.#ports.note(event, { bot: this.#bot.id(), rule, severity: level, value, threshold });
    }
    const news = [...fired, ...resolved];
    this.#unrecorded = [...this.#unrecorded, ...news].slice(-MAX_UNRECORDED);
    if (this.#ports.deliver === null) return;
    const { waiting, dropped } = enqueueAlerts(this.#waiting, news, now);
    this.#waiting = waiting;
    for (const { rule } of dropped) this.#ports.report('alert_dropped', { bot: this.#bot.id(), rule });
  }

  #isWorkDue(now: number): boolean {
    if (this.#unrecorded.length > 0 && this.#recordAt <= now) return true;
    return dueAlerts(this.#waiting, now).length > 0;
  }

  /** Never rejects. */
  async #work(now: number): Promise<void> {
    this.#underWaySince = now;
    await Promise.all([this.#record(now), this.#deliver(now)]);
    this.#underWaySince = null;
    this.#save();
    this.#ports.onDue();
  }

  async #record(now: number): Promise<void> {
    const batch = this.#unrecorded.slice(0, MAX_RECORDED_AT_ONCE);
    if (batch.length === 0 || this.#recordAt > now) return;
    try {
      await inTime(this.#ports, this.#ports.record(batch), D1_CALL_TIMEOUT_MS, D1_SILENT);
      this.#unrecorded = this.#unrecorded.filter((entry) => !batch.includes(entry));
      this.#recordFailures = 0;
      this.#recordAt = this.#unrecorded.length > 0 ? this.#ports.now() + RECORD_REST_MS : 0;
    } catch (error) {
      const waitMs = Math.min(RECORD_RETRY_LAST_MS, RECORD_RETRY_FIRST_MS * 2 ** this.#recordFailures);
      this.#recordAt = this.#ports.now() + waitMs;
      this.#recordFailures += 1;
      this.#ports.report('alert_not_recorded', {
        bot: this.#bot.id(),
        tries: this.#recordFailures,
        ...describeError(error),
      });
    }
  }

  /** One after the other. An end comes in a later round than its beginning: the queue holds it back until then. */
  async #deliver(now: number): Promise<void> {
    const { deliver } = this.#ports;
    for (const { alert: due, tries } of deliver === null ? [] : dueAlerts(this.#waiting, now)) {
      const outcome = await deliver?.(due);
      if (outcome === undefined) return;
      const { waiting, gaveUp } = alertTried(this.#waiting, due, outcome.delivered, this.#ports.now());
      this.#waiting = waiting;
      if (outcome.delivered) continue;
      const event = gaveUp ? 'alert_given_up' : 'alert_not_delivered';
      this.#ports.report(event, { bot: this.#bot.id(), rule: due.rule, tries: tries + 1, reason: outcome.reason });
    }
  }

  #save(): void {
    this.#ports.save({ state: this.#state, waiting: this.#waiting, unrecorded: this.#unrecorded });
  }
}
