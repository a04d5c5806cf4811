/** What the page itself answers, to commands: shown in the conversation, kept by nobody, sent nowhere. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { SlashCommand } from '../../client/slash-commands.ts';

type NoteContent =
  | { kind: 'text'; text: string; link?: { label: string; href: string } }
  /** Nothing was done: it was not understood, and is still in the message field, or it failed. */
  | { kind: 'problem'; text: string }
  | { kind: 'help' }
  | { kind: 'facts'; facts: readonly (readonly [label: string, value: string])[] };

export interface Note {
  id: number;
  session: string | null;
  /** The key of the entry it stands under; null where there was none. */
  after: string | null;
  /** The command that it answers. */
  command: SlashCommand['name'] | null;
  content: NoteContent;
}

export interface Notes {
  /** Those of the open chat. */
  readonly list: ReadonlySignal<readonly Note[]>;
  /** The newest one, for who cannot see it. */
  readonly newest: ReadonlySignal<Note | null>;
  add(note: Omit<Note, 'id'>): void;
  dismiss(id: number): void;
  /** Drops those of a chat: they are of no use after it is left. */
  leave(session: string | null): void;
}

/** More than these are not read any more. */
const MAX_NOTES = 12;

export function createNotes(session: ReadonlySignal<string | null>): Notes {
  const all = signal<readonly Note[]>([]);
  const newest = signal<Note | null>(null);
  let lastId = 0;
  return {
    list: computed(() => all.value.filter((note) => note.session === session.value)),
    newest,
    add(note) {
      lastId += 1;
      const added = { ...note, id: lastId };
      // The same problem again says nothing new; its sentence moves to where the person is.
      const others = all.value.filter(({ content }) => content.kind !== 'problem');
      all.value = [...others, added].slice(-MAX_NOTES);
      newest.value = added;
    },
    dismiss(id) {
      all.value = all.value.filter((note) => note.id !== id);
    },
    leave(left) {
      all.value = all.value.filter((note) => note.session !== left);
    },
  };
}

/** A note as one sentence, for a screen reader. */
export function spoken({ content }: Note): string {
  switch (content.kind) {
    case 'text':
    case 'problem':
      return content.text;
    case 'help':
      return 'The commands are listed at the end of the conversation';
    case 'facts':
      return content.facts.map(([label, value]) => `${label}: ${value}`).join('. ');
  }
}
