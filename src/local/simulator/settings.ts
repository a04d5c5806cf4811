/**
 * What shapes one generation, and where it may be set.
 * Precedence: request body > `x-simulator` header > directive in the last user message >
 * the model's own > the server's defaults.
 */
import { FaultSyntaxError, parseFault } from './faults.ts';
import type { Fault } from './faults.ts';
import { isObject } from './json.ts';

export interface Settings {
  /** Tokens of the answer; null: as many as the answer naturally has. */
  readonly tokens: number | null;
  /** Tokens of thinking; null: the model's own number. */
  readonly thinkingTokens: number | null;
  /** From getting a slot to the first token. */
  readonly firstTokenMs: number;
  /** From one token to the next. */
  readonly tokenMs: number;
  /** From getting a slot to being loaded, paid once per load of the model. */
  readonly loadMs: number;
  /** Tokens in one line of the stream. */
  readonly tokensPerChunk: number;
  /** Tokens in one write when several are due at once; 0: all. */
  readonly tokensPerWrite: number;
  /** 1: headers before the first token, as vLLM does; 0: with it, as Ollama does. */
  readonly earlyHeaders: number;
  /** 1: call the first of the request's tools instead of answering. */
  readonly toolCall: number;
  /** The faults hit only the first N requests with the same last message; 0: always. */
  readonly faultTimes: number;
  readonly faults: readonly Fault[];
}

export type NumberSetting = Exclude<keyof Settings, 'faults'>;

const MAX_TOKENS = 100_000;
const MAX_WAIT_MS = 3_600_000;

export const NUMBER_SETTINGS: Readonly<Record<NumberSetting, { min: number; max: number; help: string }>> = {
  tokens: { min: 0, max: MAX_TOKENS, help: 'tokens of an answer (default: what it needs)' },
  thinkingTokens: { min: 0, max: MAX_TOKENS, help: 'tokens of thinking' },
  firstTokenMs: { min: 0, max: MAX_WAIT_MS, help: 'time to the first token' },
  tokenMs: { min: 0, max: MAX_WAIT_MS, help: 'time from token to token; 0: full speed' },
  loadMs: { min: 0, max: MAX_WAIT_MS, help: 'time to load a model that is not loaded' },
  tokensPerChunk: { min: 1, max: MAX_TOKENS, help: 'tokens in one line of the stream' },
  tokensPerWrite: { min: 0, max: MAX_TOKENS, help: 'tokens in one write; 0: all that are due' },
  earlyHeaders: { min: 0, max: 1, help: '1: send headers before the first token' },
  toolCall: { min: 0, max: 1, help: '1: call the first tool that the request offers' },
  faultTimes: { min: 0, max: 1_000, help: 'faults hit only the first N tries; 0: always' },
};

export const DEFAULT_SETTINGS: Settings = {
  tokens: null,
  thinkingTokens: null,
  firstTokenMs: 0,
  tokenMs: 0,
  loadMs: 0,
  tokensPerChunk: 1,
  tokensPerWrite: 0,
  earlyHeaders: 0,
  toolCall: 0,
  faultTimes: 0,
  faults: [],
};

export class SettingsError extends Error {
  readonly code = 'simulator_settings';
}

type Draft = { -readonly [Key in keyof Settings]?: Settings[Key] };

/**
 * Settings from outside: an object, or text as in a directive (`tokens=20 fault=cut@5`).
 * An unknown name is an error: a test whose fault is silently ignored would pass for nothing.
 */
export function parseSettings(source: unknown): Partial<Settings> {
  if (source === undefined || source === null) return {};
  if (typeof source === 'string') return parseText(source);
  if (!isObject(source)) throw new SettingsError('simulator settings must be an object or text');
  const draft: Draft = {};
  for (const [name, value] of Object.entries(source)) assign(draft, name, value);
  return draft;
}

function parseText(text: string): Partial<Settings> {
  if (text.trimStart().startsWith('{')) return parseSettings(parseJson(text));
  const draft: Draft = {};
  // name=value, name="value with blanks", and blanks inside quotes anywhere in a value.
  for (const [part] of text.matchAll(/(?:[^\s"]|"[^"]*")+/g)) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? '1' : part.slice(equals + 1).replaceAll('"', '');
    assign(draft, name, value);
  }
  return draft;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SettingsError('simulator settings are not valid JSON');
  }
}

function assign(draft: Draft, name: string, value: unknown): void {
  if (name === 'fault' || name === 'faults') {
    draft.faults = parseFaults(value);
  } else if (isNumberSetting(name)) {
    draft[name] = parseNumber(name, value);
  } else {
    const known = [...Object.keys(NUMBER_SETTINGS), 'fault'].join(', ');
    throw new SettingsError(`unknown simulator setting '${name}', known are: ${known}`);
  }
}

function isNumberSetting(name: string): name is NumberSetting {
  return Object.hasOwn(NUMBER_SETTINGS, name);
}

function parseNumber(name: NumberSetting, value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const { min, max } = NUMBER_SETTINGS[name];
  const whole = name.endsWith('Ms') || Number.isInteger(number);
  if (typeof number !== 'number' || !whole || !(number >= min && number <= max)) {
    throw new SettingsError(`simulator setting '${name}' must be a number from ${min} to ${max}`);
  }
  return number;
}

/** A list, or text: faults separated by commas, `none` for no fault. */
function parseFaults(value: unknown): readonly Fault[] {
  const texts = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(texts)) throw new SettingsError("simulator setting 'fault' must be text");
  const faults: Fault[] = [];
  for (const text of texts) {
    if (typeof text !== 'string') throw new SettingsError('a fault must be text');
    if (text === '' || text === 'none') continue;
    faults.push(readFault(text));
  }
  return faults;
}

function readFault(text: string): Fault {
  try {
    return parseFault(text);
  } catch (error) {
    if (error instanceof FaultSyntaxError) throw new SettingsError(error.message);
    throw error;
  }
}

const DIRECTIVE = /\[\[sim\b([^\]]*)\]\]/g;

/** Takes `[[sim ...]]` out of a message: the settings, and the text that is left. */
export function takeDirective(message: string): { settings: Partial<Settings>; text: string } {
  if (!message.includes('[[sim')) return { settings: {}, text: message };
  let settings: Partial<Settings> = {};
  for (const match of message.matchAll(DIRECTIVE)) {
    settings = { ...settings, ...parseText(match[1] ?? '') };
  }
  return { settings, text: message.replace(DIRECTIVE, '').trim() };
}
