/**
 * The durable log of a session: numbered records, written once, never rewritten. What a client
 * sees as `event` frames, what the session's state is folded from, what flows to D1: all these.
 */
import * as z from 'zod/mini';
import { TURN_ERRORS } from './codes.ts';
import { answeredBy, attempt, botRef, folder, messageId, priority, seq, timestampMs, title, usage } from './values.ts';

/** The session came into being. Always the first record, and only the first. */
const created = z.object({ kind: z.literal('created'), bot: botRef, title });
/** A person's message was accepted. Its `seq` names its turn. */
const message = z.object({ kind: z.literal('message'), id: messageId, text: z.string(), priority });
/** A message that was still waiting got another text. */
const edited = z.object({ kind: z.literal('edited'), turn: seq, text: z.string() });
/** A message that was still waiting was withdrawn. Ends its turn. */
const cancelled = z.object({ kind: z.literal('cancelled'), turn: seq });
/** The process ended in the middle of an attempt; the turn is tried again under this number. */
const restarted = z.object({ kind: z.literal('restarted'), turn: seq, attempt });
/** An ended turn is to be answered once more; its last outcome is superseded. */
const regenerated = z.object({ kind: z.literal('regenerated'), turn: seq, attempt });

const outcome = { turn: seq, attempt, text: z.string(), thinking: z.optional(z.string()), by: z.optional(answeredBy) };
/** The answer, whole. Ends its turn. `finish: "length"` says that it was cut. */
const reply = z.object({
  kind: z.literal('reply'),
  ...outcome,
  model: z.string(),
  finish: z.enum(['stop', 'length']),
  usage,
});
/** A person stopped the answer; `text` is what had come until then. Ends its turn. */
const stopped = z.object({ kind: z.literal('stopped'), ...outcome });
/** No answer; `text` is what had come until then. Ends its turn. */
const failed = z.object({ kind: z.literal('failed'), ...outcome, code: z.enum(TURN_ERRORS), message: z.string() });
/** The session's own settings changed; only what is named. */
const updated = z.object({
  kind: z.literal('updated'),
  title: z.optional(title),
  bot: z.optional(botRef),
  archived: z.optional(z.boolean()),
  folder: z.optional(folder),
});

const bodies = [created, message, edited, cancelled, restarted, regenerated, reply, stopped, failed, updated] as const;

/** What a record says, without its place in the log. */
export const recordBody = z.discriminatedUnion('kind', bodies);
export type RecordBody = z.infer<typeof recordBody>;
export type RecordKind = RecordBody['kind'];
export type Body<K extends RecordKind> = Extract<RecordBody, { kind: K }>;

/** A record in its place: `seq` counts from 1 without gaps, `at` is the time of acceptance in ms. */
export type LogRecord = RecordBody & { seq: number; at: number };

const placed = { type: z.literal('event'), seq, at: timestampMs };
/** The same records as they travel to clients: `{type: "event", seq, at, kind, ...}`. */
export const eventFrame = z.discriminatedUnion('kind', [
  z.extend(created, placed),
  z.extend(message, placed),
  z.extend(edited, placed),
  z.extend(cancelled, placed),
  z.extend(restarted, placed),
  z.extend(regenerated, placed),
  z.extend(reply, placed),
  z.extend(stopped, placed),
  z.extend(failed, placed),
  z.extend(updated, placed),
]);
export type EventFrame = z.infer<typeof eventFrame>;
