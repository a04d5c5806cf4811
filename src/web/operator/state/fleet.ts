/** All bots, asked for again and again while the page is looked at. */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { createPoll, type Poll } from './poll.ts';
import type { Ports } from './ports.ts';
import { addSample, recentOf, sampleOf, type Recent, type Sample } from './history.ts';
import type { BotRow, Failure } from './shapes.ts';

/** Of each bot: enough for its last minutes, little enough for a thousand bots. */
const MAX_SAMPLES = 60;
const MAX_FAILURES = 20;
/** What the list calls recent. */
export const RECENT_MS = 5 * 60_000;

export interface FleetBot extends BotRow, Recent {}

export interface Fleet {
  readonly bots: ReadonlySignal<readonly FleetBot[]>;
  readonly byId: ReadonlySignal<ReadonlyMap<string, FleetBot>>;
  /** False: the database did not answer, so bots or their measurements are missing. */
  readonly isComplete: ReadonlySignal<boolean>;
  readonly poll: Poll;
  /** What the list saw of a bot, oldest first. */
  samplesOf(id: string): readonly Sample[];
  /** Failures of a bot that this page saw as its last one, newest first. */
  failuresOf(id: string): readonly Failure[];
  sawFailure(id: string, failure: Failure | null): void;
  /** Takes in what another answer said of a bot, until the list says it itself. */
  take(bot: BotRow): void;
  forget(id: string): void;
}

export function createFleet(ports: Ports, everyMs: ReadonlySignal<number | null>): Fleet {
  const bots = signal<readonly FleetBot[]>([]);
  const isComplete = signal(true);
  const samples = new Map<string, Sample[]>();
  const failures = new Map<string, Failure[]>();

  function sawFailure(id: string, failure: Failure | null): void {
    if (failure === null) return;
    const known = failures.get(id) ?? [];
    // The list lags behind what is said of one bot: it may come with an older one.
    if (
      known.some(({ at, session, turn }) => at === failure.at && session === failure.session && turn === failure.turn)
    )
      return;
    failures.set(id, [...known, failure].sort((one, other) => other.at - one.at).slice(0, MAX_FAILURES));
  }

  function observe(bot: BotRow, at: number): FleetBot {
    sawFailure(bot.id, bot.lastError ?? null);
    const seen = samples.get(bot.id) ?? [];
    samples.set(bot.id, seen);
    const { stats } = bot;
    if (stats) addSample(seen, sampleOf({ ...bot, stats }, at), MAX_SAMPLES);
    return { ...bot, ...recentOf(seen, RECENT_MS) };
  }

  const poll = createPoll(ports, everyMs, async () => {
    const { bots: rows, complete } = await ports.api.bots();
    const at = ports.now();
    isComplete.value = complete;
    bots.value = rows.map((row) => observe(row, at));
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of samples.keys()) if (!ids.has(id)) samples.delete(id);
    for (const id of failures.keys()) if (!ids.has(id)) failures.delete(id);
  });

  return {
    bots,
    byId: computed(() => new Map(bots.value.map((bot) => [bot.id, bot]))),
    isComplete,
    poll,
    samplesOf: (id) => samples.get(id) ?? [],
    failuresOf: (id) => failures.get(id) ?? [],
    sawFailure,
    take(bot) {
      const isListed = bots.peek().some(({ id }) => id === bot.id);
      const known = bots.peek();
      const taken = { ...bot, ...recentOf(samples.get(bot.id) ?? [], RECENT_MS) };
      bots.value = isListed ? known.map((old) => (old.id === bot.id ? taken : old)) : [...known, taken];
    },
    forget(id) {
      bots.value = bots.peek().filter((bot) => bot.id !== id);
      samples.delete(id);
    },
  };
}
