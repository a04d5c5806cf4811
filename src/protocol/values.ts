/** Values that appear in more than one frame or record. */
import * as z from 'zod/mini';
import { MAX_FOLDER_LENGTH, MAX_ID_LENGTH, MAX_PRIORITY, MAX_TITLE_LENGTH } from './limits.ts';

/** A client's own name for a message: unique in its session for ever, so that sending twice is harmless. */
export const messageId = z.string().check(z.regex(new RegExp(`^[A-Za-z0-9._:-]{1,${MAX_ID_LENGTH}}$`)));
/** Position in a session's log, from 1. A message's own position is also the number of its turn. */
export const seq = z.int().check(z.minimum(1));
/** Position in a log that may still be empty. */
export const seqOrZero = z.int().check(z.minimum(0));
/** Which try at answering a turn this is, from 1. */
export const attempt = z.int().check(z.minimum(1));
/** Offset into an answer, in UTF-16 code units. */
export const offset = z.int().check(z.minimum(0));
export const priority = z.int().check(z.minimum(0), z.maximum(MAX_PRIORITY));
/** Milliseconds since 1970. */
export const timestampMs = z.int().check(z.minimum(0));
export const title = z.string().check(z.maxLength(MAX_TITLE_LENGTH));
export const folder = z.string().check(z.maxLength(MAX_FOLDER_LENGTH));

/** What a session and its readers know of the bot that answers. */
export const botRef = z.object({ id: z.string(), name: z.string(), model: z.string() });
export type BotRef = z.infer<typeof botRef>;

/** Who answered a turn: a message may name another bot than its session's, and a bot changes. */
export const answeredBy = z.object({ id: z.string(), name: z.string(), revision: z.int() });
export type AnsweredBy = z.infer<typeof answeredBy>;

/** The two channels of an answer; each has offsets of its own. */
export const channel = z.enum(['text', 'thinking']);
export type Channel = z.infer<typeof channel>;

/** Tokens and times as the model's endpoint reports them; zeros where it does not. */
export const usage = z.object({
  promptTokens: z.int(),
  answerTokens: z.int(),
  /** Time to the first token and in all, as seen by the session. */
  firstTokenMs: z.number(),
  totalMs: z.number(),
});
export type Usage = z.infer<typeof usage>;
