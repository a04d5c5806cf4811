/** The list that opens over the message field: what it offers, which one is chosen, and its keys. */
import { useComputed, useSignal, useSignalEffect, type ReadonlySignal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { useApp } from '../state/context.ts';
import { isComplete, suggest, type Suggestion, type Suggestions } from './suggest.ts';

export const LIST_ID = 'suggestions';

export function optionId(index: number): string {
  return `suggestion-${index}`;
}

export interface SuggestionList {
  /** Null while there is nothing to offer. */
  readonly open: ReadonlySignal<Suggestions | null>;
  /** The index of the one that Enter takes; -1 for none. */
  readonly active: ReadonlySignal<number>;
  take: (suggestion: Suggestion) => void;
  /** Whether the key was for the list. */
  onKey: (event: KeyboardEvent) => boolean;
}

/** `field` is the message field, `text` what is in it. */
export function useSuggestions(
  field: HTMLTextAreaElement,
  text: ReadonlySignal<string>,
  change: (text: string) => void,
): SuggestionList {
  const { bots } = useApp();
  /** Where the cursor is; -1 where nothing is to be offered: text is selected, or the field is left. */
  const cursor = useSignal(-1);
  /** The list that was closed, by its title: it stays so until another one is offered, or none. */
  const closed = useSignal<string | null>(null);
  /** What was chosen with the arrows, and among which ones. */
  const picked = useSignal<{ before: string; index: number } | null>(null);

  const before = useComputed(() => text.value.slice(0, Math.max(0, cursor.value)));
  const offered = useComputed(() => suggest(before.value, bots.list.value));
  const title = useComputed(() => offered.value?.title ?? null);
  const open = useComputed(() => {
    const list = offered.value;
    return list === null || list.title === closed.value || list.items.length === 0 ? null : list;
  });
  const active = useComputed(() => {
    if (open.value === null) return -1;
    const index = picked.value?.before === before.value ? picked.value.index : open.value.eager ? 0 : -1;
    return Math.min(index, open.value.items.length - 1);
  });
  useSignalEffect(() => {
    if (closed.peek() !== title.value) closed.value = null;
  });
  // All bots have to be known before it can be said which ones fit.
  const searches = useComputed(() => offered.value?.search != null);
  useSignalEffect(() => {
    if (searches.value && bots.hasMore.peek()) void bots.loadAll();
  });

  useSignalEffect(() => describe(field, open.value !== null, active.value));

  const look = () => {
    const isWritten = document.activeElement === field && field.selectionStart === field.selectionEnd;
    cursor.value = isWritten ? field.selectionStart : -1;
  };
  useLayoutEffect(() => {
    const events = ['input', 'keyup', 'click', 'focus', 'blur'];
    for (const event of events) field.addEventListener(event, look);
    look();
    return () => {
      for (const event of events) field.removeEventListener(event, look);
      describe(field, false, -1);
    };
  }, [field]);
  const close = () => (closed.value = title.peek());
  const take = ({ insert }: Suggestion) => {
    const rest = field.value.slice(field.selectionStart).replace(/^\S+/, '');
    const joined = insert + (insert.endsWith(' ') ? rest.replace(/^ /, '') : rest);
    change(joined);
    // Drawn later; the cursor needs the text now.
    field.value = joined;
    field.focus();
    field.setSelectionRange(insert.length, insert.length);
    look();
    if (!insert.endsWith(' ')) close();
  };
  return {
    open,
    active,
    take,
    onKey: (event) => {
      const list = open.peek();
      if (list === null) return false;
      const { length } = list.items;
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
      if (step !== 0) {
        const from = active.peek() === -1 && step < 0 ? length : active.peek();
        picked.value = { before: before.peek(), index: (from + step + length) % length };
        return true;
      }
      if (event.key === 'Escape') {
        close();
        return true;
      }
      const chosen = list.items[active.peek()];
      const takes = event.key === 'Enter' || event.key === 'Tab';
      if (!takes || event.shiftKey || chosen === undefined || isComplete(before.peek(), chosen)) return false;
      take(chosen);
      return true;
    },
  };
}

/**
 * A combobox as long as its list is open. After that a field with lines again, which a combobox
 * does not have: so the role is not the field's own, and is set here.
 */
function describe(field: HTMLElement, isOpen: boolean, active: number): void {
  const attributes = {
    role: 'combobox',
    'aria-autocomplete': 'list',
    'aria-haspopup': 'listbox',
    'aria-expanded': 'true',
    'aria-controls': LIST_ID,
    'aria-activedescendant': active === -1 ? null : optionId(active),
  };
  for (const [name, value] of Object.entries(attributes)) {
    if (isOpen && value !== null) field.setAttribute(name, value);
    else field.removeAttribute(name);
  }
}
