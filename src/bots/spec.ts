/**
 * A bot's definition as people write it: the same fields in the variable BOTS, in wrangler.toml and
 * over the API. Holds no key: those are secrets, named by `apiKeyVariable`.
 */
import * as z from 'zod/mini';

/** A bot's id in paths and in configuration. */
export const BOT_ID_PATTERN = /^[a-z0-9][a-z0-9-]{1,47}$/;

const MAX_BOT_NAME_LENGTH = 100;
const MAX_MODEL_NAME_LENGTH = 200;
const MAX_SYSTEM_PROMPT_LENGTH = 64 * 1024;
/** An endpoint that truly serves more at once needs no line. */
const MAX_CONCURRENCY = 1_000;
const MAX_QUEUE_LENGTH = 10_000;
const MAX_QUEUE_TIMEOUT_MS = 24 * 60 * 60_000;
const MAX_GRACE_MS = 10 * 60_000;
const MAX_BUDGET = 1_000_000_000;
const MAX_RETENTION_DAYS = 3_650;

/** Longest each deadline may be; beyond this a setting is a slip of the hand, e.g. of the unit. */
export const MAX_CONNECT_TIMEOUT_MS = 5 * 60_000;
export const MAX_TOKEN_TIMEOUT_MS = 60 * 60_000;
export const MAX_TOTAL_TIMEOUT_MS = 6 * 60 * 60_000;

const NOT_A_URL = 'must be an http(s) URL without user, password, query and fragment';

/** The root of an endpoint, without a trailing slash, as the URL standard writes it. */
export const endpointUrl = z.pipe(
  z.string().check(z.refine(isPlainHttpUrl, NOT_A_URL)),
  z.transform((url) => url.replace(/\/+$/, '')),
);
export const modelName = z
  .string()
  .check(z.minLength(1, 'is empty'), z.maxLength(MAX_MODEL_NAME_LENGTH, 'is too long'));

function whole(min: number, max: number) {
  const problem = `must be a whole number from ${min} to ${max}`;
  return z.int(problem).check(z.minimum(min, problem), z.maximum(max, problem));
}

export const botSpec = z.strictObject({
  id: z.string().check(z.regex(BOT_ID_PATTERN, 'must be 2 to 48 lower-case letters, digits and hyphens')),
  name: z.string().check(z.minLength(1, 'is empty'), z.maxLength(MAX_BOT_NAME_LENGTH, 'is too long')),
  kind: z._default(z.enum(['ollama', 'openai', 'workers-ai'], 'must be ollama, openai or workers-ai'), 'ollama'),
  /** Absent: DEFAULT_MODEL. Only Ollama bots may leave it out. */
  model: z.optional(modelName),
  /** Absent: OLLAMA_BASE_URL. Over the API only what ALLOWED_ENDPOINTS names. */
  endpoint: z.optional(endpointUrl),
  /** Which secret holds the key, so that no key stands in a definition; others cannot be named. */
  apiKeyVariable: z.optional(z.string().check(z.regex(/^[A-Z0-9_]+_API_KEY$/, 'must end in _API_KEY'))),
  /** Absent: SYSTEM_PROMPT. Empty: none. */
  systemPrompt: z.optional(z.string().check(z.maxLength(MAX_SYSTEM_PROMPT_LENGTH, 'is too long'))),
  /** Ollama's names (`num_ctx`, `temperature`, ...), passed on as they are or translated. */
  options: z._default(z.record(z.string(), z.unknown()), {}),
  think: z.optional(z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])])),
  keepAlive: z.optional(z.union([z.string(), z.number()])),
  /** Absent ones: the variables of the same names. */
  deadlines: z.optional(
    z.strictObject({
      connectTimeoutMs: z.optional(whole(1, MAX_CONNECT_TIMEOUT_MS)),
      firstTokenTimeoutMs: z.optional(whole(1, MAX_TOKEN_TIMEOUT_MS)),
      idleTimeoutMs: z.optional(whole(1, MAX_TOKEN_TIMEOUT_MS)),
      totalTimeoutMs: z.optional(whole(1, MAX_TOTAL_TIMEOUT_MS)),
    }),
  ),
  /** Answers that the endpoint generates at once (OLLAMA_NUM_PARALLEL). Absent: no limit, no line. */
  concurrency: z.optional(whole(1, MAX_CONCURRENCY)),
  /** Turns that may wait for a slot; one more fails (`line_full`). */
  queueLength: z.optional(whole(0, MAX_QUEUE_LENGTH)),
  /** The longest a turn waits for a slot or for an endpoint that is down. */
  queueTimeoutMs: z.optional(whole(1_000, MAX_QUEUE_TIMEOUT_MS)),
  /** How long running answers may go on after a stop. */
  graceMs: z.optional(whole(0, MAX_GRACE_MS)),
  /** Turns begun per minute, all users together; more of them wait. */
  turnsPerMinute: z.optional(whole(1, MAX_BUDGET)),
  /** Prompt and answer tokens per day (UTC), by the endpoint's count; beyond them turns fail (`budget_exhausted`). */
  tokensPerDay: z.optional(whole(1, MAX_BUDGET)),
  /** Tools that the bot may use. There are none yet, so the list is empty. */
  tools: z.optional(z.array(z.never('names a tool that does not exist'))),
  /** Sessions with this bot are erased when nothing was said in them for so many days. Absent: kept. */
  retentionDays: z.optional(whole(1, MAX_RETENTION_DAYS)),
});
export type BotSpec = z.infer<typeof botSpec>;

/** What an operator changes: fields with new values, null for those that go back to their default. */
export type BotSpecPatch = Readonly<Record<string, unknown>>;

function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  const isHttp = protocol === 'http:' || protocol === 'https:';
  return isHttp && `${username}${password}${search}${hash}` === '' && !/[?#\\\s]/.test(text);
}
