/**
 * JSON as Ollama's Go server writes it, and the guards for reading JSON from outside.
 */

export type JsonObject = { readonly [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const HTML_CHARACTERS = /[<>&\u2028\u2029]/;
const HTML_CHARACTERS_ALL = /[<>&\u2028\u2029]/g;

/**
 * Go's encoder writes `<`, `>`, `&` and the two line separators as \uXXXX. A client that
 * looks for text in the raw bytes instead of parsing them breaks on that, so it is kept.
 */
export function encodeJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!HTML_CHARACTERS.test(text)) return text;
  return text.replace(
    HTML_CHARACTERS_ALL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const CACHE_MAX_ENTRIES = 4096;
const CACHE_MAX_TEXT_LENGTH = 32;
const encodedTexts = new Map<string, string>();

/** `encodeJson` for tokens: the same few thousand short words come again and again. */
export function encodeToken(text: string): string {
  const known = encodedTexts.get(text);
  if (known !== undefined) return known;
  const encoded = encodeJson(text);
  if (text.length <= CACHE_MAX_TEXT_LENGTH && encodedTexts.size < CACHE_MAX_ENTRIES) {
    encodedTexts.set(text, encoded);
  }
  return encoded;
}

/** Go's `omitempty`: numbers that are 0, empty strings and empty lists are left out. */
export function omitEmpty(fields: JsonObject): JsonObject {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === 0 || value === '' || value === undefined) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    kept[key] = value;
  }
  return kept;
}

const NANOSECOND_DIGITS = 6;

/** Now, as Go's RFC3339Nano: up to nine digits, trailing zeros cut. */
export function timestamp(): string {
  const nowMs = performance.timeOrigin + performance.now();
  const wholeMs = Math.floor(nowMs);
  const restNs = Math.floor((nowMs - wholeMs) * 1e6);
  const seconds = new Date(wholeMs).toISOString().slice(0, -1);
  const digits = String(restNs).padStart(NANOSECOND_DIGITS, '0');
  return `${seconds}${digits}`.replace(/\.?0+$/, '') + 'Z';
}

/** A span between two `performance.now()` readings as whole nanoseconds. */
export function nanoseconds(fromMs: number, toMs: number): number {
  return Math.max(0, Math.round((toMs - fromMs) * 1e6));
}
