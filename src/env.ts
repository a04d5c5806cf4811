/**
 * The Worker's bindings, and its variables parsed once into a Config. A wrong value is one line
 * that names its variable: `npm start` ends with it, a deployed Worker answers it with 503.
 */
import type { Ai, D1Database, Fetcher, RateLimit } from '@cloudflare/workers-types';
import * as z from 'zod/mini';
import type { SessionRpc } from './objects/session-rpc.ts';

/** Longest each deadline may be; beyond this a setting is a slip of the hand, e.g. of the unit. */
const MAX_CONNECT_TIMEOUT_MS = 5 * 60_000;
const MAX_TOKEN_TIMEOUT_MS = 60 * 60_000;
const MAX_TOTAL_TIMEOUT_MS = 6 * 60 * 60_000;
/** Short enough to type, long enough that guessing is hopeless when it is random. */
const MIN_SESSION_SECRET_LENGTH = 32;
const MIN_OPERATOR_TOKEN_LENGTH = 16;
const MAX_BOTS = 100;
const MAX_BOT_NAME_LENGTH = 100;
const MAX_MODEL_NAME_LENGTH = 200;

/** What wrangler.toml says, too, until somebody chooses. */
export const DEFAULT_MODEL = 'llama3.2';

/** A bot's id in paths and in configuration. */
export const BOT_ID_PATTERN = /^[a-z0-9][a-z0-9-]{1,47}$/;

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
  SESSION_SECRET?: string;
  OPERATOR_TOKEN?: string;
  SYSTEM_PROMPT?: string;
  /** A JSON array of bot definitions. */
  BOTS?: string;
  /** Set by the local start, which knows whether it started the simulator. */
  MODEL_SOURCE?: string;
}

export interface Bindings extends Variables {
  SESSIONS: { getByName(name: string): SessionStub };
  DB: D1Database;
  ASSETS: Fetcher;
  AI?: Ai;
  CONNECT_LIMIT?: RateLimit;
  WRITE_LIMIT?: RateLimit;
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
  sessionSecret: string;
  /** Null: what is for operators is closed to everybody. */
  operatorToken: string | null;
  bots: readonly BotConfig[];
  modelSource: 'ollama' | 'simulator';
}

/** A bot as configured; what it leaves out comes from the defaults. */
export interface BotConfig {
  id: string;
  name: string;
  kind: 'ollama' | 'openai' | 'workers-ai';
  model: string | null;
  baseUrl: string | null;
  apiKey: string | null;
  systemPrompt: string | null;
  options: Readonly<Record<string, unknown>>;
  think: boolean | 'low' | 'medium' | 'high' | 'max' | null;
  keepAlive: string | number | null;
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

const NOT_A_URL = 'must be an http(s) URL without user, password, query and fragment';
// Header values: anything else would make every request to the endpoint throw.
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

const baseUrl = z.pipe(
  z.string().check(z.refine(isPlainHttpUrl, NOT_A_URL)),
  z.transform((url) => url.replace(/\/+$/, '')),
);
const apiKey = z.string().check(z.regex(VISIBLE_ASCII, 'must be visible ASCII characters without spaces'));
const modelName = z.string().check(z.minLength(1, 'is empty'), z.maxLength(MAX_MODEL_NAME_LENGTH, 'is too long'));
const origins = z.pipe(
  z.pipe(
    z.string(),
    z.transform((list) => [
      ...new Set(
        list
          .split(',')
          .map((origin) => origin.trim())
          .filter(Boolean),
      ),
    ]),
  ),
  z.array(z.string().check(z.refine(isOrigin, 'must be a comma list of origins such as https://chat.example.com'))),
);

/** Whole milliseconds from 1 to `max`. */
function deadline(max: number, fallback: number) {
  const problem = `must be a whole number of milliseconds from 1 to ${max}`;
  const isInRange = (text: string) => /^[1-9][0-9]{0,9}$/.test(text) && Number(text) <= max;
  return z.pipe(z._default(z.string().check(z.refine(isInRange, problem)), String(fallback)), z.transform(Number));
}

const botConfig = z.strictObject({
  id: z.string().check(z.regex(BOT_ID_PATTERN, 'must be 2 to 48 lower-case letters, digits and hyphens')),
  name: z.string().check(z.minLength(1, 'is empty'), z.maxLength(MAX_BOT_NAME_LENGTH, 'is too long')),
  kind: z._default(z.enum(['ollama', 'openai', 'workers-ai'], 'must be ollama, openai or workers-ai'), 'ollama'),
  model: z.optional(modelName),
  baseUrl: z.optional(baseUrl),
  /** Which secret holds the key, so that no key stands in wrangler.toml; others cannot be named. */
  apiKeyVariable: z.optional(z.string().check(z.regex(/^[A-Z0-9_]+_API_KEY$/, 'must end in _API_KEY'))),
  systemPrompt: z.optional(z.string()),
  options: z._default(z.record(z.string(), z.unknown()), {}),
  think: z.optional(z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])])),
  keepAlive: z.optional(z.union([z.string(), z.number()])),
});
const botList = z.array(botConfig, 'must be a JSON array').check(z.maxLength(MAX_BOTS, `holds more than ${MAX_BOTS}`));

const variables = z.object({
  OLLAMA_BASE_URL: z._default(baseUrl, 'http://127.0.0.1:11434'),
  OLLAMA_API_KEY: z.optional(apiKey),
  DEFAULT_MODEL: z._default(modelName, DEFAULT_MODEL),
  CONNECT_TIMEOUT_MS: deadline(MAX_CONNECT_TIMEOUT_MS, 5_000),
  FIRST_TOKEN_TIMEOUT_MS: deadline(MAX_TOKEN_TIMEOUT_MS, 120_000),
  IDLE_TIMEOUT_MS: deadline(MAX_TOKEN_TIMEOUT_MS, 60_000),
  TOTAL_TIMEOUT_MS: deadline(MAX_TOTAL_TIMEOUT_MS, 600_000),
  ALLOWED_ORIGINS: z._default(origins, []),
  SESSION_SECRET: z
    .string('is missing: set a random text of at least 32 characters')
    .check(z.minLength(MIN_SESSION_SECRET_LENGTH, `needs at least ${MIN_SESSION_SECRET_LENGTH} characters`)),
  OPERATOR_TOKEN: z.optional(
    apiKey.check(z.minLength(MIN_OPERATOR_TOKEN_LENGTH, `needs at least ${MIN_OPERATOR_TOKEN_LENGTH} characters`)),
  ),
  SYSTEM_PROMPT: z._default(z.string(), ''),
  BOTS: z.optional(z.string()),
  MODEL_SOURCE: z._default(z.enum(['ollama', 'simulator'], 'must be ollama or simulator'), 'ollama'),
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
    sessionSecret: values.SESSION_SECRET,
    operatorToken: values.OPERATOR_TOKEN ?? null,
    bots,
    modelSource: values.MODEL_SOURCE,
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
    // The defaults are an Ollama's address and one of its models: right for Ollama only.
    if (bot.kind === 'openai' && bot.baseUrl === undefined) {
      return new ConfigError('BOTS', `[${index}].baseUrl is missing: a bot of kind openai needs one`);
    }
    if (bot.kind !== 'ollama' && bot.model === undefined) {
      return new ConfigError('BOTS', `[${index}].model is missing: a bot of kind ${bot.kind} needs one`);
    }
    const key = keyOf(env, bot, defaultUrl, defaultKey);
    if (key instanceof ConfigError) return key;
    const { id, name, kind, options } = bot;
    const { model = null, baseUrl: url = null, systemPrompt = null, think = null, keepAlive = null } = bot;
    bots.push({ id, name, kind, model, baseUrl: url, apiKey: key, systemPrompt, options, think, keepAlive });
  }
  return bots;
}

/** The bot's own key; without one the default endpoint's, but never for another host than that is for. */
function keyOf(
  env: RawVariables,
  bot: z.infer<typeof botConfig>,
  defaultUrl: string,
  defaultKey: string | null,
): string | null | ConfigError {
  if (bot.apiKeyVariable !== undefined) {
    const key = apiKey.safeParse(textVariable(env, bot.apiKeyVariable));
    return key.success ? key.data : new ConfigError(bot.apiKeyVariable, 'is missing or not a key, and a bot needs it');
  }
  const isDefaultHost = bot.baseUrl === undefined || new URL(bot.baseUrl).origin === new URL(defaultUrl).origin;
  return isDefaultHost ? defaultKey : null;
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

function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  const isHttp = protocol === 'http:' || protocol === 'https:';
  return isHttp && `${username}${password}${search}${hash}` === '' && !/[?#\\\s]/.test(text);
}

/** Exactly as browsers send it: scheme, host and port, nothing more. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
