/** The list of one's sessions as the sidebar shows it. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { BotRef } from '../../protocol/values.ts';
import type { Api, SessionInfo } from './ports.ts';
import type { Toasts } from './toasts.ts';

export interface Sessions {
  readonly list: ReadonlySignal<readonly SessionInfo[]>;
  readonly state: ReadonlySignal<'idle' | 'loading' | 'ready' | 'failed'>;
  readonly hasMore: ReadonlySignal<boolean>;
  readonly archived: ReadonlySignal<boolean>;
  load(): Promise<void>;
  loadMore(): Promise<void>;
  showArchived(archived: boolean): Promise<void>;
  add(session: SessionInfo): void;
  /** What the open session itself says is newer than any list. */
  observe(id: string, seen: { title: string; bot: BotRef; archived: boolean; lastAt: number | null }): void;
  /** Changes the session itself and shows it. @throws what the server refuses with */
  change(id: string, wanted: { title?: string; bot?: string }): Promise<void>;
  rename(id: string, title: string): Promise<boolean>;
  chooseBot(id: string, bot: string): Promise<boolean>;
  archive(id: string, archived: boolean): Promise<boolean>;
  remove(id: string): Promise<boolean>;
}

/** The list is written after the session is: one that was made just now may not be in it yet. */
const LIST_LAG_MS = 60_000;

interface Around {
  now: () => number;
  /** Erases what this browser keeps of a session that was deleted. */
  forget: (session: string) => void;
}

export function createSessions(api: Api, toasts: Toasts, { now, forget }: Around): Sessions {
  /** Also those that left the list since it was loaded: another tab may bring them back. */
  const known = signal<readonly SessionInfo[]>([]);
  const state = signal<'idle' | 'loading' | 'ready' | 'failed'>('idle');
  const hasMore = signal(false);
  const archived = signal(false);
  const list = computed(() => known.value.filter((session) => session.archived === archived.value));
  const removed = new Set<string>();
  let cursor: string | null = null;
  /** A slow answer to an earlier question must not replace a later one's. */
  let generation = 0;

  const patch = (id: string, change: Partial<SessionInfo>) => {
    known.value = known.value.map((session) => (session.id === id ? { ...session, ...change } : session));
  };

  async function page(reset: boolean): Promise<void> {
    generation += 1;
    const mine = generation;
    const from = reset ? null : cursor;
    const loaded = await api.sessions({ archived: archived.value, ...(from === null ? {} : { cursor: from }) });
    if (mine !== generation) return;
    const fresh = loaded.sessions.filter(({ id }) => !removed.has(id));
    const listed = new Set(fresh.map(({ id }) => id));
    const lagging = (session: SessionInfo) => session.lastAt > now() - LIST_LAG_MS;
    const kept = known.value.filter((session) => !listed.has(session.id) && (!reset || lagging(session)));
    known.value = byTime([...kept, ...fresh]);
    cursor = loaded.nextCursor;
    hasMore.value = cursor !== null;
    state.value = 'ready';
  }

  async function reload(): Promise<void> {
    state.value = 'loading';
    const loaded = await toasts.attempt('Your chats could not be loaded', () => page(true));
    if (!loaded && state.peek() === 'loading') state.value = 'failed';
  }

  async function attempt(what: string, id: string, wanted: { title?: string; bot?: string; archived?: boolean }) {
    return toasts.attempt(what, () => api.updateSession(id, wanted));
  }

  return {
    list,
    state,
    hasMore,
    archived,
    load: reload,
    async loadMore() {
      await toasts.attempt('More chats could not be loaded', () => page(false));
    },
    async showArchived(value) {
      archived.value = value;
      known.value = [];
      await reload();
    },
    add(session) {
      known.value = [session, ...known.value];
    },
    observe(id, { lastAt, ...seen }) {
      const session = known.value.find((entry) => entry.id === id);
      if (!session) return;
      const at = Math.max(session.lastAt, lastAt ?? 0);
      const { title, bot } = session;
      if (title === seen.title && bot === seen.bot && session.archived === seen.archived && session.lastAt === at) {
        return;
      }
      patch(id, { ...seen, lastAt: at });
      known.value = byTime(known.value);
    },
    async change(id, wanted) {
      await api.updateSession(id, wanted);
      if (wanted.title !== undefined) patch(id, { title: wanted.title });
    },
    async rename(id, title) {
      const before = known.value.find((session) => session.id === id)?.title;
      patch(id, { title });
      const done = await attempt('The chat could not be renamed', id, { title });
      if (!done && before !== undefined) patch(id, { title: before });
      return done;
    },
    chooseBot: (id, bot) => attempt('The bot could not be changed', id, { bot }),
    async archive(id, value) {
      const done = await attempt('The chat could not be archived', id, { archived: value });
      if (done) patch(id, { archived: value });
      return done;
    },
    async remove(id) {
      const done = await toasts.attempt('The chat could not be deleted', () => api.deleteSession(id));
      if (done) {
        removed.add(id);
        known.value = known.value.filter((session) => session.id !== id);
        forget(id);
      }
      return done;
    },
  };
}

function byTime(sessions: readonly SessionInfo[]): SessionInfo[] {
  return sessions.toSorted((left, right) => right.lastAt - left.lastAt);
}
