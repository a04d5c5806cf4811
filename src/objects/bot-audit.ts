/** What the audit log says of a change: fields with their new values, prompts only as digests. */
import { createHash } from 'node:crypto';
import type { BotSpec } from '../bots/spec.ts';

const DIGEST_LENGTH = 16;

export function createDetail(spec: BotSpec, revision: number): Record<string, unknown> {
  return auditDetail(spec, Object.keys(spec), revision);
}

/** `fields` of `spec` as they are now; null for those that went back to their default. */
export function auditDetail(spec: BotSpec, fields: readonly string[], revision: number): Record<string, unknown> {
  const values = fields.map((field): [string, unknown] => {
    const value: unknown = Reflect.get(spec, field) ?? null;
    return [field, field === 'systemPrompt' && typeof value === 'string' ? digestOf(value) : value];
  });
  return { revision, ...Object.fromEntries(values) };
}

/** Enough to tell whether two prompts are the same, and nothing of what they say. */
function digestOf(prompt: string): { length: number; sha256: string } {
  const sha256 = createHash('sha256').update(prompt).digest('hex').slice(0, DIGEST_LENGTH);
  return { length: prompt.length, sha256 };
}
