/** A message as lists and search results show it: enough to recognise it, bounded in size. */
import type { Message } from '../protocol/transcript.ts';
import { seqOf } from './row-id.ts';

/** Text shown of a message beside the one that was looked for. UTF-16 code units. */
export const PREVIEW_LENGTH = 400;

export interface MessagePreview {
  seq: number;
  turn: number;
  /** The client's id for a person's message; `<turn>.<attempt>` for an answer. */
  id: string;
  role: Message['role'];
  status: Message['status'];
  at: number;
  text: string;
  /** Whether the message is longer than `text`. */
  cut: boolean;
}

export interface PreviewRow {
  id: number;
  turn: number;
  role: Message['role'];
  status: Message['status'];
  at: number;
  clientId: string | null;
  attempt: number | null;
  /** At least PREVIEW_LENGTH + 1 characters where the message has so many. */
  text: string;
}

export function previewOf(row: PreviewRow): MessagePreview {
  const { turn, role, status, at, clientId, attempt } = row;
  const cut = row.text.length > PREVIEW_LENGTH;
  // Cutting may leave half of a character at the end.
  const text = cut ? row.text.slice(0, PREVIEW_LENGTH).replace(/[\ud800-\udbff]$/, '') : row.text;
  return { seq: seqOf(row.id), turn, id: clientId ?? `${turn}.${attempt}`, role, status, at, text, cut };
}
