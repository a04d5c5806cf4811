/** What a server may say. Lenient: a client ignores fields it does not know. */
import * as z from 'zod/mini';
import { REQUEST_ERRORS, type RequestErrorCode } from './codes.ts';
import { eventFrame } from './records.ts';
import { attempt, botRef, channel, messageId, offset, priority, seq, seqOrZero, title } from './values.ts';

/**
 * Why the running turn does not begin yet: others are before it in its bot's line (`place` counts from
 * 1), an operator stopped or paused the bot, its endpoint does not answer, or this minute's turns are used up.
 */
const wait = z.object({ reason: z.enum(['line', 'stopped', 'paused', 'endpoint', 'rate']), place: z.int() });
export type TurnWait = z.infer<typeof wait>;

/** Who is being answered and who waits, in the order in which they will be answered. */
const queueView = {
  running: z.nullable(z.object({ turn: seq, attempt, wait: z.optional(wait) })),
  waiting: z.array(z.object({ turn: seq, id: messageId, priority })),
};
export type QueueView = z.infer<z.ZodMiniObject<typeof queueView>>;

/**
 * Answers `hello`. Records after `from` follow as `event` frames up to `seq`. `reset` tells the
 * client to drop what it holds: it lacks too much, or holds what this log never had.
 */
const welcome = z.object({
  type: z.literal('welcome'),
  protocol: z.int(),
  session: z.string(),
  /** Changes when the session's process was replaced. */
  epoch: z.string(),
  seq: seqOrZero,
  from: seqOrZero,
  reset: z.boolean(),
  bot: botRef,
  title,
  archived: z.boolean(),
  tabs: z.int(),
  queue: z.object(queueView),
  limits: z.object({ maxTextBytes: z.int(), maxFrameBytes: z.int(), maxQueue: z.int(), creditWindowBytes: z.int() }),
});
/** The message is durable. `position` is how many turns are before it, 0 when it is being answered. */
const ack = z.object({ type: z.literal('ack'), id: messageId, seq, position: z.int() });
/** A piece of a running answer: `answer = answer.slice(0, offset) + text`, per turn, attempt and channel. */
const delta = z.object({ type: z.literal('delta'), turn: seq, attempt, offset, text: z.string(), channel });
const queue = z.object({ type: z.literal('queue'), ...queueView });
/** How many tabs are connected; `typing` when one of the others is writing just now. */
const presence = z.object({ type: z.literal('presence'), tabs: z.int(), typing: z.optional(z.boolean()) });
/** Why something was refused. `id` names the message it was about, where there is one. */
const error = z.object({
  type: z.literal('error'),
  code: z.enum(REQUEST_ERRORS),
  message: z.string(),
  retryable: z.boolean(),
  retryAfterMs: z.optional(z.int()),
  id: z.optional(z.string()),
});
const pong = z.object({ type: z.literal('pong') });

export const serverFrame = z.discriminatedUnion('type', [
  welcome,
  ack,
  eventFrame,
  delta,
  queue,
  presence,
  error,
  pong,
]);
export type ServerFrame = z.infer<typeof serverFrame>;
export type ServerFrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

/** A refusal as data; becomes an `error` frame on a socket and problem+json over HTTP. */
export interface WireError {
  code: RequestErrorCode;
  message: string;
  retryable: boolean;
  retryAfterMs?: number;
  id?: string;
}

/** Exact texts, so that the platform can answer a ping without waking the session. */
export const PING_TEXT = '{"type":"ping"}';
export const PONG_TEXT = '{"type":"pong"}';
