/** What a client may say. Strict: a field that is not named here is refused, never ignored. */
import * as z from 'zod/mini';
import { attempt, messageId, offset, priority, seq, seqOrZero } from './values.ts';

/**
 * The first frame on every socket. `seq` is the last record the client holds (absent: none, send
 * the newest page); `turn`, `attempt`, `offset` say how far it has read a running answer.
 */
const hello = z.strictObject({
  type: z.literal('hello'),
  protocol: z.int(),
  seq: z.optional(seqOrZero),
  turn: z.optional(seq),
  attempt: z.optional(attempt),
  offset: z.optional(offset),
  thinkingOffset: z.optional(offset),
});
/** A message. Acknowledged when durable; the same id and text again gives the same acknowledgement. */
const send = z.strictObject({
  type: z.literal('send'),
  id: messageId,
  text: z.string(),
  priority: z.optional(priority),
});
/** Another text for a message that still waits. */
const edit = z.strictObject({ type: z.literal('edit'), id: messageId, text: z.string() });
/** Withdraws a message that still waits. */
const cancel = z.strictObject({ type: z.literal('cancel'), id: messageId });
/** Ends the running answer; what has come of it stays. */
const stop = z.strictObject({ type: z.literal('stop'), turn: seq });
/** Asks for another answer to the last turn. `baseSeq` is the client's last record: a stale tab is refused. */
const regenerate = z.strictObject({ type: z.literal('regenerate'), turn: seq, baseSeq: seq });
/** Says that this many more bytes of server frames were read. */
const credit = z.strictObject({ type: z.literal('credit'), bytes: z.int().check(z.minimum(1)) });
/** The person is typing; told to the session's other tabs, never stored. */
const typing = z.strictObject({ type: z.literal('typing') });
const ping = z.strictObject({ type: z.literal('ping') });

export const clientFrame = z.discriminatedUnion('type', [
  hello,
  send,
  edit,
  cancel,
  stop,
  regenerate,
  credit,
  typing,
  ping,
]);
export type ClientFrame = z.infer<typeof clientFrame>;
export type ClientFrameOf<T extends ClientFrame['type']> = Extract<ClientFrame, { type: T }>;
