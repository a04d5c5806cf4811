/** A definition as a form holds it, texts only, and back: what the server would refuse is found here first. */
import { botSpec, missingFields, type BotSpec, type BotSpecPatch } from '../../../bots/spec.ts';
import { FIELD_NAMES, type FieldName } from './fields.ts';

export type FormValues = Readonly<Record<FieldName, string>>;
export type FormProblems = ReadonlyMap<FieldName, string>;

const DEADLINE_NAMES = ['connectTimeoutMs', 'firstTokenTimeoutMs', 'idleTimeoutMs', 'totalTimeoutMs'] as const;

const BLANK: FormValues = {
  id: '',
  name: '',
  kind: '',
  model: '',
  endpoint: '',
  apiKeyVariable: '',
  systemPromptFrom: '',
  systemPrompt: '',
  options: '',
  think: '',
  keepAlive: '',
  concurrency: '',
  queueLength: '',
  queueTimeoutMs: '',
  graceMs: '',
  turnsPerMinute: '',
  tokensPerDay: '',
  'deadlines.connectTimeoutMs': '',
  'deadlines.firstTokenTimeoutMs': '',
  'deadlines.idleTimeoutMs': '',
  'deadlines.totalTimeoutMs': '',
  retentionDays: '',
};

interface Named {
  id: string;
  name: string;
  model: string;
}

/** The form of a new bot. */
export const NEW_BOT: FormValues = { ...BLANK, kind: 'ollama', systemPromptFrom: 'server' };

/** The form of a bot. Where configuration defines it (`spec` null), empty fields are as they are there. */
export function formOf({ id, name, model, spec }: Named & { spec: BotSpec | null }): FormValues {
  return spec === null ? { ...BLANK, id, name, model } : formOfSpec(spec);
}

function formOfSpec(spec: BotSpec): FormValues {
  const text = (value: string | number | boolean | undefined) => (value === undefined ? '' : String(value));
  const { deadlines = {}, options } = spec;
  return {
    id: spec.id,
    name: spec.name,
    kind: spec.kind,
    model: text(spec.model),
    endpoint: text(spec.endpoint),
    apiKeyVariable: text(spec.apiKeyVariable),
    systemPromptFrom: spec.systemPrompt === undefined ? 'server' : 'own',
    systemPrompt: text(spec.systemPrompt),
    options: Object.keys(options).length === 0 ? '' : JSON.stringify(options, null, 2),
    think: text(spec.think),
    keepAlive: text(spec.keepAlive),
    concurrency: text(spec.concurrency),
    queueLength: text(spec.queueLength),
    queueTimeoutMs: text(spec.queueTimeoutMs),
    graceMs: text(spec.graceMs),
    turnsPerMinute: text(spec.turnsPerMinute),
    tokensPerDay: text(spec.tokensPerDay),
    'deadlines.connectTimeoutMs': text(deadlines.connectTimeoutMs),
    'deadlines.firstTokenTimeoutMs': text(deadlines.firstTokenTimeoutMs),
    'deadlines.idleTimeoutMs': text(deadlines.idleTimeoutMs),
    'deadlines.totalTimeoutMs': text(deadlines.totalTimeoutMs),
    retentionDays: text(spec.retentionDays),
  };
}

/** What the form says of a definition: null is the default, said so; absent is nothing said. May be wrong. */
export function definitionOf(values: FormValues): Record<string, unknown> {
  const deadlines = withoutAbsent(
    Object.fromEntries(DEADLINE_NAMES.map((name) => [name, numberOf(values[`deadlines.${name}`])])),
  );
  return withoutAbsent({
    id: values.id.trim(),
    name: values.name.trim(),
    kind: textOf(values.kind),
    model: textOf(values.model),
    endpoint: textOf(values.endpoint),
    apiKeyVariable: textOf(values.apiKeyVariable),
    systemPrompt: { own: values.systemPrompt, server: null }[values.systemPromptFrom],
    options: optionsOf(values.options),
    think: values.think === 'true' || values.think === 'false' ? values.think === 'true' : textOf(values.think),
    keepAlive: numberOf(values.keepAlive),
    concurrency: numberOf(values.concurrency),
    queueLength: numberOf(values.queueLength),
    queueTimeoutMs: numberOf(values.queueTimeoutMs),
    graceMs: numberOf(values.graceMs),
    turnsPerMinute: numberOf(values.turnsPerMinute),
    tokensPerDay: numberOf(values.tokensPerDay),
    deadlines: Object.keys(deadlines).length === 0 ? undefined : deadlines,
    retentionDays: numberOf(values.retentionDays),
  });
}

/** What is wrong with each field, by the server's own rules. */
export function problemsOf(values: FormValues): FormProblems {
  const problems = new Map<FieldName, string>();
  const result = botSpec.safeParse(withoutDefaults(definitionOf(values)));
  for (const issue of result.success ? [] : result.error.issues) {
    const [name, option] = issue.path.map(String);
    const field = fieldAt(issue.path.map(String).join('.'));
    if (field === null || problems.has(field)) continue;
    if (name !== 'options') problems.set(field, issue.message);
    else problems.set(field, option === undefined ? 'must be a JSON object' : `${issue.message}: "${option}"`);
  }
  const kind = textOf(values.kind) ?? 'ollama';
  for (const field of missingFields({ kind, endpoint: textOf(values.endpoint), model: textOf(values.model) })) {
    problems.set(field, 'is missing: a bot of this kind needs one');
  }
  return problems;
}

/** The field that a path of the definition belongs to; null for none. */
export function fieldAt(path: string): FieldName | null {
  return FIELD_NAMES.find((name) => name === path) ?? FIELD_NAMES.find((name) => path.startsWith(`${name}.`)) ?? null;
}

/** What to send so that `from` becomes `to`: null for what goes back to its default. */
export function patchOf(from: FormValues, to: FormValues): BotSpecPatch {
  const before = definitionOf(from);
  const after = definitionOf(to);
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return Object.fromEntries(changed.map((name) => [name, after[name] ?? null]));
}

export interface ConflictField {
  field: FieldName;
  was: string;
  theirs: string;
  /** Set where it was changed here, too, and to something else. */
  mine: string | null;
}

export interface Rebased {
  values: FormValues;
  changed: readonly ConflictField[];
}

/** Three ways: what was changed elsewhere is taken over, except where something was typed here. */
export function rebase(base: FormValues, mine: FormValues, theirs: FormValues): Rebased {
  const changed = FIELD_NAMES.filter((field) => theirs[field] !== base[field]).map((field): ConflictField => {
    const isContested = mine[field] !== base[field] && mine[field] !== theirs[field];
    return { field, was: base[field], theirs: theirs[field], mine: isContested ? mine[field] : null };
  });
  const taken = changed.filter(({ mine: typed }) => typed === null);
  return { values: { ...mine, ...Object.fromEntries(taken.map((entry) => [entry.field, entry.theirs])) }, changed };
}

function textOf(text: string): string | undefined {
  return text.trim() === '' ? undefined : text.trim();
}

/** What is no number stays a text, for the rules to refuse. */
function numberOf(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : trimmed;
}

function optionsOf(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A definition as it is sent for a new bot, and as the rules read it. */
export function withoutDefaults(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
