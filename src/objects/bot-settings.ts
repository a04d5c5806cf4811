/** What a bot's record means under this deployment's configuration: settings, limits, what is wrong with it. */
import { configuredBots, settingsFor } from '../bots/definition.ts';
import { checkedSpec } from '../bots/checked-spec.ts';
import { botSpec, type BotSpec } from '../bots/spec.ts';
import type { Config } from '../env.ts';
import type { BotRef } from '../protocol/values.ts';
import type { ModelSettings } from '../responders/port.ts';
import type { BotPorts } from './bot-ports.ts';
import type { BotRecord } from './bot-store.ts';

const DEFAULT_QUEUE_LENGTH = 1_000;
const DEFAULT_QUEUE_TIMEOUT_MS = 15 * 60_000;
const DEFAULT_GRACE_MS = 10_000;

export interface BotLimits {
  slots: number | null;
  turnsPerMinute: number | null;
  tokensPerDay: number | null;
  queueLength: number;
  queueTimeoutMs: number;
  graceMs: number;
}

/** Whether turns must hold something to run: a slot, or a share of the minute. */
export function hasLeases({ slots, turnsPerMinute }: BotLimits): boolean {
  return slots !== null || turnsPerMinute !== null;
}

/** What a given record means does not change: the same one is asked about with every call. */
interface Known {
  record: BotRecord;
  settings: ModelSettings | null;
  limits: BotLimits;
  problem: string | null;
}

export class BotSettings {
  readonly #ports: BotPorts;
  #known: Known | null = null;

  constructor(ports: BotPorts) {
    this.#ports = ports;
  }

  /** How it generates; the same value while its definition is the same. Null where it cannot. */
  of(record: BotRecord): ModelSettings | null {
    return this.#of(record).settings;
  }

  limits(record: BotRecord): BotLimits {
    return this.#of(record).limits;
  }

  /** Why turns cannot begin whatever the endpoint says; null when they can. */
  problem(record: BotRecord): string | null {
    return this.#of(record).problem;
  }

  shown(record: BotRecord): { name: string; model: string } {
    const { config } = this.#ports;
    const spec = specOf(record, config);
    const name = spec?.name ?? record.ref?.name ?? record.id;
    return { name, model: spec?.model ?? this.of(record)?.model ?? record.ref?.model ?? config.defaultModel };
  }

  #of(record: BotRecord): Known {
    const known = this.#known;
    if (known && known.record.revision === record.revision && known.record.spec === record.spec) return known;
    const { config } = this.#ports;
    const limits = limitsOf(specOf(record, config));
    const checked = record.spec && checkedSpec(record.spec, config);
    const problem = checked && !checked.ok ? checked.error.message : null;
    const settings = problem === null ? this.#define(record) : null;
    this.#known = { record, settings, limits, problem: problem ?? (settings ? null : 'Its key is not set.') };
    return this.#known;
  }

  #define({ spec, ref }: BotRecord): ModelSettings | null {
    if (spec) return this.#ports.define(spec)?.settings ?? null;
    return ref && settingsFor(ref, this.#ports.config).settings;
  }
}

/** The operator's definition, or the one in configuration; null for a bot that is nothing but a model. */
function specOf({ id, spec }: BotRecord, config: Config): BotSpec | null {
  return spec ?? config.bots.find((bot) => bot.spec.id === id)?.spec ?? null;
}

function limitsOf(spec: BotSpec | null): BotLimits {
  return {
    slots: spec?.concurrency ?? null,
    turnsPerMinute: spec?.turnsPerMinute ?? null,
    tokensPerDay: spec?.tokensPerDay ?? null,
    queueLength: spec?.queueLength ?? DEFAULT_QUEUE_LENGTH,
    queueTimeoutMs: spec?.queueTimeoutMs ?? DEFAULT_QUEUE_TIMEOUT_MS,
    graceMs: spec?.graceMs ?? DEFAULT_GRACE_MS,
  };
}

export function isConfigured(id: string, config: Config): boolean {
  return configuredBots(config).some((bot) => bot.id === id);
}

/** What an operator's change of a bot begins with that nobody changed before. */
export function givenSpec(ref: BotRef | null, config: Config): BotSpec {
  const configured = config.bots.find(({ spec }) => spec.id === ref?.id)?.spec;
  if (configured) return configured;
  const isDefault = ref !== null && isConfigured(ref.id, config);
  const model = isDefault || ref === null || ref.model === '' ? {} : { model: ref.model };
  return botSpec.parse({ id: ref?.id ?? '', name: ref?.name ?? '', ...model });
}
