import type { BotSample } from '../../src/metrics/bot-sample.ts';
import { emptyStats, type BotStats } from '../../src/metrics/bot-stats.ts';
import type { Measured } from '../../src/metrics/alert-measures.ts';
import { observe } from '../../src/metrics/histogram.ts';

export function statsWith(change: (stats: BotStats) => void): BotStats {
  const stats = emptyStats();
  change(stats);
  return stats;
}

/** Times put into each histogram. */
export function statsOfTimes(times: readonly number[]): BotStats {
  return statsWith((stats) => {
    for (const ms of times) {
      for (const histogram of [stats.firstToken, stats.total, stats.overhead, stats.waited]) observe(histogram, ms);
    }
    stats.replies = times.length;
  });
}

export function measured(change: Partial<Measured> = {}): Measured {
  return {
    state: 'running',
    running: 0,
    queued: 0,
    queueLimit: null,
    slots: null,
    connections: 0,
    stats: emptyStats(),
    ...change,
  };
}

export function snapshotOf(stats: BotStats, change: Partial<BotSample['snapshot']> = {}): BotSample['snapshot'] {
  return {
    uptimeMs: 61_500,
    running: 2,
    queued: 3,
    queueLimit: null,
    slots: null,
    connections: 4,
    breaker: 'closed',
    stats,
    alerts: [],
    ...change,
  };
}
