/**
 * The Durable Object of one bot: a shell that hands the platform's storage, alarm and bindings to the
 * runtime, and answers sessions and the server. Each copy to D1, wake and probe begins here and is
 * waited for by nobody.
 */
import { DurableObject } from 'cloudflare:workers';
import { define } from '../bots/definition.ts';
import { preload } from '../bots/preload.ts';
import type { BotSpec, BotSpecPatch } from '../bots/spec.ts';
import { apiKeyFor, ConfigError, parseConfig, type Bindings } from '../env.ts';
import { writeAlerts } from '../history/alerts.ts';
import { publishBot } from '../history/bots.ts';
import type { SqlPort } from '../log/sql.ts';
import { deliverAlert } from '../metrics/alert-webhook.ts';
import type { BotRef } from '../protocol/values.ts';
import { probe } from '../responders/discovery.ts';
import type { BotPorts } from './bot-ports.ts';
import type { Actor, BotAction, BotRpc, BotView, SessionAnswer, SessionCall } from './bot-rpc.ts';
import { BotRuntime } from './bot-runtime.ts';
import { BotStore } from './bot-store.ts';
import { objectLog } from './object-log.ts';
import type { Result } from './session-rpc.ts';
import { setTimer } from './set-timer.ts';
import { sharedLeaves } from './shared-leave.ts';

/** Lists are read from D1: who made or changed a bot should find it there, if D1 answers in time. */
const SETTLE_MS = 1_000;
/** A launch or a stop is not to wait for D1; where it is quick, lists show it at once. */
const SETTLE_BRIEFLY_MS = 25;

export class Bot extends DurableObject<Bindings> implements BotRpc {
  #runtime: BotRuntime | null = null;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    void ctx.blockConcurrencyWhile(async () => {
      // An alarm that is due is delivered as soon as the object is built; setting it anew would put it off.
      this.#runtime = new BotRuntime(new BotStore(this.#sql()), this.#ports(), await ctx.storage.getAlarm());
    });
  }

  async attend(call: SessionCall): Promise<SessionAnswer> {
    return this.#bot().attend(call);
  }

  async view(ref: BotRef | null): Promise<Result<BotView>> {
    return this.#bot().view(ref);
  }

  async create(actor: Actor, spec: BotSpec): Promise<Result<BotView>> {
    return this.#settled(this.#bot().create(actor, spec), SETTLE_MS);
  }

  async update(actor: Actor, ref: BotRef | null, patch: BotSpecPatch, revision?: number): Promise<Result<BotView>> {
    return this.#settled(this.#bot().update(actor, ref, patch, revision), SETTLE_MS);
  }

  async act(actor: Actor, ref: BotRef | null, action: BotAction): Promise<Result<BotView>> {
    return this.#settled(this.#bot().act(actor, ref, action), SETTLE_BRIEFLY_MS);
  }

  async remove(actor: Actor, ref: BotRef | null): Promise<Result<null>> {
    return this.#settled(this.#bot().remove(actor, ref), SETTLE_MS);
  }

  async verify(): Promise<{ entries: number; head: string; brokenAt: { seq: number; reason: string } | null }> {
    return this.#bot().verify();
  }

  override async alarm(): Promise<void> {
    await this.#runtime?.alarm();
  }

  #bot(): BotRuntime {
    if (!this.#runtime) throw new Error('The object is not built yet.');
    return this.#runtime;
  }

  async #settled<T>(result: Result<T>, ms: number): Promise<Result<T>> {
    if (result.ok) await this.#bot().settled(ms);
    return result;
  }

  #sql(): SqlPort {
    const { storage } = this.ctx;
    return {
      exec: (query, ...bindings) => storage.sql.exec(query, ...bindings),
      transaction: (body) => storage.transactionSync(body),
    };
  }

  #ports(): BotPorts {
    const { ctx, env } = this;
    const config = parseConfig(env);
    const { alertWebhook: webhook } = config;
    const log = objectLog(env);
    return {
      config,
      now: () => Date.now(),
      setTimer,
      setAlarm: (at) => void ctx.storage.setAlarm(at),
      clearAlarm: () => void ctx.storage.deleteAlarm(),
      define(spec) {
        const key = apiKeyFor(env, spec, config);
        return key instanceof ConfigError ? null : define(spec, key, config);
      },
      async probe({ kind, baseUrl, apiKey }, signal) {
        if (kind !== 'workers-ai') await probe({ kind, baseUrl, apiKey }, signal);
      },
      preload: (settings, signal) => preload(settings, signal),
      endLeave: (bot) => sharedLeaves.end(bot, Date.now()),
      wake: (session) => env.SESSIONS.getByName(session).wake(),
      publish: (row, entries) => publishBot(env.DB, row, entries),
      recordAlerts: (alerts) => writeAlerts(env.DB, alerts, Date.now()),
      deliverAlert: webhook && ((alert) => deliverAlert(webhook, alert, (url, init) => fetch(url, init), Date.now())),
      startAnew: () => ctx.abort('The state in memory was given up.'),
      report: log.error,
      note: log.info,
    };
  }
}
