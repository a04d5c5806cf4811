/** What the rules look at: a bot at one moment, and what its counters did within a window. */
import {
  MIN_ERRORS,
  MIN_SILENT_CLOSES,
  MIN_TIMES,
  MIN_TURNS,
  PLANNED_CONNECTIONS,
  type Measure,
} from './alert-rules.ts';
import type { BotStats } from './bot-stats.ts';
import { countOf, percentile, type Histogram } from './histogram.ts';

/** Failures that an operator wanted: they stopped the bot, or gave it a budget. */
export const WANTED_FAILURES: readonly string[] = ['bot_stopped', 'budget_exhausted'];

/** The part of a bot's status that rules look at; BotStatus fits. */
export interface Measured {
  state: 'stopped' | 'starting' | 'running' | 'paused' | 'degraded';
  running: number;
  queued: number;
  /** Places in the line; null without one. */
  queueLimit: number | null;
  slots: number | null;
  connections: number;
  stats: BotStats;
}

/** Counters at one moment, as the window keeps them. */
export interface Counters {
  /** Ended turns, however they ended. */
  turns: number;
  errors: number;
  restarts: number;
  silentCloses: number;
  overhead: Histogram;
}

export function countersOf({ replies, stopped, failed, restarts, silentCloses, overhead }: BotStats): Counters {
  let failures = 0;
  let wanted = 0;
  for (const [code, count = 0] of Object.entries(failed)) {
    failures += count;
    if (WANTED_FAILURES.includes(code)) wanted += count;
  }
  return {
    turns: replies + stopped + failures,
    errors: failures - wanted,
    restarts,
    silentCloses,
    overhead: { counts: [...overhead.counts], sumMs: overhead.sumMs },
  };
}

/**
 * What was counted between two moments. Counters that went back (the object lost what it had not
 * saved) count as not having moved: their whole past is no news.
 */
export function increase(from: Counters, to: Counters): Counters {
  const grown = (before: number, after: number): number => Math.max(0, after - before);
  return {
    turns: grown(from.turns, to.turns),
    errors: grown(from.errors, to.errors),
    restarts: grown(from.restarts, to.restarts),
    silentCloses: grown(from.silentCloses, to.silentCloses),
    overhead: {
      counts: to.overhead.counts.map((count, bucket) => grown(from.overhead.counts[bucket] ?? 0, count)),
      sumMs: grown(from.overhead.sumMs, to.overhead.sumMs),
    },
  };
}

/** The measure's value; null where there is too little to tell, which breaks no rule. */
export function valueOf(measure: Measure, now: Measured, during: Counters): number | null {
  switch (measure) {
    case 'overhead_p95_ms':
      return countOf(during.overhead) < MIN_TIMES ? null : percentile(during.overhead, 0.95);
    case 'error_share':
      return during.turns < MIN_TURNS || during.errors < MIN_ERRORS ? null : during.errors / during.turns;
    case 'line_share':
      return now.queueLimit === null || now.queueLimit === 0 ? null : now.queued / now.queueLimit;
    case 'line_stuck':
      // Stopped, paused and degraded bots let turns wait on purpose.
      return now.state === 'running' && now.queued > 0 && now.running === 0 ? 1 : 0;
    case 'turn_restarts':
      return during.restarts;
    case 'silent_close_share':
      if (during.silentCloses < MIN_SILENT_CLOSES) return null;
      return during.silentCloses / (during.silentCloses + now.connections);
    case 'slots_share':
      return now.slots === null ? null : now.running / now.slots;
    case 'connections_share':
      return now.connections / PLANNED_CONNECTIONS;
    case 'endpoint_down':
      return now.state === 'degraded' ? 1 : 0;
    case 'outbox_lag_ms':
      return now.stats.undeliveredMs;
  }
}
