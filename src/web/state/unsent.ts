/**
 * Messages written in a chat that is no longer looked at still have to arrive: their connections
 * stay until the outbox is empty, and a reload takes them up again.
 */
import type { SessionClient, SessionView } from '../../client/types.ts';
import type { Ports } from './ports.ts';

export interface Unsent {
  /** Hands over a client that is no longer shown; it is closed at once if nothing waits in it. */
  keep(client: SessionClient): void;
  /** The client of a session that is shown again, if one is still open. */
  take(session: string): SessionClient | undefined;
  /** Remembers whether the session has something to send, for after a reload. */
  note(session: string, view: SessionView): void;
  /** After a start: connects the sessions that had something to send, except the one shown. */
  resume(shown: string | null): void;
  wake(): void;
}

const KEY = 'switchboard.unsent';
/** Background connections at once; the rest wait until their chat is opened. */
const MAX_BACKGROUND = 4;

export function createUnsent({ openClient, store }: Pick<Ports, 'openClient' | 'store'>): Unsent {
  const kept = new Map<string, { client: SessionClient; unsubscribe: () => void }>();
  const remembered = new Set((store.get(KEY) ?? '').split(' ').filter((id) => id !== ''));

  function note(session: string, view: SessionView): void {
    const waits = hasUnsent(view);
    if (remembered.has(session) === waits) return;
    if (waits) remembered.add(session);
    else remembered.delete(session);
    store.set(KEY, remembered.size === 0 ? null : [...remembered].join(' '));
  }

  function release(session: string): void {
    const entry = kept.get(session);
    if (!entry) return;
    kept.delete(session);
    entry.unsubscribe();
    entry.client.close();
  }

  function keep(client: SessionClient): void {
    const { session } = client.view;
    if (!hasUnsent(client.view) || client.view.connection === 'closed') {
      client.close();
      return;
    }
    watch(session, client);
  }

  function watch(session: string, client: SessionClient): void {
    const unsubscribe = client.subscribe((view) => {
      // Until the first welcome the outbox may not have been read: an empty one says nothing yet.
      if (view.connection !== 'live' && view.connection !== 'closed') return;
      note(session, view);
      if (!hasUnsent(view) || view.connection === 'closed') release(session);
    });
    kept.set(session, { client, unsubscribe });
  }

  return {
    keep,
    note,
    take(session) {
      const entry = kept.get(session);
      kept.delete(session);
      entry?.unsubscribe();
      return entry?.client;
    },
    resume(shown) {
      for (const session of [...remembered].filter((id) => id !== shown).slice(0, MAX_BACKGROUND)) {
        watch(session, openClient(session));
      }
    },
    wake() {
      for (const { client } of kept.values()) client.wake();
    },
  };
}

function hasUnsent(view: SessionView): boolean {
  return view.pending.some(({ refused }) => refused === null);
}
