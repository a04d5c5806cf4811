/** A definition being written. What was typed stays until it is saved or thrown away, whatever happens around it. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { FieldName } from '../editor/fields.ts';
import {
  definitionOf,
  fieldAt,
  formOf,
  NEW_BOT,
  patchOf,
  problemsOf,
  rebase,
  withoutDefaults,
  type ConflictField,
  type FormProblems,
  type FormValues,
} from '../editor/form.ts';
import { asOperatorError } from './poll.ts';
import { OperatorError, type OperatorApi } from './ports.ts';
import type { BotView } from './shapes.ts';

export interface Editor {
  /** Null: a new bot. */
  readonly bot: string | null;
  /** The definition as the server has it; null for a new bot, and until it was read. */
  readonly base: ReadonlySignal<BotView | null>;
  readonly values: ReadonlySignal<FormValues>;
  /** What is to be said at the fields by now: not of those that nobody touched yet. */
  readonly problems: ReadonlySignal<FormProblems>;
  readonly isChanged: ReadonlySignal<boolean>;
  readonly busy: ReadonlySignal<boolean>;
  /** Why reading or saving failed, beyond what is said at fields. */
  readonly failure: ReadonlySignal<OperatorError | null>;
  /** What somebody else changed since this was read; null when nobody did. */
  readonly conflict: ReadonlySignal<readonly ConflictField[] | null>;
  set(field: FieldName, text: string): void;
  touch(field: FieldName): void;
  takeTheirs(field: FieldName): void;
  load(): Promise<void>;
  /** The bot as it is now, or null when it was not saved. */
  save(): Promise<BotView | null>;
  /** Back to what the server has. */
  discard(): void;
}

export function createEditor(api: OperatorApi, bot: string | null): Editor {
  const base = signal<BotView | null>(null);
  const baseValues = computed(() => (base.value ? formOf(base.value) : NEW_BOT));
  const typed = signal<FormValues | null>(null);
  const values = computed(() => typed.value ?? baseValues.value);
  const touched = signal<ReadonlySet<FieldName> | 'all'>(new Set());
  const refused = signal<FormProblems>(new Map());
  const busy = signal(false);
  const failure = signal<OperatorError | null>(null);
  const conflict = signal<readonly ConflictField[] | null>(null);
  const isChanged = computed(() => JSON.stringify(values.value) !== JSON.stringify(baseValues.value));

  const problems = computed(() => {
    const shown = [...problemsOf(values.value)].filter(
      ([field]) => touched.value === 'all' || touched.value.has(field),
    );
    return new Map([...refused.value, ...shown]);
  });

  function adopt(view: BotView): void {
    base.value = view;
    typed.value = null;
    touched.value = new Set();
    refused.value = new Map();
    conflict.value = null;
  }

  async function during<T>(action: () => Promise<T>): Promise<T | null> {
    if (busy.peek()) return null;
    busy.value = true;
    failure.value = null;
    try {
      return await action();
    } catch (error) {
      failure.value = asOperatorError(error);
      return null;
    } finally {
      busy.value = false;
    }
  }

  async function meetConflict(id: string): Promise<void> {
    const theirs = await api.bot(id);
    const rebased = rebase(baseValues.peek(), values.peek(), formOf(theirs));
    base.value = theirs;
    typed.value = rebased.values;
    conflict.value = rebased.changed;
  }

  async function send(): Promise<BotView | null> {
    const view = base.peek();
    try {
      if (bot === null) return await api.create(withoutDefaults(definitionOf(values.peek())));
      if (view === null) return null;
      return await api.update(bot, patchOf(baseValues.peek(), values.peek()), view.revision);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      refused.value = atFields(error);
      if (error.code !== 'stale_base' || bot === null) throw error;
      await meetConflict(bot);
      return null;
    }
  }

  return {
    bot,
    base,
    values,
    problems,
    isChanged,
    busy,
    failure,
    conflict,
    set(field, text) {
      typed.value = { ...values.peek(), [field]: text };
      if (!refused.peek().has(field)) return;
      refused.value = new Map([...refused.peek()].filter(([name]) => name !== field));
    },
    touch(field) {
      const known = touched.peek();
      if (known !== 'all') touched.value = new Set(known).add(field);
    },
    takeTheirs(field) {
      const theirs = conflict.peek()?.find((entry) => entry.field === field)?.theirs;
      if (theirs === undefined) return;
      typed.value = { ...values.peek(), [field]: theirs };
      conflict.value = (conflict.peek() ?? []).map((entry) =>
        entry.field === field ? { ...entry, mine: null } : entry,
      );
    },
    async load() {
      // What was typed is about the definition that was there then.
      if (bot === null || isChanged.peek()) return;
      await during(async () => adopt(await api.bot(bot)));
    },
    save: () =>
      during(async () => {
        touched.value = 'all';
        refused.value = new Map();
        if (problemsOf(values.peek()).size > 0) return null;
        const saved = await send();
        if (saved !== null) adopt(saved);
        return saved;
      }),
    discard() {
      typed.value = null;
      touched.value = new Set();
      refused.value = new Map();
      conflict.value = null;
      failure.value = null;
    },
  };
}

/** The server says what is wrong with the first wrong field: `"deadlines.idleTimeoutMs" must be ...`. */
const FIELD_SENTENCE = /^"([\w.]+)" (.+?)\.?$/;

function atFields(error: OperatorError): FormProblems {
  const problems = new Map<FieldName, string>();
  const [, path, sentence] = FIELD_SENTENCE.exec(error.message) ?? [];
  const named = path === undefined ? null : fieldAt(path);
  if (named !== null && sentence !== undefined) problems.set(named, sentence);
  if (error.code === 'bot_exists') problems.set('id', 'is taken by another bot');
  return problems;
}
