/** The simplest value that fits a JSON Schema: for structured answers and tool arguments. */
import { isObject } from './json.ts';
import type { JsonObject } from './json.ts';

const MAX_DEPTH = 16;

export function valueFor(schema: JsonObject, name = 'value', depth = 0): unknown {
  if (depth > MAX_DEPTH) return null;
  if ('const' in schema) return schema['const'];
  const choices = schema['enum'];
  if (Array.isArray(choices) && choices.length > 0) return choices[0];
  const alternative = firstAlternative(schema);
  if (alternative !== null) return valueFor(alternative, name, depth + 1);
  switch (typeOf(schema)) {
    case 'object':
      return objectFor(schema, depth);
    case 'array':
      return arrayFor(schema, name, depth);
    case 'number':
    case 'integer':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return `simulated ${name}`;
  }
}

function typeOf(schema: JsonObject): unknown {
  const { type } = schema;
  if (type === undefined) return isObject(schema['properties']) ? 'object' : 'string';
  return Array.isArray(type) ? type[0] : type;
}

function firstAlternative(schema: JsonObject): JsonObject | null {
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const alternatives = schema[key];
    const first: unknown = Array.isArray(alternatives) ? alternatives[0] : undefined;
    if (isObject(first)) return first;
  }
  return null;
}

function objectFor(schema: JsonObject, depth: number): JsonObject {
  const properties = schema['properties'];
  if (!isObject(properties)) return {};
  const entries = Object.entries(properties).map(([key, value]) => [
    key,
    isObject(value) ? valueFor(value, key, depth + 1) : null,
  ]);
  return Object.fromEntries(entries);
}

function arrayFor(schema: JsonObject, name: string, depth: number): readonly unknown[] {
  const items = schema['items'];
  return isObject(items) ? [valueFor(items, name, depth + 1)] : [];
}
