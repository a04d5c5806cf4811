/** The log read as a conversation: pages for readers, turns for the prompt. */
import type { LogRecord } from '../protocol/records.ts';
import { messageOf, revise, type BotMessage, type Message } from '../protocol/transcript.ts';
import type { SessionLog } from './session-log.ts';

/** Characters in one page: what crosses from object to Worker at once is bounded by the platform. */
const MAX_PAGE_LENGTH = 2 * 1024 * 1024;

/** Messages before `before` (absent: the newest), in the order of the log, as later records left them. */
export function messagePage(
  log: SessionLog,
  before: number,
  limit: number,
): { messages: Message[]; nextBefore: number | null } {
  const page = log.conversationBefore(before, limit, MAX_PAGE_LENGTH).toReversed();
  const first = page[0]?.seq ?? 0;
  const hasEarlier = log.conversationBefore(first, 1, MAX_PAGE_LENGTH).length > 0;
  return { messages: revised(log, page), nextBefore: hasEarlier ? first : null };
}

/** A past turn as the model should see it. `bot` is empty where no text came of it. */
export interface PastTurn {
  turn: number;
  user: string;
  bot: string;
  /** Noted by who makes prompts of it. */
  tokens?: number;
}

/** Records and characters read at once while looking back for the prompt. */
const LOOK_BACK_RECORDS = 64;
const LOOK_BACK_LENGTH = 512 * 1024;

/**
 * Turns that ended before now, newest first, without `turn` itself, in the order in which they were
 * answered. Lazy: reads no further back than the caller goes.
 */
export function* pastTurns(log: SessionLog, turn: number): Generator<PastTurn> {
  const seen = new Set([turn]);
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const records = log.conversationBefore(before, LOOK_BACK_RECORDS, LOOK_BACK_LENGTH);
    const outcomes = records.map(messageOf).filter((message): message is BotMessage => message?.role === 'bot');
    const texts = textsOf(log, records, outcomes);
    for (const outcome of outcomes) {
      // Newest first: an outcome of a turn already seen is a superseded one.
      if (seen.has(outcome.turn)) continue;
      seen.add(outcome.turn);
      const user = texts.get(outcome.turn);
      if (user !== undefined) yield { turn: outcome.turn, user, bot: outcome.text };
    }
    const last = records.at(-1);
    if (!last) return;
    before = last.seq;
  }
}

/** What a person asked in `turn`, as edited last; null where there is no such message. */
export function questionOf(log: SessionLog, turn: number): string | null {
  const record = log.record(turn);
  if (record?.kind !== 'message') return null;
  return revised(log, [record])[0]?.text ?? null;
}

/** The questions of the given outcomes; most stand in the same stretch of the log, the others are looked up. */
function textsOf(log: SessionLog, records: readonly LogRecord[], outcomes: readonly BotMessage[]): Map<number, string> {
  const bySeq = new Map(records.map((record) => [record.seq, record]));
  const questions: LogRecord[] = [];
  for (const { turn } of outcomes) {
    const question = bySeq.get(turn) ?? log.record(turn);
    if (question?.kind === 'message') questions.push(question);
  }
  return new Map(revised(log, questions).map((message) => [message.turn, message.text]));
}

function revised(log: SessionLog, records: readonly LogRecord[]): Message[] {
  const messages = records.map(messageOf).filter((message) => message !== null);
  const changes = log.revisionsOf([...new Set(messages.map((message) => message.turn))]);
  return messages.map((message) =>
    changes.reduce((current, change) => (change.seq > current.seq ? revise(current, change) : current), message),
  );
}
