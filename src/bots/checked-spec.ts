/** A definition that came over the API, checked field by field: what is wrong is named, never quoted. */
import type { Config } from '../env.ts';
import { isFieldName, unknownField } from '../protocol/field-names.ts';
import type { WireError } from '../protocol/server-frames.ts';
import { allowedEndpoint, useProblem } from './endpoints.ts';
import { botSpec, missingFields, type BotSpec, type BotSpecPatch } from './spec.ts';

export type CheckedSpec = { ok: true; value: BotSpec } | { ok: false; error: WireError };

/** A whole definition, as it is stored: its endpoint in the form that was compared with the allowed ones. */
export function checkedSpec(fields: unknown, config: Config): CheckedSpec {
  const result = botSpec.safeParse(fields);
  if (!result.success) return refusal(firstProblem(result.error.issues));
  const spec = result.data;
  const [missing] = missingFields(spec);
  if (missing !== undefined) return refusal(`"${missing}" is missing: a bot of kind ${spec.kind} needs one.`);
  const problem = useProblem(spec, config);
  if (problem) return refusal(`"${problem.field}" ${problem.message}.`);
  const endpoint = spec.endpoint === undefined ? null : allowedEndpoint(spec.endpoint, config);
  return { ok: true, value: endpoint === null ? spec : { ...spec, endpoint } };
}

/** `base` with the fields of `patch`; null takes a field back to its default. */
export function patchedSpec(base: BotSpec, patch: BotSpecPatch, config: Config): CheckedSpec {
  if (Object.hasOwn(patch, 'id')) return refusal('"id" cannot be changed: make another bot.');
  const fields: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    // Taken back without a word, a slip of the hand would leave in force what was meant to end.
    const isKnown = Object.hasOwn(botSpec.shape, name) || Object.hasOwn(base, name);
    if (value === null && !isKnown) return refusal(unknownField(name));
    if (value === null) delete fields[name];
    else fields[name] = value;
  }
  return checkedSpec(fields, config);
}

/** The fields in which two definitions differ. */
export function changedFields(before: BotSpec, after: BotSpec): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const valueOf = (spec: BotSpec, name: string): string => JSON.stringify(Reflect.get(spec, name)) ?? '';
  return [...names].filter((name) => valueOf(before, name) !== valueOf(after, name)).sort();
}

function refusal(message: string): { ok: false; error: WireError } {
  return { ok: false, error: { code: 'bad_request', message, retryable: false } };
}

interface Issue {
  code?: string;
  path: readonly PropertyKey[];
  message: string;
  keys?: readonly string[];
}

/** Our own sentences begin with a small letter and hold no value; zod's may quote what they saw. */
function firstProblem(issues: readonly Issue[]): string {
  const issue = issues[0];
  if (issue === undefined) return 'The body is not a definition of a bot.';
  if (issue.code === 'unrecognized_keys') {
    return unknownField(issue.keys?.[0], issue.path.map(String));
  }
  const field = issue.path.map(String).filter(isFieldName).join('.');
  if (field === '') return 'The body is not a definition of a bot.';
  return `"${field}" ${/^[a-z]/.test(issue.message) ? issue.message : 'is missing or has a wrong value'}.`;
}
