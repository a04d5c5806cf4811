/** The page's state, put together once. */
import { computed, effect, signal, untracked, type Signal } from '@preact/signals';
import type { SlashCommand } from '../../client/slash-commands.ts';
import { loadLater } from '../load-later.ts';
import { createBots, type Bots } from './bots.ts';
import { createChat, type Chat } from './chat.ts';
import { createDrafts, type Drafts } from './drafts.ts';
import { createNotes, type Notes } from './notes.ts';
import type { Ports, SessionInfo } from './ports.ts';
import { createRouter, type Router } from './router.ts';
import { createSearch, type Search } from './search.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createToasts, reasonOf, type Toasts } from './toasts.ts';
import { createUnsent } from './unsent.ts';

export interface App {
  router: Router;
  toasts: Toasts;
  bots: Bots;
  sessions: Sessions;
  search: Search;
  chat: Chat;
  drafts: Drafts;
  notes: Notes;
  /** The sidebar, on a screen too small to always show it. */
  drawerOpen: Signal<boolean>;
  online: Signal<boolean>;
  /** Says why what was typed was not sent. */
  explain(reason: string): void;
  /** Does what a command says; never sent to anybody. */
  run(command: SlashCommand): Promise<void>;
  /** Sends to the open session, or to a new one made for it. False when the text was not taken. */
  send(text: string): Promise<boolean>;
}

/** Coming back to the page after this long, chats may have been used elsewhere. */
const LIST_AGE_MS = 30_000;

export function createApp(ports: Ports, target: Window): App {
  const toasts = createToasts();
  const router = createRouter(target);
  const bots = createBots(ports.api, ports.store, toasts);
  const drafts = createDrafts(ports.store);
  const unsent = createUnsent(ports, (session) => {
    drafts.forget(session);
    return ports.eraseUnsent(session);
  });
  const sessions = createSessions(ports.api, toasts, { now: ports.now, forget: (id) => unsent.forget(id) });
  const chat = createChat(ports, toasts, unsent);
  const notes = createNotes(chat.session);
  const online = signal(target.navigator.onLine);
  const drawerOpen = signal(false);

  effect(() => {
    const { session } = router.route.value;
    untracked(() => {
      if (session !== chat.session.peek()) notes.leave(chat.session.peek());
      chat.open(session);
    });
    drawerOpen.value = false;
  });
  effect(() => {
    const view = chat.view.value;
    if (view?.bot == null) return;
    const { session, title, bot, archived, messages } = view;
    const lastAt = messages.at(-1)?.at ?? null;
    queueMicrotask(() => sessions.observe(session, { title, bot, archived, lastAt }));
  });
  effect(() => {
    const title = chat.view.value?.title ?? '';
    target.document.title = title === '' ? 'Switchboard' : `${title} · Switchboard`;
  });

  // A refusal that is about no message (a stale tab's wish, a limit): said once, when it comes.
  const refusal = computed(() => (chat.view.value?.connection === 'live' ? chat.view.value.lastError : null));
  effect(() => {
    const error = refusal.value;
    if (error) untracked(() => toasts.show(error.message));
  });

  let listedAt = ports.now();
  const wake = () => {
    online.value = target.navigator.onLine;
    if (!target.navigator.onLine || target.document.hidden) return;
    chat.wake();
    if (ports.now() - listedAt < LIST_AGE_MS) return;
    listedAt = ports.now();
    void bots.load();
    void sessions.load();
  };
  for (const event of ['online', 'offline', 'pageshow']) target.addEventListener(event, wake);
  target.document.addEventListener('visibilitychange', wake);

  void bots.load();
  void sessions.load();
  unsent.resume(router.route.peek().session);
  const explain = (text: string) => {
    const after = chat.arranged.peek().entries.at(-1)?.key ?? null;
    notes.add({ session: chat.session.peek(), after, command: null, content: { kind: 'problem', text } });
  };
  const start = newChatStarter(ports, bots, sessions);

  return {
    router,
    toasts,
    bots,
    sessions,
    search: createSearch(ports.api),
    chat,
    drafts,
    notes,
    drawerOpen,
    online,
    explain,
    async run(command) {
      try {
        const { runCommand } = await loadLater();
        await runCommand({ ...ports, bots, chat, notes, online, sessions }, command);
      } catch (error) {
        explain(reasonOf(error));
      }
    },
    async send(text) {
      if (chat.session.peek() !== null) return chat.send(text);
      try {
        const { id } = await start();
        if (router.route.peek().session === null) router.replace(id);
        if (chat.session.peek() === id) return await chat.send(text);
        // The person went on to another chat meanwhile; the message still belongs to the new one.
        const client = ports.openClient(id);
        await client.send(text);
        unsent.note(id, client.view);
        unsent.keep(client);
        return true;
      } catch (error) {
        toasts.show(`The chat could not be started: ${reasonOf(error)}`);
        return false;
      }
    },
  };
}

/** One session for everything sent until it is there: a second Enter must not make a second chat. */
function newChatStarter({ api, now }: Ports, bots: Bots, sessions: Sessions): () => Promise<SessionInfo> {
  let starting: Promise<SessionInfo> | null = null;
  return async () => {
    const bot = bots.forNewChat.peek();
    starting ??= api.createSession(bot === null ? {} : { bot }).then((made) => {
      const session = { ...made, lastAt: now() };
      sessions.add(session);
      return session;
    });
    try {
      return await starting;
    } finally {
      starting = null;
    }
  };
}
