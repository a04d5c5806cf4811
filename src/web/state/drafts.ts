/** What was typed and not sent, per session: a reload or a look at another chat loses nothing. */
import type { TextStore } from './ports.ts';

export interface Drafts {
  read(session: string | null): string;
  write(session: string | null, text: string): void;
}

export function createDrafts(store: TextStore): Drafts {
  const keyOf = (session: string | null) => `switchboard.draft.${session ?? 'new'}`;
  return {
    read: (session) => store.get(keyOf(session)) ?? '',
    write: (session, text) => store.set(keyOf(session), text === '' ? null : text),
  };
}
