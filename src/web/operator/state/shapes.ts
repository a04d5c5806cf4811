/** What the operator's API answers, read leniently: fields that the console does not know are welcome. */
import * as z from 'zod/mini';
import { TURN_ERRORS } from '../../../protocol/codes.ts';
import { botSpec } from '../../../bots/spec.ts';

const cursor = z.nullable(z.string());
const counter = z.number();
const state = z.enum(['stopped', 'starting', 'running', 'paused', 'degraded']);

const histogram = z.object({ counts: z.array(counter), sumMs: z.number() });

const stats = z.object({
  replies: counter,
  stopped: counter,
  /** By code; a newer server may know codes that this page does not. */
  failed: z.record(z.string(), counter),
  promptTokens: counter,
  answerTokens: counter,
  firstToken: histogram,
  total: histogram,
  overhead: histogram,
  waited: histogram,
  restarts: counter,
  silentCloses: counter,
  rowsWritten: counter,
  undeliveredMs: counter,
  breakerOpened: counter,
});
export type Stats = z.infer<typeof stats>;

const alert = z.object({
  rule: z.string(),
  severity: z.enum(['warning', 'critical']),
  bot: z.string(),
  value: z.number(),
  threshold: z.number(),
  startedAt: z.number(),
  resolvedAt: z.nullable(z.number()),
});
export type Alert = z.infer<typeof alert>;

const failure = z.object({
  code: z.union([z.enum(TURN_ERRORS), z.string()]),
  message: z.string(),
  at: z.number(),
  session: z.string(),
  turn: z.number(),
});
export type Failure = z.infer<typeof failure>;

const statusFields = {
  because: z.nullable(z.string()),
  revision: z.number(),
  uptimeMs: z.number(),
  running: counter,
  queued: counter,
  slots: z.nullable(z.number()),
  /** Turns that may wait; null where nothing bounds them. */
  queueLimit: z.optional(z.nullable(z.number())),
  connections: counter,
  breaker: z.enum(['closed', 'open', 'half-open']),
  lastError: z.nullable(failure),
  stats,
  alerts: z.array(alert),
};
const named = { id: z.string(), name: z.string(), model: z.string(), state };

export const botStatus = z.object({ ...named, ...statusFields });
export type BotStatus = z.infer<typeof botStatus>;

/** `spec` null: configuration defines the bot. */
export const botView = z.object({ ...named, ...statusFields, spec: z.nullable(botSpec) });
export type BotView = z.infer<typeof botView>;

/** A bot in the list. One that nobody talked to yet has no measurements. */
const botRow = z.extend(z.partial(z.object(statusFields)), {
  ...named,
  /** Whether configuration or the endpoint defines it, and no operator changed that. */
  configured: z.optional(z.boolean()),
});
export type BotRow = z.infer<typeof botRow>;
export const botPage = z.object({ bots: z.array(botRow), nextCursor: cursor, complete: z.optional(z.boolean()) });

export const alertPage = z.object({ alerts: z.array(alert), nextCursor: z.optional(cursor) });
export type AlertPage = z.infer<typeof alertPage>;

const auditEntry = z.object({
  bot: z.string(),
  seq: z.number(),
  at: z.number(),
  actor: z.string(),
  action: z.string(),
  detail: z.record(z.string(), z.unknown()),
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditPage = z.object({ entries: z.array(auditEntry), nextCursor: cursor });
export type AuditPage = z.infer<typeof auditPage>;
