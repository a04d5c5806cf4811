/** The bot that is looked at: its status, asked for again and again, and what it was since the page was opened. */
import { computed, effect, signal, untracked, type ReadonlySignal } from '@preact/signals';
import type { Fleet } from './fleet.ts';
import { addSample, linesOf, sampleOf, type Lines, type Sample } from './history.ts';
import { createPoll, type Poll } from './poll.ts';
import type { Ports } from './ports.ts';
import type { BotStatus, Failure } from './shapes.ts';

/** An hour at one every 2 s; longer is kept at less detail. */
const MAX_SAMPLES = 1_800;
/** Bots whose past is kept; the one looked at longest ago makes room. */
const MAX_BOTS = 20;

export interface OpenBot {
  readonly id: ReadonlySignal<string | null>;
  /** Null until the first answer. */
  readonly status: ReadonlySignal<BotStatus | null>;
  readonly lines: ReadonlySignal<Lines>;
  /** Failures that this page saw, newest first. */
  readonly failures: ReadonlySignal<readonly Failure[]>;
  readonly poll: Poll;
}

export function createOpenBot(
  ports: Ports,
  fleet: Fleet,
  id: ReadonlySignal<string | null>,
  everyMs: ReadonlySignal<number | null>,
): OpenBot {
  const status = signal<BotStatus | null>(null);
  /** Grows with every sample: the past itself is changed in place. */
  const version = signal(0);
  const pasts = new Map<string, Sample[]>();

  function pastOf(bot: string): Sample[] {
    const past = pasts.get(bot) ?? [];
    // Again the newest: a Map remembers the order of its insertions.
    pasts.delete(bot);
    pasts.set(bot, past);
    const [oldest] = pasts.keys();
    if (pasts.size > MAX_BOTS && oldest !== undefined) pasts.delete(oldest);
    return past;
  }

  /** What the list saw while nobody looked at this bot. It may lag behind what is known here. */
  function addListed(past: Sample[], bot: string): void {
    for (const sample of fleet.samplesOf(bot)) {
      const last = past.at(-1);
      if (!last || (sample.at > last.at && sample.turns >= last.turns)) addSample(past, sample, MAX_SAMPLES);
    }
  }

  const poll = createPoll(
    ports,
    computed(() => (id.value === null ? null : everyMs.value)),
    async () => {
      const bot = id.peek();
      if (bot === null) return;
      const answer = await ports.api.status(bot);
      // Another one was opened meanwhile.
      if (id.peek() !== bot) return;
      addSample(pastOf(bot), sampleOf(answer, ports.now()), MAX_SAMPLES);
      fleet.sawFailure(bot, answer.lastError);
      status.value = answer;
      version.value += 1;
    },
  );

  effect(() => {
    const bot = id.value;
    untracked(() => {
      status.value = null;
      // What went wrong with another bot says nothing of this one.
      poll.clear();
      if (bot === null) return;
      addListed(pastOf(bot), bot);
      version.value += 1;
      void poll.refresh();
    });
  });

  const seen = computed(() => ({ bot: id.value, version: version.value }));
  return {
    id,
    status,
    lines: computed(() => linesOf((seen.value.bot !== null && pasts.get(seen.value.bot)) || [])),
    failures: computed(() => (seen.value.bot === null ? [] : [...fleet.failuresOf(seen.value.bot)])),
    poll,
  };
}
