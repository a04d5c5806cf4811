/**
 * What a run of log records changes in D1, as data. Pure: the same run gives the same changes,
 * and each change carries the `seq` it comes from, so that the store can let the newer one win.
 */
import type { Body, LogRecord } from '../protocol/records.ts';
import { isReviser, messageOf, revise, type Message, type Reviser } from '../protocol/transcript.ts';
import type { BotRef } from '../protocol/values.ts';

/** A message as a row, and the `seq` of the record that last changed it. */
export interface Stored {
  message: Message;
  rev: number;
}

/** A row that is already there and becomes another. `before` is what it must still be. */
export interface Revision {
  before: Stored;
  after: Stored;
}

export interface Settings {
  seq: number;
  title?: string;
  bot?: BotRef;
  archived?: boolean;
  folder?: string;
}

export interface Projection {
  created: { bot: BotRef; title: string; at: number; seq: number } | null;
  settings: Settings | null;
  inserts: Stored[];
  revisions: Revision[];
}

/**
 * @param records a run of one session's log: in order, without gaps
 * @param stored the rows that the revisers among `records` may be about, as far as they exist
 */
export function project(records: readonly LogRecord[], stored: readonly Stored[]): Projection {
  const before = new Map(stored.map((row) => [row.message.seq, row]));
  const rows = new Map(before);
  let created: Projection['created'] = null;
  let settings: Settings | null = null;
  for (const record of records) {
    if (record.kind === 'created') {
      created = { bot: record.bot, title: record.title, at: record.at, seq: record.seq };
    } else if (record.kind === 'updated') {
      settings = mergeSettings(settings, record);
    } else if (isReviser(record)) {
      reviseRows(rows, record);
    } else {
      const message = messageOf(record);
      // A row that exists has seen this record and perhaps later ones.
      if (message && !rows.has(message.seq)) rows.set(message.seq, { message, rev: message.seq });
    }
  }
  const inserts: Stored[] = [];
  const revisions: Revision[] = [];
  for (const [seq, after] of rows) {
    const was = before.get(seq);
    if (!was) inserts.push(after);
    else if (was !== after) revisions.push({ before: was, after });
  }
  return { created, settings, inserts, revisions };
}

/** Later values over earlier ones, name by name; the newest `seq` stands for them all. */
function mergeSettings(before: Settings | null, record: Extract<LogRecord, Body<'updated'>>): Settings {
  const { seq, title, bot, archived, folder } = record;
  const merged: Settings = { ...before, seq };
  if (title !== undefined) merged.title = title;
  if (bot !== undefined) merged.bot = bot;
  if (archived !== undefined) merged.archived = archived;
  if (folder !== undefined) merged.folder = folder;
  return merged;
}

function reviseRows(rows: Map<number, Stored>, record: Reviser): void {
  for (const [seq, row] of rows) {
    // What is already replaced is not written again by the next regeneration.
    if (row.rev >= record.seq || row.message.status === 'superseded') continue;
    const message = revise(row.message, record);
    if (message !== row.message) rows.set(seq, { message, rev: record.seq });
  }
}

/** The text by which a message can be found, or null: withdrawn and replaced ones cannot. */
export function searchableText(message: { status: Message['status']; text: string }): string | null {
  return message.status === 'cancelled' || message.status === 'superseded' ? null : message.text;
}
