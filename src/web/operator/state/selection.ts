/** Which bots the list shows, and in which order. */
import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { BotState } from '../../../objects/bot-rpc.ts';
import type { FleetBot } from './fleet.ts';

export const SORTS = [
  'attention',
  'name',
  'state',
  'model',
  'running',
  'queued',
  'connections',
  'errors',
  'p95',
  'uptime',
] as const;
export type Sort = (typeof SORTS)[number];

export interface Selection {
  readonly text: Signal<string>;
  /** Null: every state. */
  readonly state: Signal<BotState | null>;
  readonly sort: ReadonlySignal<Sort>;
  readonly descending: ReadonlySignal<boolean>;
  /** How many bots are in each state, before any filter. */
  readonly counts: ReadonlySignal<Readonly<Record<BotState, number>>>;
  readonly shown: ReadonlySignal<readonly FleetBot[]>;
  /** Sorts by that; the other way round where it is so already. */
  sortBy(sort: Sort): void;
  /** Where the list was scrolled to, in px, and the bot that was opened from it: the way back leads there. */
  left: { scrollPx: number; bot: string | null };
  /** Rows keep their places while somebody points at them, whatever the next answer brings. */
  hold(isHeld: boolean): void;
}

/** What needs a person comes first. */
const ATTENTION: Readonly<Record<BotState, number>> = { degraded: 0, starting: 1, paused: 2, running: 3, stopped: 4 };

type Key = (bot: FleetBot) => number | string;
const KEYS: Readonly<Record<Sort, Key>> = {
  // A running bot that alerts is as urgent as one whose endpoint fails.
  attention: (bot) => ((bot.alerts ?? []).some(({ resolvedAt }) => resolvedAt === null) ? 0 : ATTENTION[bot.state]),
  name: (bot) => bot.name.toLowerCase(),
  state: (bot) => ATTENTION[bot.state],
  model: (bot) => bot.model.toLowerCase(),
  running: (bot) => bot.running ?? 0,
  queued: (bot) => bot.queued ?? 0,
  connections: (bot) => bot.connections ?? 0,
  errors: (bot) => bot.errorShare ?? -1,
  p95: (bot) => bot.p95FirstTokenMs ?? -1,
  uptime: (bot) => bot.uptimeMs ?? 0,
};
/** Of these the most is looked for, not the least. */
const LARGEST_FIRST: readonly Sort[] = ['running', 'queued', 'connections', 'errors', 'p95', 'uptime'];

export function createSelection(bots: ReadonlySignal<readonly FleetBot[]>): Selection {
  const text = signal('');
  const state = signal<BotState | null>(null);
  const sort = signal<Sort>('attention');
  const descending = signal(false);
  const held = signal<ReadonlyMap<string, number> | null>(null);

  const matching = computed(() => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = state.value;
    return bots.value.filter((bot) => (wanted === null || bot.state === wanted) && matches(bot, words));
  });
  const shown = computed(() => {
    const ordered = sorted(matching.value, KEYS[sort.value], descending.value);
    const places = held.value;
    if (places === null) return ordered;
    const placeOf = ({ id }: FleetBot) => places.get(id) ?? Infinity;
    return ordered.toSorted((one, other) => compare(placeOf(one), placeOf(other)));
  });

  return {
    text,
    state,
    sort,
    descending,
    counts: computed(() => {
      const counts = { stopped: 0, starting: 0, running: 0, paused: 0, degraded: 0 };
      for (const bot of bots.value) counts[bot.state] += 1;
      return counts;
    }),
    shown,
    left: { scrollPx: 0, bot: null },
    sortBy(next) {
      descending.value = sort.value === next ? !descending.value : LARGEST_FIRST.includes(next);
      sort.value = next;
      // Who sorts wants the new order, wherever the pointer is.
      if (held.value !== null) {
        held.value = null;
        held.value = placesOf(shown.value);
      }
    },
    hold(isHeld) {
      if (isHeld === (held.value !== null)) return;
      held.value = isHeld ? placesOf(shown.value) : null;
    },
  };
}

function placesOf(bots: readonly FleetBot[]): Map<string, number> {
  return new Map(bots.map(({ id }, place) => [id, place]));
}

function matches(bot: FleetBot, words: readonly string[]): boolean {
  const haystack = `${bot.id} ${bot.name} ${bot.model} ${bot.state}`.toLowerCase();
  return words.every((word) => haystack.includes(word));
}

/** Equal ones by name, so that a list of zeros stands still. */
function sorted(bots: readonly FleetBot[], key: Key, descending: boolean): FleetBot[] {
  const direction = descending ? -1 : 1;
  const keyed = bots.map((bot) => ({ bot, key: key(bot), name: KEYS.name(bot) }));
  keyed.sort(
    (one, other) =>
      direction * compare(one.key, other.key) || compare(one.name, other.name) || compare(one.bot.id, other.bot.id),
  );
  return keyed.map(({ bot }) => bot);
}

function compare(one: number | string, other: number | string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
