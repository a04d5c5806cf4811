/** A definition as a form holds it, texts only, and back: what the server would refuse is found here first. */
import { botSpec, type BotSpec, type BotSpecPatch } from '../../../bots/spec.ts';
import { FIELD_NAMES, type FieldName } from './fields.ts';

export type FormValues = Readonly<Record<FieldName, string>>;
export type FormProblems = ReadonlyMap<FieldName, string>;

const DEADLINE_NAMES = ['connectTimeoutMs', 'firstTokenTimeoutMs', 'idleTimeoutMs', 'totalTimeoutMs'] as const;

const EMPTY: FormValues = {
  ...blank(),
  kind: 'ollama',
  systemPromptFrom: 'server',
};

function blank(): Record<FieldName, string> {
  return {
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
}

/** The form of a definition; of a new bot's without one. */
export function formOf(spec: BotSpec | null): FormValues {
  if (spec === null) return EMPTY;
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

/** The definition that the form describes, without what it leaves to defaults. Says nothing of whether it is right. */
export function definitionOf(values: FormValues): Record<string, unknown> {
  const deadlines = withoutAbsent(
    Object.fromEntries(DEADLINE_NAMES.map((name) => [name, numberOf(values[`deadlines.${name}`])])),
  );
  return withoutAbsent({
    id: values.id.trim(),
    name: values.name.trim(),
    kind: values.kind,
    model: textOf(values.model),
    endpoint: textOf(values.endpoint),
    apiKeyVariable: textOf(values.apiKeyVariable),
    systemPrompt: values.systemPromptFrom === 'own' ? values.systemPrompt : undefined,
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
  const result = botSpec.safeParse(definitionOf(values));
  for (const issue of result.success ? [] : result.error.issues) {
    const field = fieldAt(issue.path.map(String).join('.'));
    if (field !== null && !problems.has(field)) problems.set(field, issue.message);
  }
  if (problems.has('options')) problems.set('options', 'must be a JSON object');
  if (values.kind === 'openai' && values.endpoint.trim() === '') {
    problems.set('endpoint', 'is missing: a bot of this kind needs one');
  }
  if (values.kind !== 'ollama' && values.model.trim() === '') {
    problems.set('model', 'is missing: a bot of this kind needs one');
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

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
