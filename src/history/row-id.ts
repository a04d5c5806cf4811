/**
 * A message's row id is its session's number and its place in that session's log. One integer key
 * means one row written per message (a second index would double the price), a session's messages
 * lie together, and delivering twice hits the same row.
 */
import { HistoryError } from './error.ts';

/** Row ids reserved for each session: 2^22. 2^31 sessions then still fit into a safe integer. */
export const SESSION_SPAN = 4_194_304;

/** The largest `seq` that has a row of its own; one more would be the next session's. */
export const MAX_SEQ = SESSION_SPAN - 1;

/** @throws HistoryError `internal` when `seq` would lie in another session's rows. */
export function checkSeq(seq: number): void {
  if (!Number.isInteger(seq) || seq < 1 || seq > MAX_SEQ) {
    throw new HistoryError('internal', `History keeps records 1 to ${MAX_SEQ} of a session.`);
  }
}

export function seqOf(rowId: number): number {
  return rowId % SESSION_SPAN;
}
