/**
 * Which endpoints a bot made over the API may use, and with which key. Who holds an operator's token
 * must not be able to send prompts or keys to a place of their own: endpoints are those that the
 * deployment allows, and a key goes only where the deployment sends it itself.
 */
import type { Config } from '../env.ts';
import type { BotSpec } from './spec.ts';

/** The default endpoint's key goes by this name. */
const DEFAULT_KEY_VARIABLE = 'OLLAMA_API_KEY';

/**
 * An endpoint as the URL standard writes it, without a slash at its end; null for what is none. Hosts
 * in other notations (decimal, hexadecimal, percent-encoded, in capitals) come out as what they mean.
 */
export function normalEndpoint(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, username, password, origin, pathname, search, hash } = new URL(text);
  if ((protocol !== 'http:' && protocol !== 'https:') || `${username}${password}${search}${hash}` !== '') return null;
  return `${origin}${pathname}`.replace(/\/+$/, '');
}

/** The endpoint in the form in which it is used, or null where it is not one that configuration allows. */
export function allowedEndpoint(text: string, config: Pick<Config, 'allowedEndpoints'>): string | null {
  const wanted = normalEndpoint(text);
  if (wanted === null) return null;
  return config.allowedEndpoints.some((allowed) => normalEndpoint(allowed) === wanted) ? wanted : null;
}

/** Why a definition may not be used under this configuration, in words for operators; null when it may. */
export function useProblem(spec: BotSpec, config: Config): { field: string; message: string } | null {
  const { endpoint, apiKeyVariable } = spec;
  if (endpoint !== undefined && allowedEndpoint(endpoint, config) === null) {
    const message = 'is not an endpoint that ALLOWED_ENDPOINTS or the configured bots name';
    return { field: 'endpoint', message };
  }
  if (apiKeyVariable !== undefined && configuredKey(spec, config) === null) {
    const message = 'names a key that is not set, or that no configured bot uses at this endpoint';
    return { field: 'apiKeyVariable', message };
  }
  return null;
}

/** The key that a bot's endpoint is asked with, as far as configuration holds it; null where there is none. */
export function configuredKey(
  { apiKeyVariable, endpoint }: Pick<BotSpec, 'apiKeyVariable' | 'endpoint'>,
  config: Pick<Config, 'bots' | 'endpoint'>,
): string | null {
  const wanted = originOf(endpoint ?? config.endpoint.baseUrl);
  const isDefault = wanted === originOf(config.endpoint.baseUrl);
  if (apiKeyVariable === undefined) return isDefault ? config.endpoint.apiKey : null;
  const same = config.bots.find(
    ({ spec }) =>
      spec.apiKeyVariable === apiKeyVariable && originOf(spec.endpoint ?? config.endpoint.baseUrl) === wanted,
  );
  return same?.apiKey ?? (apiKeyVariable === DEFAULT_KEY_VARIABLE && isDefault ? config.endpoint.apiKey : null);
}

function originOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).origin : null;
}
