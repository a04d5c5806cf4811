/** The bots one may talk to. There may be a thousand: pages come as they are needed. */
import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Api, BotInfo, TextStore } from './ports.ts';
import type { Toasts } from './toasts.ts';

export interface Bots {
  /** As far as they were loaded, in the server's order. */
  readonly list: ReadonlySignal<readonly BotInfo[]>;
  /** Whether the list has further pages. */
  readonly hasMore: ReadonlySignal<boolean>;
  readonly loading: ReadonlySignal<boolean>;
  readonly simulator: ReadonlySignal<boolean>;
  /** The bot of the next new chat; null until the list is there. */
  readonly forNewChat: ReadonlySignal<string | null>;
  /** Whether the picker is open. */
  readonly picking: Signal<boolean>;
  /** A bot that was loaded, or undefined; follows the signals it reads. */
  find(id: string): BotInfo | undefined;
  chooseForNewChat(bot: string): void;
  /** Asks for one bot, whichever page it is on. @throws what the server refuses with */
  look(id: string): Promise<BotInfo>;
  /** Reads again what was loaded so far: states change. */
  load(): Promise<void>;
  loadMore(): Promise<void>;
  /** Every page: a search has to see them all. */
  loadAll(): Promise<void>;
}

const CHOICE_KEY = 'switchboard.bot';
/** Ten thousand bots; beyond that a name is typed more easily than it is found in a list. */
const MAX_PAGES = 100;

export function createBots(api: Api, store: TextStore, toasts: Toasts): Bots {
  const list = signal<readonly BotInfo[]>([]);
  /** Asked for one by one; the list may not have come to them yet. */
  const single = signal<ReadonlyMap<string, BotInfo>>(new Map());
  const cursor = signal<string | null>(null);
  const simulator = signal(false);
  const chosen = signal(store.get(CHOICE_KEY));
  const loading = signal(false);
  let pages = 0;
  /** One at a time: two readers of pages would mix them up. */
  let line: Promise<unknown> = Promise.resolve();

  const byId = computed(() => new Map([...single.value, ...list.value.map((bot) => [bot.id, bot] as const)]));

  function inLine(read: () => Promise<void>): Promise<void> {
    const done = line.then(async () => {
      loading.value = true;
      await toasts.attempt('The list of bots could not be loaded', read);
      loading.value = false;
    });
    line = done;
    return done;
  }

  async function reload(): Promise<void> {
    const wanted = Math.max(1, pages);
    let next: string | null = null;
    const read: BotInfo[] = [];
    let count = 0;
    do {
      const page = await api.bots(next);
      read.push(...page.bots);
      simulator.value = page.simulator;
      next = page.nextCursor;
      count += 1;
    } while (next !== null && count < wanted);
    list.value = distinct(read);
    cursor.value = next;
    pages = count;
    await lookAtChosen();
  }

  /** The bot chosen last time may be on a page that nobody has asked for. */
  async function lookAtChosen(): Promise<void> {
    const id = chosen.peek();
    if (id === null || cursor.peek() === null || byId.peek().has(id)) return;
    try {
      await look(id);
    } catch {
      // It is gone: the first of the list takes its place.
    }
  }

  async function look(id: string): Promise<BotInfo> {
    const told = await api.bot(id);
    // Only the list says whether the model is there.
    const bot = { ...told, available: told.available ?? byId.peek().get(told.id)?.available ?? null };
    single.value = new Map(single.value).set(bot.id, bot);
    list.value = list.value.map((known) => (known.id === bot.id ? bot : known));
    return bot;
  }

  async function more(): Promise<void> {
    const from = cursor.peek();
    if (from === null || pages >= MAX_PAGES) return;
    const page = await api.bots(from);
    list.value = distinct([...list.value, ...page.bots]);
    cursor.value = page.nextCursor;
    pages += 1;
  }

  return {
    list,
    hasMore: computed(() => cursor.value !== null),
    loading,
    simulator,
    forNewChat: computed(() => {
      const known = chosen.value === null ? undefined : byId.value.get(chosen.value);
      return (known ?? list.value[0])?.id ?? null;
    }),
    picking: signal(false),
    find: (id) => byId.value.get(id),
    chooseForNewChat(bot) {
      chosen.value = bot;
      store.set(CHOICE_KEY, bot);
    },
    look,
    load: () => inLine(reload),
    loadMore: () => inLine(more),
    loadAll: () =>
      inLine(async () => {
        while (cursor.peek() !== null && pages < MAX_PAGES) await more();
      }),
  };
}

/** A bot that moved while pages were read would else be there twice. */
function distinct(bots: readonly BotInfo[]): BotInfo[] {
  return [...new Map(bots.map((bot) => [bot.id, bot])).values()];
}
