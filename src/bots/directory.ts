/** The bots there are just now: the configured ones, and one per model of the endpoint while it answers. */
import type { Config } from '../env.ts';
import type { WireError } from '../protocol/server-frames.ts';
import type { BotRef } from '../protocol/values.ts';
import type { Endpoint, ModelInfo } from '../responders/discovery.ts';
import { TurnFailure, type ModelSettings } from '../responders/port.ts';
import { configuredBots, refOf, type BotDefinition } from './definition.ts';
import { isListed, modelBots } from './model-bots.ts';

/** A model pulled just now is listed after at most this; a page that polls costs the endpoint little. */
const MODELS_CACHE_MS = 10_000;
/** An endpoint that was just started is seen soon, one that is down is not asked by every request. */
const FAILURE_CACHE_MS = 2_000;
/** Listing is quick even while a model loads; a reader of the list should not wait for a dead endpoint. */
const LIST_TIMEOUT_MS = 3_000;

export interface DirectoryPorts {
  /** `listModels` of the responders. */
  listModels(endpoint: Endpoint, signal: AbortSignal): Promise<ModelInfo[]>;
  /** What D1 knows of a bot that an operator made, or that somebody talked to; null for nothing. */
  stored(id: string): Promise<BotRef | null>;
  /** Milliseconds since 1970. */
  now(): number;
}

export type EndpointState = { reachable: true; models: readonly string[] } | { reachable: false; error: string };

export interface BotDirectory {
  /** Every bot, configured ones first. Never fails: without the endpoint there are fewer. */
  list(): Promise<{ bots: BotDefinition[]; endpoint: EndpointState }>;
  /** A configured bot without asking anybody; others are looked for in D1, then in the endpoint's list. */
  find(id: string): Promise<{ ok: true; value: BotRef } | { ok: false; error: WireError }>;
}

export function createBotDirectory(config: Config, ports: DirectoryPorts): BotDirectory {
  const configured = configuredBots(config);
  const taken = new Set(configured.map(({ id }) => id));
  // Results only, never a promise: a request may not wait for the fetch of another one.
  let cached: { until: number; bots: BotDefinition[]; endpoint: EndpointState } | null = null;

  async function list(): Promise<{ bots: BotDefinition[]; endpoint: EndpointState }> {
    if (cached !== null && ports.now() < cached.until) return cached;
    try {
      const endpoint: Endpoint = { kind: 'ollama', ...config.endpoint };
      const models = await ports.listModels(endpoint, AbortSignal.timeout(LIST_TIMEOUT_MS));
      const bots = [...configured, ...modelBots(models, config, taken)];
      const names = models.map(({ model }) => model);
      cached = { until: ports.now() + MODELS_CACHE_MS, bots, endpoint: { reachable: true, models: names } };
    } catch (error) {
      const endpoint = { reachable: false as const, error: reasonOf(error) };
      cached = { until: ports.now() + FAILURE_CACHE_MS, bots: configured, endpoint };
    }
    return cached;
  }

  return {
    list,
    async find(id) {
      const known = configured.find((bot) => bot.id === id);
      if (known) return { ok: true, value: refOf(known) };
      let isStoreDown = false;
      const stored = await ports.stored(id).catch(() => {
        isStoreDown = true;
        return null;
      });
      if (stored) return { ok: true, value: stored };
      const { bots, endpoint } = await list();
      const found = bots.find((bot) => bot.id === id);
      if (found) return { ok: true, value: refOf(found) };
      if (endpoint.reachable && !isStoreDown) {
        return { ok: false, error: { code: 'bot_not_found', message: 'There is no such bot.', retryable: false } };
      }
      // It may well be one of those that cannot be listed just now.
      const message = 'The bot is not configured, and whoever could tell whether there is one does not answer.';
      return { ok: false, error: { code: 'unavailable', message, retryable: true } };
    },
  };
}

/** Whether a bot's model is there: null where nobody can tell, or another endpoint would have to say. */
export function modelAvailable(
  { kind, baseUrl, model }: Pick<ModelSettings, 'kind' | 'baseUrl' | 'model'>,
  config: Config,
  endpoint: EndpointState,
): boolean | null {
  if (!endpoint.reachable || kind !== 'ollama' || baseUrl !== config.endpoint.baseUrl) return null;
  return isListed(model, endpoint.models);
}

/** A failure's sentence is made for people; what the runtime throws may name addresses. */
function reasonOf(error: unknown): string {
  if (error instanceof TurnFailure) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `The endpoint did not answer within ${LIST_TIMEOUT_MS / 1_000} s.`;
  }
  return 'The endpoint could not be reached.';
}
