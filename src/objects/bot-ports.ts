/** What a bot's runtime needs of the world. The Durable Object provides the real things, tests their own. */
import type { BotDefinition } from '../bots/definition.ts';
import type { BotSpec } from '../bots/spec.ts';
import type { Config } from '../env.ts';
import type { StoredBot } from '../history/bots.ts';
import type { AlertView } from '../metrics/alert-rules.ts';
import type { AlertDelivery } from '../metrics/alert-webhook.ts';
import type { LogEvent } from '../metrics/log.ts';
import type { ModelSettings } from '../responders/port.ts';
import type { AuditEntry, BotView } from './bot-rpc.ts';

/** A bot's row in D1. */
export function rowOf(view: BotView, written: Pick<StoredBot, 'deleted' | 'version' | 'updatedAt'>): StoredBot {
  const { id, name, model, state, revision, spec, ...status } = view;
  return {
    id,
    name,
    model,
    state,
    revision,
    spec: spec && JSON.stringify(spec),
    status: JSON.stringify(status),
    ...written,
  };
}

/** Called without `this`. */
export interface BotPorts {
  config: Config;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Calls back once after `delayMs`; returns what cancels it. */
  setTimer: (callback: () => void, delayMs: number) => () => void;
  /** Runs `BotRuntime.alarm` at or after `at` (ms since 1970), at least once, also in a new process. Replaces an earlier one. */
  setAlarm(at: number): void;
  clearAlarm(): void;
  /** A definition with its key and defaults; null where its key is not set. */
  define(spec: BotSpec): BotDefinition | null;
  /** Resolves when the endpoint answers; throws a TurnFailure. */
  probe(settings: ModelSettings, signal: AbortSignal): Promise<void>;
  /** Resolves when the model is loaded; throws a TurnFailure. */
  preload(settings: ModelSettings, signal: AbortSignal): Promise<void>;
  /** What sessions of this process were told of beginning unasked holds no longer; those of others ask within a second or two. */
  endLeave(bot: string): void;
  /** Tells a session to ask again. */
  wake(session: string): Promise<void>;
  /** Brings the bot's row and new entries of its log to D1; the same ones again are harmless. */
  publish(row: StoredBot, entries: readonly AuditEntry[]): Promise<void>;
  /** Writes alerts to D1; the same again is harmless. */
  recordAlerts: (alerts: readonly AlertView[]) => Promise<void>;
  /** One try to send an alert; null where nobody wants to hear of any. */
  deliverAlert: ((alert: AlertView) => Promise<AlertDelivery>) | null;
  /** What is in memory may not be what is stored: begin anew from what is stored. */
  startAnew(): void;
  /** One structured line for operators: of a fault, of what happens. Never message text. */
  report: LogEvent;
  note: LogEvent;
}
