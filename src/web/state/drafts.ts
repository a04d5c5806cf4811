/** What was typed and not sent, per session: a reload or a look at another chat loses nothing. */
import type { TextStore } from './ports.ts';

export interface Drafts {
  read(session: string | null): string;
  write(session: string | null, text: string): void;
  /** Erases what a deleted session has, for good: what still writes to it later writes nothing. */
  forget(session: string): void;
  forgotten(session: string | null): boolean;
}

export function createDrafts(store: TextStore): Drafts {
  const keyOf = (session: string | null) => `switchboard.draft.${session ?? 'new'}`;
  const gone = new Set<string>();
  const forgotten = (session: string | null) => session !== null && gone.has(session);
  return {
    forgotten,
    forget(session) {
      gone.add(session);
      store.set(keyOf(session), null);
    },
    read: (session) => store.get(keyOf(session)) ?? '',
    write(session, text) {
      if (!forgotten(session)) store.set(keyOf(session), text === '' ? null : text);
    },
  };
}
