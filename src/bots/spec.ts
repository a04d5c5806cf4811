/**
 * A bot's definition as people write it: the same fields in the variable BOTS, in wrangler.toml and
 * over the API. Holds no key: those are secrets, named by `apiKeyVariable`.
 */
import * as z from 'zod/mini';
import { BOT_ID_PATTERN } from '../protocol/ids.ts';

const MAX_BOT_NAME_LENGTH = 100;
const MAX_MODEL_NAME_LENGTH = 200;
const MAX_URL_LENGTH = 1_000;
/** With the rest of a definition it fits into one request body. */
const MAX_SYSTEM_PROMPT_LENGTH = 32 * 1024;
const MAX_OPTIONS = 64;
const MAX_OPTION_LENGTH = 1_000;
const MAX_OPTION_LIST = 32;
const MAX_KEY_VARIABLE_LENGTH = 100;
/** A day, in seconds: longer is for ever, which Ollama writes as a negative number. */
const MAX_KEEP_ALIVE_S = 24 * 60 * 60;
/** Durations as Go writes them. */
const DURATION = /^-?(\d{1,9}(\.\d{1,9})?(ns|us|ms|s|m|h)){1,4}$/;
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

const NOT_A_TEXT = 'must be a text';
const ONE_LINE = 'must be one line without control characters';
const EMPTY = 'is empty';
const NOT_A_URL = 'must be an http(s) URL without user, password, query and fragment';

/** The root of an endpoint, without a trailing slash, as the URL standard writes it. */
export const endpointUrl = z.pipe(
  z.string(NOT_A_TEXT).check(z.maxLength(MAX_URL_LENGTH, 'is too long'), z.refine(isPlainHttpUrl, NOT_A_URL)),
  z.transform((url) => url.replace(/\/+$/, '')),
);
export const modelName = text(MAX_MODEL_NAME_LENGTH).check(z.refine(isVisible, EMPTY), z.refine(isOneLine, ONE_LINE));

/** Half of a surrogate pair has no UTF-8 form: storage would give back something else. */
function text(maxLength: number) {
  return z.string(NOT_A_TEXT).check(
    z.maxLength(maxLength, 'is too long'),
    z.refine((value) => value.isWellFormed(), 'is not well-formed Unicode'),
  );
}

function whole(min: number, max: number) {
  const problem = `must be a whole number from ${min} to ${max}`;
  return z.int(problem).check(z.minimum(min, problem), z.maximum(max, problem));
}

const option = z.union(
  [
    z.number(),
    z.boolean(),
    text(MAX_OPTION_LENGTH),
    z.array(text(MAX_OPTION_LENGTH)).check(z.maxLength(MAX_OPTION_LIST, 'is too long')),
  ],
  'must be a number, a text, true, false or a list of texts',
);
const options = z
  .record(z.string(), option, 'must be an object')
  .check(z.refine((values) => Object.keys(values).length <= MAX_OPTIONS, `holds more than ${MAX_OPTIONS} options`));
const NOT_A_DURATION = `must be seconds up to ${MAX_KEEP_ALIVE_S}, a negative number, or a duration such as 10m`;
const keepAlive = z.union(
  [z.number().check(z.maximum(MAX_KEEP_ALIVE_S, NOT_A_DURATION)), z.string().check(z.regex(DURATION, NOT_A_DURATION))],
  NOT_A_DURATION,
);

export const botSpec = z.strictObject({
  id: z
    .string('is missing or not a text')
    .check(z.regex(BOT_ID_PATTERN, 'must be 2 to 48 lower-case letters, digits and hyphens')),
  name: z.string('is missing or not a text').check(
    z.refine(isVisible, EMPTY),
    z.maxLength(MAX_BOT_NAME_LENGTH, 'is too long'),
    z.refine(isOneLine, ONE_LINE),
    z.refine((value) => value.isWellFormed(), 'is not well-formed Unicode'),
  ),
  kind: z._default(z.enum(['ollama', 'openai', 'workers-ai'], 'must be ollama, openai or workers-ai'), 'ollama'),
  /** Absent: DEFAULT_MODEL. Only Ollama bots may leave it out. */
  model: z.optional(modelName),
  /** Absent: OLLAMA_BASE_URL. Over the API only what ALLOWED_ENDPOINTS names. */
  endpoint: z.optional(endpointUrl),
  /** Which secret holds the key, so that no key stands in a definition; others cannot be named. */
  apiKeyVariable: z.optional(
    z
      .string(NOT_A_TEXT)
      .check(
        z.maxLength(MAX_KEY_VARIABLE_LENGTH, 'is too long'),
        z.regex(/^[A-Z0-9_]+_API_KEY$/, 'must be the name of a variable that ends in _API_KEY'),
      ),
  ),
  /** Absent: SYSTEM_PROMPT. Empty: none. */
  systemPrompt: z.optional(text(MAX_SYSTEM_PROMPT_LENGTH)),
  /** Ollama's names (`num_ctx`, `temperature`, ...), passed on as they are or translated. */
  options: z._default(options, {}),
  think: z.optional(
    z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])], 'must be true, false, low, medium, high or max'),
  ),
  keepAlive: z.optional(keepAlive),
  /** Absent ones: the variables of the same names. */
  deadlines: z.optional(
    z.strictObject(
      {
        connectTimeoutMs: z.optional(whole(1, MAX_CONNECT_TIMEOUT_MS)),
        firstTokenTimeoutMs: z.optional(whole(1, MAX_TOKEN_TIMEOUT_MS)),
        idleTimeoutMs: z.optional(whole(1, MAX_TOKEN_TIMEOUT_MS)),
        totalTimeoutMs: z.optional(whole(1, MAX_TOTAL_TIMEOUT_MS)),
      },
      'must be an object',
    ),
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
  /**
   * Prompt and answer tokens per day (UTC), by the endpoint's count; beyond them turns fail (`budget_exhausted`). It counts
   * whole answers: one that is stopped, fails or is cut at the longest length costs nothing of the budget.
   */
  tokensPerDay: z.optional(whole(1, MAX_BUDGET)),
  /** Tools that the bot may use. There are none yet, so the list is empty. */
  tools: z.optional(z.array(z.never('names a tool that does not exist'), 'must be a list')),
  /** Sessions with this bot are erased when nothing was said in them for so many days. Absent: kept. */
  retentionDays: z.optional(whole(1, MAX_RETENTION_DAYS)),
});
export type BotSpec = z.infer<typeof botSpec>;

/** What an operator changes: fields with new values, null for those that go back to their default. */
export type BotSpecPatch = Readonly<Record<string, unknown>>;

/** What a definition of this kind must say and does not: the defaults are an Ollama's address and one of its models. */
export function missingFields({
  kind,
  endpoint,
  model,
}: {
  kind: string;
  endpoint?: string | undefined;
  model?: string | undefined;
}): ('endpoint' | 'model')[] {
  const missing: ('endpoint' | 'model')[] = [];
  if (kind === 'openai' && endpoint === undefined) missing.push('endpoint');
  if (kind !== 'ollama' && model === undefined) missing.push('model');
  return missing;
}

function isVisible(value: string): boolean {
  return /[^\p{Z}\p{C}]/u.test(value);
}

/** Also without what turns the direction of writing: it would turn what stands beside the name, too. */
function isOneLine(value: string): boolean {
  return !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(value);
}

function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  const isHttp = protocol === 'http:' || protocol === 'https:';
  return isHttp && `${username}${password}${search}${hash}` === '' && !/[?#\\\s]/.test(text);
}
