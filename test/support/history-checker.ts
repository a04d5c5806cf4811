/**
 * Holds recorded histories of one session against SPEC.md: what every client sent and was told,
 * the log at the end, the rows in D1. Pure; returns what is wrong, by the number of the rule.
 * Made for any source of histories: crash tests, load, drills.
 */
import { isDeepStrictEqual } from 'node:util';
import type { LogRecord } from '../../src/protocol/records.ts';
import type { Message } from '../../src/protocol/transcript.ts';
import { checkConnection, type AnswerReader } from './connection-checker.ts';
import { expectedRows, LogModel, type HistoryRow, type Report, type Violation } from './history-model.ts';
import type { ClientRecording } from './recording.ts';

export type { Violation };

/** What a client shows when nothing is under way any more. */
export interface ViewAtRest {
  name: string;
  messages: readonly Message[];
  /** Null: `messages` reaches back to the beginning. */
  olderBefore: number | null;
}

export interface SessionHistory {
  session: string;
  /** The whole log at the end, read from the object. */
  log: readonly LogRecord[];
  clients: readonly ClientRecording[];
  /** Messages acknowledged otherwise, over HTTP. */
  acknowledged?: readonly { id: string; seq: number; text: string }[];
  /** Nothing was under way any more when log, rows and views were read. */
  atRest: boolean;
  /** The session's rows in D1, by `seq`; null where they were not read. */
  rows: readonly HistoryRow[] | null;
  /** The messages as the HTTP pages give them; null where they were not read. */
  pages: readonly Message[] | null;
  views?: readonly ViewAtRest[];
}

export function checkHistory(history: SessionHistory): Violation[] {
  const violations: Violation[] = [];
  const report: Report = (rule, detail) => void violations.push({ rule, detail: `${history.session}: ${detail}` });
  const model = checkLog(history, report);
  checkAcknowledged(history, report);
  for (const client of history.clients) {
    // How far it has read the running answer outlives its connections.
    let reader: AnswerReader | null = null;
    for (const [index, connection] of client.connections.entries()) {
      const name = `${client.name}#${index}`;
      reader = checkConnection({ name, connection, log: history.log, outcomes: model.outcomes, reader }, report);
    }
  }
  const rows = expectedRows(history.log);
  if (history.rows) checkRows(rows, history.rows, report);
  if (history.pages) checkShown('HTTP pages', rows, history.pages, report);
  for (const view of history.views ?? []) {
    const from = view.olderBefore ?? 0;
    const shown = rows.filter((row) => row.seq >= from);
    checkShown(`the view of ${view.name}`, shown, view.messages, report);
  }
  return violations;
}

function checkLog({ log, atRest }: SessionHistory, report: Report): LogModel {
  const model = new LogModel(report);
  for (const [index, record] of log.entries()) {
    if (record.seq !== index + 1) report('S5', `record ${record.seq} stands in place ${index + 1} of the log`);
    if (index === 0 && record.kind !== 'created') report('S5', `the log begins with ${record.kind}`);
    model.apply(record);
  }
  if (!atRest) return model;
  for (const { turn, id, state } of model.turns.values()) {
    if (state !== 'ended') report('S8', `turn ${turn} (${id}) has not ended`);
  }
  return model;
}

interface Acknowledged {
  id: string;
  seq: number;
  text: string | undefined;
  by: string;
}

/** S1, S2: what was acknowledged is in the log, in the place that was named, as it was first sent. */
function checkAcknowledged({ log, clients, acknowledged = [] }: SessionHistory, report: Report): void {
  const all: Acknowledged[] = acknowledged.map((message) => ({ ...message, by: 'HTTP' }));
  for (const client of clients) all.push(...acknowledgedOn(client));
  const places = new Map<string, number>();
  for (const { id, seq, text, by } of all) {
    const record = log[seq - 1];
    if (record?.kind !== 'message' || record.id !== id) {
      report('S1', `${by}: ${id} was acknowledged as record ${seq}, which is ${record?.kind ?? 'not there'}`);
      continue;
    }
    if (text !== undefined && record.text !== text) report('S2', `${by}: ${id} was acknowledged with another text`);
    const before = places.get(id) ?? seq;
    if (before !== seq) report('S2', `${by}: ${id} was acknowledged as record ${seq} and as ${before}`);
    places.set(id, seq);
  }
}

function acknowledgedOn(client: ClientRecording): Acknowledged[] {
  const found: Acknowledged[] = [];
  // The text as last sent by this client: an edit in its outbox may have changed what was sent first.
  const sent = new Map<string, string>();
  for (const { from, frame } of client.connections.flatMap(({ frames }) => frames)) {
    if (from === 'client' && frame.type === 'send') sent.set(frame.id, frame.text);
    if (from !== 'server' || frame.type !== 'ack') continue;
    found.push({ id: frame.id, seq: frame.seq, text: sent.get(frame.id), by: client.name });
  }
  return found;
}

/** S19: D1 has exactly what the log says. */
function checkRows(expected: readonly HistoryRow[], rows: readonly HistoryRow[], report: Report): void {
  const found = new Map<number, HistoryRow>();
  for (const row of rows) {
    if (found.has(row.seq)) report('S19', `D1 has ${row.seq} twice`);
    found.set(row.seq, row);
  }
  for (const row of expected) {
    const stored = found.get(row.seq);
    found.delete(row.seq);
    if (!stored) report('S19', `D1 lacks ${row.seq} (${row.role})`);
    else if (!isDeepStrictEqual(stored, row)) report('S19', `D1 has ${row.seq} otherwise: ${difference(row, stored)}`);
  }
  for (const seq of found.keys()) report('S19', `D1 has ${seq}, of which the log knows nothing`);
}

function difference(expected: HistoryRow, found: HistoryRow): string {
  const other = new Map<string, unknown>(Object.entries(found));
  const names = Object.entries(expected).filter(([name, value]) => !isDeepStrictEqual(other.get(name), value));
  return names
    .map(([name, value]) => `${name} ${JSON.stringify(other.get(name))}, not ${JSON.stringify(value)}`)
    .join();
}

/** S15: at rest what is shown is the log, all of it, in its order. */
function checkShown(where: string, rows: readonly HistoryRow[], shown: readonly Message[], report: Report): void {
  const known = rows.map(({ seq, turn, role, status, text, at }) => ({ seq, turn, role, status, text, at }));
  const seen = shown.map(({ seq, turn, role, status, text, at }) => ({ seq, turn, role, status, text, at }));
  if (isDeepStrictEqual(known, seen)) return;
  const index = known.findIndex((row, place) => !isDeepStrictEqual(row, seen[place]));
  const at = index === -1 ? known.length : index;
  const what = `${JSON.stringify(seen[at] ?? 'nothing')}, not ${JSON.stringify(known[at] ?? 'nothing')}`;
  report('S15', `${where} differ from the log at ${at}: ${what}`);
}
