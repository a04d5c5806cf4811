/**
 * The Worker's bindings, and its variables parsed once into a Config. A wrong value is one line
 * that names its variable: `npm start` ends with it, a deployed Worker answers it with 503.
 */
import type { Ai, D1Database, Fetcher, RateLimit } from '@cloudflare/workers-types';
import * as z from 'zod/mini';
import { apiKey, deadline, endpoints, issuer, origins } from './env-values.ts';
import {
  botSpec,
  endpointUrl,
  MAX_CONNECT_TIMEOUT_MS,
  MAX_TOKEN_TIMEOUT_MS,
  MAX_TOTAL_TIMEOUT_MS,
  missingFields,
  modelName,
  type BotSpec,
} from './bots/spec.ts';
import type { BotRpc } from './objects/bot-rpc.ts';
import type { HistoryRpc } from './objects/history-rpc.ts';
import type { SessionRpc } from './objects/session-rpc.ts';

/** Short enough to type, long enough that guessing is hopeless when it is random. */
const MIN_SESSION_SECRET_LENGTH = 32;
const MIN_OPERATOR_TOKEN_LENGTH = 16;
const MAX_BOTS = 100;

/** What wrangler.toml says, too, until somebody chooses. */
export const DEFAULT_MODEL = 'llama3.2';

/** A session as the server reaches it: calls, and `fetch` for a WebSocket upgrade. */
export type SessionStub = SessionRpc & { fetch(request: Request): Promise<Response> };

/** Text variables and secrets, as wrangler.toml, `.dev.vars` and `wrangler secret` set them. */
export interface Variables {
  OLLAMA_BASE_URL?: string;
  OLLAMA_API_KEY?: string;
  DEFAULT_MODEL?: string;
  CONNECT_TIMEOUT_MS?: string;
  FIRST_TOKEN_TIMEOUT_MS?: string;
  IDLE_TIMEOUT_MS?: string;
  TOTAL_TIMEOUT_MS?: string;
  ALLOWED_ORIGINS?: string;
  /** Endpoints that operators may give to bots, besides those that configuration names. */
  ALLOWED_ENDPOINTS?: string;
  SESSION_SECRET?: string;
  OPERATOR_TOKEN?: string;
  ACCESS_TEAM_DOMAIN?: string;
  ACCESS_AUD?: string;
  OPERATOR_GROUP?: string;
  ALERT_WEBHOOK_URL?: string;
  ALERT_WEBHOOK_SECRET?: string;
  SYSTEM_PROMPT?: string;
  /** A JSON array of bot definitions. */
  BOTS?: string;
  /** Set by the local start, which knows whether it started the simulator. */
  MODEL_SOURCE?: string;
  /** `error`: only faults are logged; `info`: each request and each turn, too. */
  LOG_LEVEL?: string;
  /** Set by the local start: whoever can give a name the address of this machine can call the server by it. */
  LOCAL_SERVER?: string;
}

export interface Bindings extends Variables {
  SESSIONS: { getByName(name: string): SessionStub };
  /** One object per bot, by its id. */
  CONTROL: { getByName(name: string): BotRpc };
  /** One object: see objects/history-writer.ts. */
  HISTORY: { getByName(name: string): HistoryRpc };
  DB: D1Database;
  ASSETS: Fetcher;
  AI?: Ai;
  /** Set by the local start: a shorter way to models than the Worker's own `fetch`. */
  EGRESS?: { fetch: typeof fetch };
  CONNECT_LIMIT?: RateLimit;
  WRITE_LIMIT?: RateLimit;
  READ_LIMIT?: RateLimit;
}

export interface Config {
  /** Where bots without an endpoint of their own generate: an Ollama. */
  endpoint: { baseUrl: string; apiKey: string | null };
  defaultModel: string;
  /** In front of every conversation whose bot has no prompt of its own; empty for none. */
  systemPrompt: string;
  deadlines: {
    connectTimeoutMs: number;
    firstTokenTimeoutMs: number;
    idleTimeoutMs: number;
    totalTimeoutMs: number;
  };
  /** Origins besides the server's own whose pages may use it. */
  allowedOrigins: readonly string[];
  /** Endpoints that bots made over the API may use: those named, and all that configuration uses itself. */
  allowedEndpoints: readonly string[];
  sessionSecret: string;
  /** Null: what is for operators is closed to everybody. */
  operatorToken: string | null;
  /** Set: users and operators are those whom Cloudflare Access lets in, and nobody is anonymous. */
  access: { issuer: string; audience: string; operatorGroup: string | null } | null;
  /** Where alerts are sent, signed; null for nowhere. */
  alertWebhook: { url: string; secret: string } | null;
  bots: readonly BotConfig[];
  modelSource: 'ollama' | 'simulator';
  logLevel: 'error' | 'info';
  /** The server listens on loopback, and refuses to be called by names that nobody gave it. */
  localServer: boolean;
}

/** A bot as configured, with the key that its definition names. */
export interface BotConfig {
  spec: BotSpec;
  apiKey: string | null;
}

/** A variable with a wrong value. The message is one line, names the variable, and holds no value. */
export class ConfigError extends Error {
  readonly variable: string;

  constructor(variable: string, problem: string) {
    super(`${variable} ${problem}`);
    this.name = 'ConfigError';
    this.variable = variable;
  }
}

const botList = z.array(botSpec, 'must be a JSON array').check(z.maxLength(MAX_BOTS, `holds more than ${MAX_BOTS}`));

const variables = z.object({
  OLLAMA_BASE_URL: z._default(endpointUrl, 'http://127.0.0.1:11434'),
  OLLAMA_API_KEY: z.optional(apiKey),
  DEFAULT_MODEL: z._default(modelName, DEFAULT_MODEL),
  CONNECT_TIMEOUT_MS: deadline(MAX_CONNECT_TIMEOUT_MS, 5_000),
  FIRST_TOKEN_TIMEOUT_MS: deadline(MAX_TOKEN_TIMEOUT_MS, 120_000),
  IDLE_TIMEOUT_MS: deadline(MAX_TOKEN_TIMEOUT_MS, 60_000),
  TOTAL_TIMEOUT_MS: deadline(MAX_TOTAL_TIMEOUT_MS, 600_000),
  ALLOWED_ORIGINS: z._default(origins, []),
  ALLOWED_ENDPOINTS: z._default(endpoints, []),
  SESSION_SECRET: z
    .string('is missing: set a random text of at least 32 characters')
    .check(z.minLength(MIN_SESSION_SECRET_LENGTH, `needs at least ${MIN_SESSION_SECRET_LENGTH} characters`)),
  OPERATOR_TOKEN: z.optional(
    apiKey.check(z.minLength(MIN_OPERATOR_TOKEN_LENGTH, `needs at least ${MIN_OPERATOR_TOKEN_LENGTH} characters`)),
  ),
  ACCESS_TEAM_DOMAIN: z.optional(issuer),
  ACCESS_AUD: z.optional(z.string()),
  OPERATOR_GROUP: z.optional(z.string()),
  ALERT_WEBHOOK_URL: z.optional(endpointUrl),
  ALERT_WEBHOOK_SECRET: z.optional(
    apiKey.check(
      z.minLength(MIN_SESSION_SECRET_LENGTH, `needs at least ${MIN_SESSION_SECRET_LENGTH} characters`),
      // A receiver would decode it to another key, and refuse every alert.
      z.refine((secret) => /^(?!whsec_)|^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret), 'must be base64 after whsec_'),
    ),
  ),
  SYSTEM_PROMPT: z._default(z.string(), ''),
  BOTS: z.optional(z.string()),
  LOG_LEVEL: z._default(z.enum(['error', 'info'], 'must be error or info'), 'info'),
  MODEL_SOURCE: z._default(z.enum(['ollama', 'simulator'], 'must be ollama or simulator'), 'ollama'),
  LOCAL_SERVER: z._default(z.enum(['true', 'false'], 'must be true or false'), 'false'),
});

/** The variables as they come, before anybody looked at what they hold. */
type RawVariables = { readonly [Name in keyof Variables]?: unknown };

const parsed = new WeakMap<RawVariables, Config | ConfigError>();

/**
 * The configuration of `env`; parsed at the first call, since an isolate keeps its `env`.
 * @throws ConfigError
 */
export function parseConfig(env: RawVariables): Config {
  let result = parsed.get(env);
  if (result === undefined) {
    result = readConfig(env);
    parsed.set(env, result);
  }
  if (result instanceof ConfigError) throw result;
  return result;
}

function readConfig(env: RawVariables): Config | ConfigError {
  const named = Object.keys(variables.shape).map((name) => [name, textVariable(env, name)]);
  const result = variables.safeParse(Object.fromEntries(named));
  if (!result.success) return firstProblem(result.error.issues);
  const values = result.data;
  const bots = readBots(env, values.BOTS, values.OLLAMA_BASE_URL, values.OLLAMA_API_KEY ?? null);
  if (bots instanceof ConfigError) return bots;
  const { ACCESS_TEAM_DOMAIN: teamIssuer, ACCESS_AUD: audience } = values;
  if ((teamIssuer === undefined) !== (audience === undefined)) {
    return new ConfigError(audience === undefined ? 'ACCESS_AUD' : 'ACCESS_TEAM_DOMAIN', 'is missing: both or neither');
  }
  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret } = values;
  if (url !== undefined && secret === undefined) {
    return new ConfigError('ALERT_WEBHOOK_SECRET', 'is missing: alerts are sent signed');
  }
  const own = [values.OLLAMA_BASE_URL, ...bots.flatMap(({ spec }) => spec.endpoint ?? [])];
  return {
    endpoint: { baseUrl: values.OLLAMA_BASE_URL, apiKey: values.OLLAMA_API_KEY ?? null },
    defaultModel: values.DEFAULT_MODEL,
    systemPrompt: values.SYSTEM_PROMPT,
    deadlines: {
      connectTimeoutMs: values.CONNECT_TIMEOUT_MS,
      firstTokenTimeoutMs: values.FIRST_TOKEN_TIMEOUT_MS,
      idleTimeoutMs: values.IDLE_TIMEOUT_MS,
      totalTimeoutMs: values.TOTAL_TIMEOUT_MS,
    },
    allowedOrigins: values.ALLOWED_ORIGINS,
    allowedEndpoints: [...new Set([...own, ...values.ALLOWED_ENDPOINTS])],
    sessionSecret: values.SESSION_SECRET,
    operatorToken: values.OPERATOR_TOKEN ?? null,
    access:
      teamIssuer === undefined || audience === undefined
        ? null
        : { issuer: teamIssuer, audience, operatorGroup: values.OPERATOR_GROUP ?? null },
    alertWebhook: url === undefined || secret === undefined ? null : { url, secret },
    bots,
    modelSource: values.MODEL_SOURCE,
    logLevel: values.LOG_LEVEL,
    localServer: values.LOCAL_SERVER === 'true',
  };
}

/** A variable's text without white space around it, which files of secrets tend to end in; empty is absent. */
function textVariable(env: RawVariables, name: string): unknown {
  const value: unknown = Reflect.get(env, name);
  // TOML and JSON allow a plain number where a text is meant.
  const text: unknown = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' ? text.trim() || undefined : text;
}

/** The names of the keys that BOTS mentions, for whoever has to find them; none where `parseConfig` refuses BOTS. */
export function apiKeyVariables(env: RawVariables): string[] {
  const text = textVariable(env, 'BOTS');
  const list = typeof text === 'string' ? parseBotList(text) : null;
  return list?.success ? list.data.flatMap(({ apiKeyVariable }) => apiKeyVariable ?? []) : [];
}

/** Null: not JSON. */
function parseBotList(text: string) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return botList.safeParse(value);
}

function readBots(
  env: RawVariables,
  text: string | undefined,
  defaultUrl: string,
  defaultKey: string | null,
): BotConfig[] | ConfigError {
  if (text === undefined) return [];
  const result = parseBotList(text);
  if (result === null) return new ConfigError('BOTS', 'is not JSON');
  if (!result.success) return firstProblem(result.error.issues, 'BOTS');
  const ids = new Set<string>();
  const bots: BotConfig[] = [];
  for (const [index, bot] of result.data.entries()) {
    if (ids.has(bot.id)) return new ConfigError('BOTS', `[${index}].id is used twice`);
    ids.add(bot.id);
    const [missing] = missingFields(bot);
    if (missing !== undefined) {
      return new ConfigError('BOTS', `[${index}].${missing} is missing: a bot of kind ${bot.kind} needs one`);
    }
    const key = apiKeyFor(env, bot, { endpoint: { baseUrl: defaultUrl, apiKey: defaultKey } });
    if (key instanceof ConfigError) return key;
    bots.push({ spec: bot, apiKey: key });
  }
  return bots;
}

/** The bot's own key; without one the default endpoint's, but never for another host than that is for. */
export function apiKeyFor(
  env: RawVariables,
  bot: BotSpec,
  { endpoint }: Pick<Config, 'endpoint'>,
): string | null | ConfigError {
  if (bot.apiKeyVariable !== undefined) {
    const key = apiKey.safeParse(textVariable(env, bot.apiKeyVariable));
    return key.success ? key.data : new ConfigError(bot.apiKeyVariable, 'is missing or not a key, and a bot needs it');
  }
  const isDefaultHost = bot.endpoint === undefined || new URL(bot.endpoint).origin === new URL(endpoint.baseUrl).origin;
  return isDefaultHost ? endpoint.apiKey : null;
}

function firstProblem(
  issues: readonly { path: readonly PropertyKey[]; message: string; code?: string }[],
  variable?: string,
): ConfigError {
  const issue = issues[0];
  if (issue === undefined) return new ConfigError(variable ?? 'A variable', 'has a wrong value');
  // zod's own sentences may quote what they saw; ours begin with a small letter and never do.
  const problem = /^[a-z]/.test(issue.message) ? issue.message : 'has a wrong value';
  if (variable === undefined) return new ConfigError(String(issue.path[0]), problem);
  const [index, ...fields] = issue.path;
  if (index === undefined) return new ConfigError(variable, problem);
  const place = [`[${String(index)}]`, ...fields.map(String)].join('.');
  return new ConfigError(variable, `${place} ${issue.code === 'unrecognized_keys' ? 'has an unknown field' : problem}`);
}
