/**
 * Where a page ended, as text that callers hand back unread. A cursor says a place in an order
 * ("after this time and number"), not a count, so rows that come or go meanwhile shift nothing.
 */
import { HistoryError } from './error.ts';

/** Which order a cursor belongs to; one from another list is refused. */
export type CursorKind = 'sessions' | 'search' | 'alerts' | 'audit';

/** The last row of a page: its time (ms since 1970) and its key, which breaks ties. */
export interface Place {
  at: number;
  key: number;
}

const MAX_CURSOR_LENGTH = 120;

export function encodeCursor(kind: CursorKind, place: Place): string {
  return btoa(JSON.stringify([kind, place.at, place.key]))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** @throws HistoryError `bad_request` for anything that `encodeCursor` did not make for this kind. */
export function decodeCursor(kind: CursorKind, cursor: string): Place {
  const value = cursor.length <= MAX_CURSOR_LENGTH && /^[\w-]+$/.test(cursor) ? parse(cursor) : undefined;
  if (Array.isArray(value) && value.length === 3 && value[0] === kind) {
    const [, at, key]: unknown[] = value;
    if (isPlace(at) && isPlace(key)) return { at, key };
  }
  throw new HistoryError('bad_request', 'The cursor is not one that this list gave.');
}

/** How many rows a page has where `asked` are asked for: one at least, `most` at most. */
export function pageLimit(asked: number, most: number): number {
  return Math.max(1, Math.min(Math.trunc(asked), most));
}

/** A page of `rows`, which were read with one more than `limit`: that one says that there are others. */
export function pageOf<Row>(
  kind: CursorKind,
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => Place,
): { shown: Row[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { shown, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(kind, placeOf(last)) : null };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    return undefined;
  }
}

function isPlace(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
