/**
 * Messages written in a chat that is no longer looked at still have to arrive: their connections
 * stay until the outbox is empty, and a reload takes them up again.
 */
import type { SessionClient, SessionView } from '../../client/types.ts';
import { isMissing } from './connection.ts';
import type { Ports } from './ports.ts';

export interface Unsent {
  /** Hands over a client that is no longer shown; it is closed at once if nothing waits in it. */
  keep(client: SessionClient): void;
  /** The client of a session that is shown again, if one is still open. */
  take(session: string): SessionClient | undefined;
  /** Remembers whether the session has something to send, for after a reload; forgets one that is gone. */
  note(session: string, view: SessionView): void;
  /** Lets go of a session that was deleted, and erases what the browser keeps of it. */
  forget(session: string): void;
  /** After a start: connects the sessions that had something to send, except the one shown. */
  resume(shown: string | null): void;
  wake(): void;
}

const KEY = 'switchboard.unsent';
/** Connections taken up at once after a start; the rest follow as these are done. */
const MAX_BACKGROUND = 4;

/** `erase` removes all text of a session from the browser's stores. */
export function createUnsent(
  { openClient, store }: Pick<Ports, 'openClient' | 'store'>,
  erase: (session: string) => Promise<void>,
): Unsent {
  const kept = new Map<string, { client: SessionClient; unsubscribe: () => void }>();
  const remembered = new Set((store.get(KEY) ?? '').split(' ').filter((id) => id !== ''));

  /** Remembered, and not taken up yet. */
  let unresumed: string[] = [];

  function mark(session: string, waits: boolean): void {
    if (remembered.has(session) === waits) return;
    if (waits) remembered.add(session);
    else remembered.delete(session);
    store.set(KEY, remembered.size === 0 ? null : [...remembered].join(' '));
  }

  function note(session: string, view: SessionView): void {
    if (isMissing(view)) return forget(session);
    const waits = hasUnsent(view);
    // Until the first welcome the outbox may not have been read: an empty one says nothing yet.
    if (waits || view.connection === 'live') mark(session, waits);
  }

  function forget(session: string): void {
    unresumed = unresumed.filter((id) => id !== session);
    release(session);
    // Where the erasing fails the mark stays: the next start meets the same refusal, and tries again.
    erase(session).then(
      () => mark(session, false),
      () => {},
    );
  }

  function resumeNext(): void {
    while (kept.size < MAX_BACKGROUND) {
      const session = unresumed.shift();
      if (session === undefined) return;
      if (!kept.has(session)) watch(session, openClient(session));
    }
  }

  function release(session: string): void {
    const entry = kept.get(session);
    if (!entry) return;
    kept.delete(session);
    entry.unsubscribe();
    entry.client.close();
    resumeNext();
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
      note(session, view);
      if (view.connection === 'closed' || (view.connection === 'live' && !hasUnsent(view))) release(session);
    });
    kept.set(session, { client, unsubscribe });
  }

  return {
    keep,
    note,
    forget,
    take(session) {
      unresumed = unresumed.filter((id) => id !== session);
      const entry = kept.get(session);
      kept.delete(session);
      entry?.unsubscribe();
      resumeNext();
      return entry?.client;
    },
    resume(shown) {
      unresumed = [...remembered].filter((id) => id !== shown);
      resumeNext();
    },
    wake() {
      for (const { client } of kept.values()) client.wake();
    },
  };
}

function hasUnsent(view: SessionView): boolean {
  return view.pending.some(({ refused }) => refused === null);
}
