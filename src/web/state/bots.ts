import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { Api, BotInfo, TextStore } from './ports.ts';
import type { Toasts } from './toasts.ts';

export interface Bots {
  readonly list: ReadonlySignal<readonly BotInfo[]>;
  readonly simulator: ReadonlySignal<boolean>;
  /** The bot of the next new chat; null until the list is there. */
  readonly forNewChat: ReadonlySignal<string | null>;
  chooseForNewChat(bot: string): void;
  load(): Promise<void>;
}

const CHOICE_KEY = 'switchboard.bot';

export function createBots(api: Api, store: TextStore, toasts: Toasts): Bots {
  const list = signal<readonly BotInfo[]>([]);
  const simulator = signal(false);
  const chosen = signal(store.get(CHOICE_KEY));
  return {
    list,
    simulator,
    forNewChat: computed(() => (list.value.find(({ id }) => id === chosen.value) ?? list.value[0])?.id ?? null),
    chooseForNewChat(bot) {
      chosen.value = bot;
      store.set(CHOICE_KEY, bot);
    },
    async load() {
      await toasts.attempt('The list of bots could not be loaded', async () => {
        const loaded = await api.bots();
        list.value = loaded.bots;
        simulator.value = loaded.simulator;
      });
    },
  };
}
