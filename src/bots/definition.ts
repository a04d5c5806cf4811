/**
 * Bots as configuration describes them: how each generates and what stands in front of its
 * conversations. Reading a definition never touches the network.
 */
import type { Config } from '../env.ts';
import type { BotRef } from '../protocol/values.ts';
import type { ModelSettings } from '../responders/port.ts';
import type { BotSpec } from './spec.ts';

export const DEFAULT_BOT_ID = 'default';
const DEFAULT_BOT_NAME = 'Assistant';

export interface BotDefinition {
  id: string;
  name: string;
  /** Empty for none. */
  systemPrompt: string;
  settings: ModelSettings;
}

/** The default bot (which configuration may redefine), then the others in the order configured. */
export function configuredBots(config: Config): BotDefinition[] {
  const bots = config.bots.map(({ spec, apiKey }) => define(spec, apiKey, config));
  if (bots.some(({ id }) => id === DEFAULT_BOT_ID)) return bots;
  return [modelBot(DEFAULT_BOT_ID, DEFAULT_BOT_NAME, config.defaultModel, config), ...bots];
}

/** A bot that is nothing but a model at the default endpoint. */
export function modelBot(id: string, name: string, model: string, config: Config): BotDefinition {
  const { endpoint, deadlines, systemPrompt } = config;
  const { baseUrl, apiKey } = endpoint;
  const settings: ModelSettings = {
    kind: 'ollama',
    baseUrl,
    apiKey,
    model,
    options: {},
    think: null,
    keepAlive: null,
    deadlines,
  };
  return { id, name, systemPrompt, settings };
}

/**
 * How to answer as `ref`: as configuration defines that bot now, or else with the model that the
 * session remembers, at the default endpoint. So a session outlives a change of configuration,
 * and a generation never waits for a list of models.
 */
export function settingsFor(ref: BotRef, config: Config): { settings: ModelSettings; systemPrompt: string } {
  const configured = configuredBots(config).find(({ id }) => id === ref.id);
  return configured ?? modelBot(ref.id, ref.name, ref.model, config);
}

export function refOf({ id, name, settings }: BotDefinition): BotRef {
  return { id, name, model: settings.model };
}

/** A definition with what it leaves out filled in from configuration; `apiKey` is its own or the default endpoint's. */
export function define(spec: BotSpec, apiKey: string | null, config: Config): BotDefinition {
  const { id, name, kind, options, think = null, keepAlive = null } = spec;
  return {
    id,
    name,
    systemPrompt: spec.systemPrompt ?? config.systemPrompt,
    settings: {
      kind,
      baseUrl: spec.endpoint ?? config.endpoint.baseUrl,
      apiKey,
      model: spec.model ?? config.defaultModel,
      options,
      think,
      keepAlive,
      deadlines: {
        connectTimeoutMs: spec.deadlines?.connectTimeoutMs ?? config.deadlines.connectTimeoutMs,
        firstTokenTimeoutMs: spec.deadlines?.firstTokenTimeoutMs ?? config.deadlines.firstTokenTimeoutMs,
        idleTimeoutMs: spec.deadlines?.idleTimeoutMs ?? config.deadlines.idleTimeoutMs,
        totalTimeoutMs: spec.deadlines?.totalTimeoutMs ?? config.deadlines.totalTimeoutMs,
      },
    },
  };
}
