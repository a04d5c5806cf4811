/** Latencies of an open loop, each from the time at which its message was to be sent; pure. */
import type { TalkColumns } from '../generator/open-loop.ts';
import { Latencies } from '../histogram.ts';
import { messageKey } from '../message.ts';
import type { Generations } from '../model/calls.ts';

/** In ms. `ours`: without what the model took from receiving the question to its first, or its last, byte. */
export interface TalkTimings {
  acknowledged: Latencies;
  firstToken: Latencies;
  answered: Latencies;
  oursToFirst: Latencies;
  oursToEnd: Latencies;
  /** How long after its time each message was sent: the generator's own fault, and part of all above. */
  late: Latencies;
  /** The model's own time for an answer. */
  model: Latencies;
}

/** One row a message, NaN where it cannot be known. */
export interface Ours {
  toFirst: Float64Array;
  toEnd: Float64Array;
}

/** @param generations null: a model that the lab did not start, whose part nobody knows */
export function timingsOf(columns: TalkColumns, generations: Generations | null): TalkTimings & { ours: Ours } {
  const { intendedAt, sentAt, ackAt, replyAt } = columns;
  const since = (column: Float64Array): Latencies => Latencies.of(column.map((at, row) => at - (intendedAt[row] ?? 0)));
  const ours = oursOf(columns, generations);
  return {
    acknowledged: since(ackAt),
    firstToken: since(firstSeenAt(columns)),
    answered: since(replyAt),
    oursToFirst: Latencies.of(ours.toFirst),
    oursToEnd: Latencies.of(ours.toEnd),
    late: since(sentAt),
    model: Latencies.of(generations ? generations.endAt.map((at, row) => at - (generations.receivedAt[row] ?? 0)) : []),
    ours,
  };
}

/** An answer that came all at once has no token before it: it begins when it is there. */
function firstSeenAt({ firstAt, replyAt }: TalkColumns): Float64Array {
  return firstAt.map((at, row) => (Number.isNaN(at) ? (replyAt[row] ?? Number.NaN) : at));
}

function oursOf(columns: TalkColumns, generations: Generations | null): Ours {
  const { user, number, intendedAt, replyAt } = columns;
  const firstAt = firstSeenAt(columns);
  const ours = { toFirst: new Float64Array(user.length), toEnd: new Float64Array(user.length) };
  const rows = new Map<number, number>();
  // An attempt that was begun again has several; what was shown in the end came from the last.
  for (const [row, key] of (generations?.key ?? new Float64Array()).entries()) rows.set(key, row);
  for (let row = 0; row < user.length; row += 1) {
    const generation = rows.get(messageKey(user[row] ?? 0, number[row] ?? 0)) ?? -1;
    const received = generations?.receivedAt[generation] ?? Number.NaN;
    const modelFirst = (generations?.firstAt[generation] ?? Number.NaN) - received;
    const modelEnd = (generations?.endAt[generation] ?? Number.NaN) - received;
    const from = intendedAt[row] ?? Number.NaN;
    ours.toFirst[row] = (firstAt[row] ?? Number.NaN) - from - modelFirst;
    ours.toEnd[row] = (replyAt[row] ?? Number.NaN) - from - modelEnd;
  }
  return ours;
}
