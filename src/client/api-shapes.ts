/** The answers of the HTTP API as a client reads them: fields that it does not know are welcome. */
import * as z from 'zod/mini';
import { TURN_ERRORS } from '../protocol/codes.ts';
import { answeredBy, attempt, botRef, folder, priority, seq, timestampMs, title, usage } from '../protocol/values.ts';

const cursor = z.nullable(z.string());

/** What making and changing a session answer with. `bot` is the id of `botRef`. */
export const session = z.object({
  id: z.string(),
  bot: z.string(),
  botRef,
  title,
  createdAt: timestampMs,
});
export type ApiSession = z.infer<typeof session>;

const sessionSummary = z.extend(session, {
  archived: z.boolean(),
  folder,
  lastAt: timestampMs,
  /** The beginning of the newest message; null while there is none. */
  preview: z.nullable(z.string()),
});

export const sessionList = z.object({ sessions: z.array(sessionSummary), nextCursor: cursor });
export type SessionList = z.infer<typeof sessionList>;

const common = { seq, turn: seq, id: z.string(), text: z.string(), at: timestampMs };
const userMessage = z.object({
  role: z.literal('user'),
  ...common,
  status: z.enum(['queued', 'answering', 'accepted', 'cancelled']),
  priority,
});
const botMessage = z.object({
  role: z.literal('bot'),
  ...common,
  status: z.enum(['complete', 'stopped', 'failed', 'superseded']),
  attempt,
  by: z.exactOptional(answeredBy),
  thinking: z.exactOptional(z.string()),
  model: z.exactOptional(z.string()),
  finish: z.exactOptional(z.enum(['stop', 'length'])),
  usage: z.exactOptional(usage),
  error: z.exactOptional(z.object({ code: z.enum(TURN_ERRORS), message: z.string() })),
});
export const message = z.discriminatedUnion('role', [userMessage, botMessage]);

/** `nextCursor` is the next `before`: the messages from there on are held. */
export const messagesPage = z.object({
  messages: z.array(message),
  nextCursor: z.nullable(z.coerce.number().check(z.int(), z.minimum(1))),
});
export type MessagesPage = z.infer<typeof messagesPage>;

export const bot = z.object({
  id: z.string(),
  name: z.string(),
  model: z.string(),
  /** `stopped`, `starting`, `running`, `paused`, `degraded`; a newer server may know others. */
  state: z.string(),
  /** Whether the endpoint has the model just now; null where nobody can tell. */
  available: z.exactOptional(z.nullable(z.boolean())),
});
export type ApiBot = z.infer<typeof bot>;

/** What everybody may know of a bot's work. Operators are told more. */
export const botStatus = z.object({
  id: z.string(),
  name: z.string(),
  model: z.string(),
  state: z.string(),
  /** What made the state what it is, for people. */
  because: z.exactOptional(z.nullable(z.string())),
  /** Turns being answered and turns waiting just now. */
  running: z.exactOptional(z.int()),
  queued: z.exactOptional(z.int()),
});
export type ApiBotStatus = z.infer<typeof botStatus>;

export const botList = z.object({
  bots: z.array(bot),
  nextCursor: cursor,
  /** Where the models are: what the page must say about who answers. */
  source: z.exactOptional(z.object({ kind: z.enum(['ollama', 'simulator']), url: z.exactOptional(z.string()) })),
});
export type BotList = z.infer<typeof botList>;

/** A message as search shows it; `cut` where it is longer than that. */
const preview = z.object({
  seq,
  turn: seq,
  id: z.string(),
  role: z.enum(['user', 'bot']),
  text: z.string(),
  at: timestampMs,
  cut: z.exactOptional(z.boolean()),
});
const excerpt = z.object({
  text: z.string(),
  /** What was found: `[start, end)` in `text`, in UTF-16 code units, in order. */
  matches: z.array(z.tuple([z.int(), z.int()])),
  cutStart: z.boolean(),
  cutEnd: z.boolean(),
});
const searchHit = z.object({
  session: z.object({ id: z.string(), title, bot: botRef }),
  message: preview,
  before: z.array(preview),
  after: z.array(preview),
  excerpt,
});

export const searchResult = z.object({ hits: z.array(searchHit), nextCursor: cursor });
export type SearchResult = z.infer<typeof searchResult>;

export const problem = z.object({
  code: z.string(),
  detail: z.optional(z.string()),
  title: z.optional(z.string()),
  retryAfterMs: z.optional(z.number()),
});
