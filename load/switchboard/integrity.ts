/** Counts lost, doubled, reordered and altered messages from recorded histories, and holds these against SPEC.md. */
import { checkHistory, type SessionHistory } from '../../test/support/history-checker.ts';
import { expectedRows } from '../../test/support/history-model.ts';
import type { ClientRecording } from '../../test/support/recording.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { addCounts, countRecorded, NO_COUNTS, type Counts, type Told } from '../check.ts';
import type { Exchange } from '../driver.ts';
import type { FrameTape } from '../frame-tape.ts';
import type { CheckRequest, Integrity } from '../user.ts';
import { StoredSessions } from './stored.ts';

const MAX_SAMPLES = 10;

/** @param sessionOf each recorded user's session */
export function checkTape(
  tape: FrameTape,
  sessionOf: ReadonlyMap<number, string>,
  { stored, atRest }: CheckRequest,
): Integrity {
  const kept = stored === null ? null : new StoredSessions(stored);
  const integrity: Integrity = { counts: NO_COUNTS, histories: 0, violations: 0, samples: [], complete: !tape.isFull };
  const users = Map.groupBy(tape.users(), (user) => sessionOf.get(user) ?? '');
  try {
    for (const [session, own] of users) {
      const clients = own.map((user) => tape.recording(user));
      const log = kept ? (kept.log(session) ?? []) : shownLog(clients);
      const rows = kept?.rows(session) ?? null;
      const history = { session, log, clients, atRest, rows: atRest ? rows : null, pages: null };
      integrity.counts = addCounts(integrity.counts, countHistory(history));
      integrity.histories += 1;
      const violations = checkHistory(history);
      if (violations.length > 0) integrity.violations += 1;
      for (const { rule, detail } of violations.slice(0, MAX_SAMPLES - integrity.samples.length)) {
        integrity.samples.push(`${rule} ${detail}`);
      }
    }
  } finally {
    kept?.close();
  }
  return integrity;
}

/** What became of every message that the session's clients have sent. */
export function countHistory({ log, clients, atRest }: SessionHistory): Counts {
  const told = toldBy(log);
  if (clients.length === 1 && clients[0]) return countRecorded(exchangesOf(clients[0]), told, atRest);
  // The order between two senders is nobody's promise: each is held against its own messages.
  const all = clients.map(exchangesOf);
  const sent = new Set(all.flatMap((exchanges) => exchanges.map(({ id }) => id)));
  const foreign = told.filter(({ role, id }) => role === 'user' && !sent.has(id)).length;
  return all
    .map((exchanges) => {
      const ids = new Set(exchanges.map(({ id }) => id));
      const turns = new Set(told.filter(({ role, id }) => role === 'user' && ids.has(id)).map(({ turn }) => turn));
      return countRecorded(
        exchanges,
        told.filter(({ turn }) => turns.has(turn)),
        atRest,
      );
    })
    .reduce(addCounts, { ...NO_COUNTS, doubled: foreign });
}

/** Messages and answers as the log has them, worked out by the checker's own rules. */
function toldBy(log: readonly LogRecord[]): Told[] {
  return expectedRows(log).map(({ seq, turn, role, clientId, attempt, text, status }) => {
    return { seq, turn, role, id: clientId ?? `${turn}.${attempt}`, text, status };
  });
}

/** The messages that a client has sent, in order, and what it was told of each. */
function exchangesOf({ connections }: ClientRecording): Exchange[] {
  const exchanges = new Map<string, Exchange>();
  const turns = new Map<number, Exchange>();
  for (const { from, frame } of connections.flatMap(({ frames }) => frames)) {
    if (from === 'client') {
      if (frame.type !== 'send' || exchanges.has(frame.id)) continue;
      const { id, text } = frame;
      exchanges.set(id, { id, text, ackMs: null, firstMs: null, replyMs: null, reply: null, problem: null });
    } else if (frame.type === 'ack') {
      const exchange = exchanges.get(frame.id);
      // Times were measured elsewhere: here it only counts that it was.
      if (exchange) exchange.ackMs ??= 0;
      if (exchange) turns.set(frame.seq, exchange);
    } else if (frame.type === 'event') {
      noteRecord(frame, exchanges, turns);
    }
  }
  return [...exchanges.values()];
}

function noteRecord(record: LogRecord, exchanges: ReadonlyMap<string, Exchange>, turns: Map<number, Exchange>): void {
  if (record.kind === 'message') {
    const exchange = exchanges.get(record.id);
    if (exchange) turns.set(record.seq, exchange);
  } else if (record.kind === 'reply') {
    const exchange = turns.get(record.turn);
    if (exchange) exchange.reply = record.text;
  } else if (record.kind === 'failed' || record.kind === 'stopped') {
    const exchange = turns.get(record.turn);
    if (exchange) exchange.problem = record.kind;
  }
}

/** Without the server's files: the log as the clients were shown it, each record as first seen. */
function shownLog(clients: readonly ClientRecording[]): LogRecord[] {
  const records = new Map<number, LogRecord>();
  for (const { from, frame } of clients.flatMap(({ connections }) => connections).flatMap(({ frames }) => frames)) {
    if (from !== 'server' || frame.type !== 'event') continue;
    const { type: _, ...record } = frame;
    if (!records.has(record.seq)) records.set(record.seq, record);
  }
  return [...records.values()].sort((a, b) => a.seq - b.seq);
}
