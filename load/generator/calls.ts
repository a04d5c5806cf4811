/** What a scenario asks of a generator's process. */
import * as z from 'zod/mini';
import { nothing, numbers } from '../lab/rpc.ts';

const counts = z.object({
  sent: z.int(),
  acknowledged: z.int(),
  answered: z.int(),
  lost: z.int(),
  doubled: z.int(),
  outOfOrder: z.int(),
  altered: z.int(),
});

const integrity = z.object({
  counts,
  histories: z.int(),
  violations: z.int(),
  samples: z.array(z.string()),
  complete: z.boolean(),
});

const columns = z.object({
  user: numbers,
  number: numbers,
  intendedAt: numbers,
  sentAt: numbers,
  ackAt: numbers,
  firstAt: numbers,
  replyAt: numbers,
  failedAt: numbers,
});

/** Users by number, the first included, the last not. */
const range = { first: z.int(), end: z.int() };

export const GENERATOR_CALLS = {
  /** Loads the module that makes users. Once, before anything else. */
  use: {
    params: z.object({
      module: z.string(),
      url: z.string(),
      options: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
    result: nothing,
  },
  connect: {
    params: z.object({ ...range, atOnce: z.int() }),
    result: z.object({ connected: z.int(), failed: z.int(), problem: z.nullable(z.string()), ms: numbers }),
  },
  talk: {
    params: z.object({
      ...range,
      startAt: z.number(),
      durationMs: z.number(),
      intervalMs: z.number(),
      seed: z.int(),
      drainMs: z.number(),
      directive: z.string(),
    }),
    result: z.object({ columns, problems: z.record(z.string(), z.int()) }),
  },
  state: {
    params: nothing,
    result: z.object({
      users: z.int(),
      live: z.int(),
      connects: z.int(),
      frames: z.int(),
      characters: z.int(),
      pongs: z.int(),
    }),
  },
  /** The connections that were lost since this was asked last; `liveAt` NaN: not live again so far. */
  outages: { params: nothing, result: z.object({ user: numbers, lostAt: numbers, liveAt: numbers }) },
  /** Stops reading from these users' connections, or goes on. */
  setReading: { params: z.object({ ...range, isReading: z.boolean() }), result: nothing },
  /** How many messages the first `sessions` users' clients and the server's HTTP pages tell differently. */
  compare: { params: z.object({ sessions: z.int() }), result: z.object({ different: z.int() }) },
  check: { params: z.object({ stored: z.nullable(z.string()), atRest: z.boolean() }), result: z.nullable(integrity) },
  close: { params: z.object(range), result: nothing },
} as const;

export const progressEvent = z.object({
  sent: z.int(),
  acknowledged: z.int(),
  answered: z.int(),
  failed: z.int(),
  worstLateMs: z.number(),
});
