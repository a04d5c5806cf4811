/** Reads what is left of a session when a test is over: its log, its pages and its rows in D1. */
import type { D1Database } from '@cloudflare/workers-types';
import { messagesPage } from '../../src/client/api-shapes.ts';
import { eventFrame, type LogRecord } from '../../src/protocol/records.ts';
import type { Message } from '../../src/protocol/transcript.ts';
import { historyRow, SESSION_SPAN, type HistoryRow } from './history-model.ts';
import type { User } from './user.ts';

const PAGE_LIMIT = 200;
const POLL_MS = 50;

/** The whole log, as a reader gets it who has nothing. */
export async function readLog(user: User, session: string): Promise<LogRecord[]> {
  const wire = user.wire(session);
  const { seq } = await wire.hello({ seq: 0 });
  if (seq > 0) await wire.frame('event', (event) => event.seq === seq);
  wire.close();
  await wire.closed;
  return wire
    .events()
    .filter((event) => event.seq <= seq)
    .map((event) => {
      const { type: _, ...record } = eventFrame.parse(event);
      return record;
    });
}

/** All messages as the HTTP pages give them, oldest first. */
export async function readPages(user: User, session: string, limit = PAGE_LIMIT): Promise<Message[]> {
  const messages: Message[] = [];
  let before = '';
  for (;;) {
    const { body } = await user.request(`/api/sessions/${session}/messages?limit=${limit}${before}`);
    const page = messagesPage.parse(body);
    messages.unshift(...page.messages);
    if (page.nextCursor === null) return messages;
    before = `&before=${page.nextCursor}`;
  }
}

/** The session's rows in D1. */
export async function readRows(d1: D1Database, session: string): Promise<HistoryRow[]> {
  const { results } = await d1
    .prepare(
      `SELECT m.id % ${SESSION_SPAN} AS seq, m.turn, m.rev, m.role, m.status, m.at, m.client_id AS clientId, m.priority,
         m.attempt, m.model, m.finish, m.usage, m.error, m.text, m.thinking
       FROM messages m JOIN sessions s ON m.id / ${SESSION_SPAN} = s.num WHERE s.id = ? ORDER BY m.id`,
    )
    .bind(session)
    .all();
  return results.map((result) => historyRow.parse(result));
}

/** Asks again until `holds`; resolves with what was read last, whether or not it holds by then. */
export async function eventually<T>(
  read: () => Promise<T>,
  holds: (value: T) => boolean,
  timeoutMs: number,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() >= until) return value;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
