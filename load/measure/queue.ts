/** How many messages were under way at once, worked out from when each was sent and ended; pure. */
import type { TalkColumns } from '../generator/open-loop.ts';

/** The most messages that were sent and had neither their answer nor word that there will be none. */
export function mostUnderWay({
  sentAt,
  replyAt,
  failedAt,
}: Pick<TalkColumns, 'sentAt' | 'replyAt' | 'failedAt'>): number {
  const begins = sentAt.filter((at) => !Number.isNaN(at)).toSorted();
  // NaN is no time, and comes after all others: what never ended is under way until the end.
  const ends = replyAt.map((at, row) => (Number.isNaN(at) ? (failedAt[row] ?? Number.NaN) : at)).toSorted();
  let most = 0;
  let ended = 0;
  for (const [begun, at] of begins.entries()) {
    while ((ends[ended] ?? Number.NaN) <= at) ended += 1;
    most = Math.max(most, begun + 1 - ended);
  }
  return most;
}
