/** Request bodies of the three generating endpoints, read into one typed request. */
import { ApiError } from './errors.ts';
import { isObject } from './json.ts';
import type { JsonObject } from './json.ts';
import { DEFAULT_KEEP_ALIVE_MS, FOREVER_MS } from './models.ts';

export interface Message {
  readonly role: string;
  readonly content: string;
  readonly images: number;
}

export interface GenerationRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly stream: boolean;
  readonly options: JsonObject;
  /** undefined: the model decides. */
  readonly think: boolean | undefined;
  readonly keepAliveMs: number;
  /** The asker wants JSON: of any shape (null), or by this schema. */
  readonly format: { readonly schema: JsonObject | null } | undefined;
  readonly stop: readonly string[];
  /** Infinity: no limit. */
  readonly maxTokens: number;
  readonly tools: readonly Tool[];
  /** /v1 only: a chunk with the token counts at the end. */
  readonly includeUsage: boolean;
  /** Settings of the simulator in the body, not checked yet. */
  readonly simulator: unknown;
}

interface Tool {
  readonly name: string;
  readonly parameters: JsonObject;
}

const THINK_LEVELS = ['low', 'medium', 'high', 'max'];

export function readChat(body: JsonObject): GenerationRequest {
  const messages = list(body, 'messages', 'ChatRequest', '[]api.Message').map((each) =>
    readMessage(each, 'ChatRequest.messages'),
  );
  return { ...readNative(body, 'ChatRequest'), messages };
}

export function readGenerate(body: JsonObject): GenerationRequest {
  const prompt = text(body, 'prompt', 'GenerateRequest');
  const system = text(body, 'system', 'GenerateRequest');
  const images = list(body, 'images', 'GenerateRequest', '[]api.ImageData').length;
  const messages: Message[] = [];
  if (prompt !== '') {
    if (system !== '') messages.push({ role: 'system', content: system, images: 0 });
    messages.push({ role: 'user', content: prompt, images });
  }
  return { ...readNative(body, 'GenerateRequest'), messages };
}

function readNative(body: JsonObject, type: string): Omit<GenerationRequest, 'messages'> {
  const options = body['options'] ?? {};
  if (!isObject(options)) throw mismatch(options, `${type}.options`, 'map[string]interface {}');
  return {
    model: text(body, 'model', type),
    stream: flag(body, 'stream', type, true),
    options,
    think: readThink(body['think']),
    keepAliveMs: readKeepAlive(body['keep_alive']),
    format: readFormat(body['format']),
    stop: strings(options['stop']),
    maxTokens: limit(options['num_predict']),
    tools: list(body, 'tools', type, 'api.Tools').map(readTool),
    includeUsage: false,
    simulator: options['simulator'],
  };
}

function readMessage(value: unknown, field: string): Message {
  if (!isObject(value)) throw mismatch(value, field, 'api.Message');
  const images = list(value, 'images', 'Message', '[]api.ImageData').length;
  const role = text(value, 'role', 'Message').toLowerCase();
  return { role, content: text(value, 'content', 'Message'), images };
}

export function readOpenAi(body: JsonObject): GenerationRequest {
  const messages = list(body, 'messages', 'ChatCompletionRequest', '[]openai.Message');
  if (messages.length === 0) throw new ApiError(400, "[] is too short - 'messages'");
  const options = isObject(body['options']) ? body['options'] : {};
  const usage = body['stream_options'];
  const stop = body['stop'];
  return {
    model: text(body, 'model', 'ChatCompletionRequest'),
    messages: messages.map(readOpenAiMessage),
    stream: flag(body, 'stream', 'ChatCompletionRequest', false),
    options,
    think: readEffort(body),
    keepAliveMs: DEFAULT_KEEP_ALIVE_MS,
    format: readResponseFormat(body['response_format']),
    stop: typeof stop === 'string' ? [stop] : strings(stop),
    maxTokens: limit(body['max_tokens']),
    tools: list(body, 'tools', 'ChatCompletionRequest', '[]api.Tool').map(readTool),
    includeUsage: isObject(usage) && usage['include_usage'] === true,
    simulator: body['simulator'] ?? options['simulator'],
  };
}

function readOpenAiMessage(value: unknown): Message {
  if (!isObject(value)) throw new ApiError(400, 'invalid message format');
  const role = text(value, 'role', 'Message').toLowerCase();
  const { content } = value;
  if (typeof content === 'string') return { role, content, images: 0 };
  if (!Array.isArray(content)) {
    if (value['tool_calls'] !== undefined) return { role, content: '', images: 0 };
    throw new ApiError(400, `invalid message content type: ${goType(content)}`);
  }
  const texts: string[] = [];
  let images = 0;
  for (const part of content) {
    if (isObject(part) && part['type'] === 'text' && typeof part['text'] === 'string') {
      texts.push(part['text']);
    } else if (isObject(part) && part['type'] === 'image_url') {
      images += 1;
    } else {
      throw new ApiError(400, 'invalid message format');
    }
  }
  return { role, content: texts.join('\n'), images };
}

function readTool(value: unknown): Tool {
  const described = isObject(value) ? value['function'] : undefined;
  if (!isObject(described)) throw mismatch(value, 'tools', 'api.Tool');
  const parameters = described['parameters'];
  return {
    name: text(described, 'name', 'ToolFunction'),
    parameters: isObject(parameters) ? parameters : {},
  };
}

function readThink(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  const allowed = '"high", "medium", "low", "max", true, or false';
  if (typeof value !== 'string') {
    throw new ApiError(400, `think must be a boolean or string (${allowed})`);
  }
  if (THINK_LEVELS.includes(value)) return true;
  throw new ApiError(400, `invalid think value: ${JSON.stringify(value)} (must be ${allowed})`);
}

function readEffort(body: JsonObject): boolean | undefined {
  const reasoning = body['reasoning'];
  const effort = isObject(reasoning) ? reasoning['effort'] : body['reasoning_effort'];
  if (effort === undefined || effort === null || effort === '') return undefined;
  if (effort === 'none') return false;
  const known = ['minimal', 'xhigh', 'ultra', ...THINK_LEVELS];
  if (typeof effort === 'string' && known.includes(effort)) return true;
  throw new ApiError(400, `invalid reasoning value: ${JSON.stringify(effort)}`);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const DURATION = /^[+-]?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;

/** Seconds as a number, or a Go duration (`1h30m`); negative is for ever. */
function readKeepAlive(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_KEEP_ALIVE_MS;
  if (typeof value === 'number') return value < 0 ? FOREVER_MS : Math.min(value * 1_000, FOREVER_MS);
  if (typeof value !== 'string') throw new ApiError(400, `Unsupported type: '${goType(value)}'`);
  if (value === '0') return 0;
  if (!DURATION.test(value)) {
    const problem = /^[+-]?\d+(?:\.\d+)?$/.test(value) ? 'missing unit in' : 'invalid';
    throw new ApiError(400, `time: ${problem} duration ${JSON.stringify(value)}`);
  }
  if (value.startsWith('-')) return FOREVER_MS;
  let totalMs = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return Math.min(totalMs, FOREVER_MS);
}

function readFormat(value: unknown): GenerationRequest['format'] {
  if (value === undefined || value === null || value === '') return undefined;
  if (value === 'json') return { schema: null };
  if (isObject(value)) return { schema: value };
  throw new ApiError(400, `invalid format: ${JSON.stringify(value)}`);
}

function readResponseFormat(value: unknown): GenerationRequest['format'] {
  if (!isObject(value)) return undefined;
  if (value['type'] === 'json_object') return { schema: null };
  const described = value['json_schema'];
  if (value['type'] !== 'json_schema' || !isObject(described)) return undefined;
  return { schema: isObject(described['schema']) ? described['schema'] : null };
}

/** -1 (no limit) and -2 (fill the context) are Ollama's own; here nothing limits. */
function limit(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : Infinity;
}

function strings(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is string => typeof each === 'string' && each !== '');
}

function text(body: JsonObject, key: string, type: string): string {
  const value = body[key] ?? '';
  if (typeof value !== 'string') throw mismatch(value, `${type}.${key}`, 'string');
  return value;
}

function flag(body: JsonObject, key: string, type: string, fallback: boolean): boolean {
  const value = body[key] ?? fallback;
  if (typeof value !== 'boolean') throw mismatch(value, `${type}.${key}`, 'bool');
  return value;
}

function list(body: JsonObject, key: string, type: string, expected: string): readonly unknown[] {
  const value = body[key] ?? [];
  if (!Array.isArray(value)) throw mismatch(value, `${type}.${key}`, expected);
  return value;
}

/** Go's wording for a value of the wrong type. */
function mismatch(value: unknown, field: string, expected: string): ApiError {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  const where = `Go struct field ${field} of type ${expected}`;
  return new ApiError(400, `json: cannot unmarshal ${kind} into ${where}`);
}

function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}
