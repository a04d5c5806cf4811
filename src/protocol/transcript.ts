/**
 * What the log means to a reader: records folded into the messages of a conversation. Pages,
 * exports and the D1 rows all show these.
 */
import type { TurnErrorCode } from './codes.ts';
import type { Body, LogRecord } from './records.ts';
import type { AnsweredBy, Usage } from './values.ts';

/** `queued` and `answering` are seen live only; at rest a person's message is `accepted` or `cancelled`. */
export type UserStatus = 'queued' | 'answering' | 'accepted' | 'cancelled';
/** `superseded`: another answer to the same turn was asked for later. */
export type BotStatus = 'complete' | 'stopped' | 'failed' | 'superseded';

interface Common {
  seq: number;
  /** The turn it belongs to: the `seq` of the person's message. */
  turn: number;
  /** The client's id for a person's message; `<turn>.<attempt>` for an answer. */
  id: string;
  text: string;
  /** Milliseconds since 1970. */
  at: number;
}

export interface UserMessage extends Common {
  role: 'user';
  status: UserStatus;
  priority: number;
}

export interface BotMessage extends Common {
  role: 'bot';
  status: BotStatus;
  attempt: number;
  /** Who answered; absent in records from before bots had revisions, and where no bot came to it. */
  by?: AnsweredBy;
  thinking?: string;
  model?: string;
  finish?: 'stop' | 'length';
  usage?: Usage;
  error?: { code: TurnErrorCode; message: string };
}

export type Message = UserMessage | BotMessage;

/** The message that a record brings into being, or null where it only changes others. */
export function messageOf(record: LogRecord): Message | null {
  if (record.kind === 'message') {
    const { seq, id, text, at, priority } = record;
    return { role: 'user', seq, turn: seq, id, text, at, priority, status: 'accepted' };
  }
  if (record.kind !== 'reply' && record.kind !== 'stopped' && record.kind !== 'failed') return null;
  const { seq, turn, attempt, text, at } = record;
  const by = record.by === undefined ? {} : { by: record.by };
  const common = { role: 'bot' as const, seq, turn, attempt, id: `${turn}.${attempt}`, text, at, ...by };
  const thinking = record.thinking === undefined ? {} : { thinking: record.thinking };
  switch (record.kind) {
    case 'reply': {
      const { model, finish, usage } = record;
      return { ...common, ...thinking, status: 'complete', model, finish, usage };
    }
    case 'stopped':
      return { ...common, ...thinking, status: 'stopped' };
    case 'failed':
      return { ...common, ...thinking, status: 'failed', error: { code: record.code, message: record.message } };
  }
}

export type Reviser = Extract<LogRecord, Body<'edited' | 'cancelled' | 'regenerated'>>;

/** Whether a record changes messages before it. Rare: an ordinary turn only adds. */
export function isReviser(record: LogRecord): record is Reviser {
  return record.kind === 'edited' || record.kind === 'cancelled' || record.kind === 'regenerated';
}

/** How a record changes a message that came before it in the log; the message itself where it does not. */
export function revise(message: Message, record: LogRecord): Message {
  if (!('turn' in record) || record.turn !== message.turn) return message;
  if (message.role === 'user') {
    if (record.kind === 'edited') return { ...message, text: record.text };
    if (record.kind === 'cancelled') return { ...message, status: 'cancelled' };
  } else if (record.kind === 'regenerated') {
    return { ...message, status: 'superseded' };
  }
  return message;
}
