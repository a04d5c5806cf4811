/** A bot as its row in D1 tells, read with the care due to JSON that another version may have written. */
import * as z from 'zod/mini';
import { BUCKET_BOUNDS_MS } from './histogram.ts';

export const count = z.number().check(z.minimum(0));
const histogram = z.object({
  // With other bounds the buckets would mean other times.
  counts: z.array(count).check(z.length(BUCKET_BOUNDS_MS.length + 1)),
  sumMs: count,
});

/** A bot's counts as they are stored, failures apart: who reads them decides which codes it knows. */
export const storedStats = {
  replies: count,
  stopped: count,
  promptTokens: count,
  answerTokens: count,
  firstToken: histogram,
  total: histogram,
  overhead: histogram,
  waited: histogram,
  restarts: count,
  silentCloses: count,
  rowsWritten: count,
  undeliveredMs: count,
  breakerOpened: count,
};

const snapshot = z.object({
  uptimeMs: count,
  running: count,
  queued: count,
  queueLimit: z.nullable(count),
  slots: z.nullable(count),
  connections: count,
  breaker: z.enum(['closed', 'open', 'half-open']),
  stats: z.object({ ...storedStats, failed: z.record(z.string(), count) }),
  alerts: z.array(z.object({ rule: z.string(), severity: z.string() })),
});

/** The part of a BotStatus that is exported. */
export type BotSnapshot = z.infer<typeof snapshot>;

export interface BotSample {
  id: string;
  model: string;
  /** BotState. */
  state: string;
  /** When the bot wrote this, ms since 1970. */
  updatedAt: number;
  snapshot: BotSnapshot;
}

/** The status of a bot's row; null where it cannot be read. */
export function readSnapshot(json: string): BotSnapshot | null {
  try {
    const result = snapshot.safeParse(JSON.parse(json));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
