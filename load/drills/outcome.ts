/** What a fault did to the users, worked out from what they saw; pure. All times are on the machine's clock, in ms. */
import type { TalkColumns } from '../generator/open-loop.ts';
import { Latencies } from '../histogram.ts';
import type { Outage } from '../user.ts';

/** One fault, from its beginning to its end; for what is over at once both are the same. */
export interface Wound {
  name: string;
  at: number;
  healedAt: number;
}

export interface KnownOutage extends Outage {
  user: number;
}

/** When something was wrong, from the first fault on; by that, messages were to be sent before, during and after. */
export interface Span {
  beginAt: number;
  endAt: number;
}

export const PHASES = ['before', 'during', 'after'] as const;
export type PhaseName = (typeof PHASES)[number];

export interface PhaseTimes {
  sent: number;
  answered: number;
  acknowledged: Latencies;
  firstToken: Latencies;
  answer: Latencies;
  /** How long after its time the generator sent a message: part of all above, and not the server's. */
  late: Latencies;
}

type Choose = (user: number) => boolean;

export function timesByPhase(
  columns: TalkColumns,
  { beginAt, endAt }: Span,
  choose: Choose = () => true,
): Record<PhaseName, PhaseTimes> {
  const empty = (): PhaseTimes => ({
    sent: 0,
    answered: 0,
    acknowledged: new Latencies(),
    firstToken: new Latencies(),
    answer: new Latencies(),
    late: new Latencies(),
  });
  const times = { before: empty(), during: empty(), after: empty() };
  for (const [row, intendedAt] of columns.intendedAt.entries()) {
    if (!choose(columns.user[row] ?? 0)) continue;
    const phase = times[intendedAt < beginAt ? 'before' : intendedAt <= endAt ? 'during' : 'after'];
    const since = (column: Float64Array): number => (column[row] ?? Number.NaN) - intendedAt;
    phase.sent += 1;
    if (!Number.isNaN(columns.replyAt[row])) phase.answered += 1;
    phase.acknowledged.record(since(columns.ackAt));
    phase.firstToken.record(since(columns.firstAt));
    phase.answer.record(since(columns.replyAt));
    phase.late.record(since(columns.sentAt));
  }
  return times;
}

/**
 * A fault is over when the server is back for the first user who lost it, also where the lab itself
 * learned that later: to count from then would flatter everybody else.
 */
export function healedForFirst(wounds: readonly Wound[], outages: readonly KnownOutage[]): Wound[] {
  return wounds.map(({ name, at, healedAt }) => {
    const back = outages.filter(({ lostAt, liveAt }) => lostAt >= at && liveAt < healedAt).map(({ liveAt }) => liveAt);
    return { name, at, healedAt: Math.min(healedAt, ...back) };
  });
}

/** One user's first loss after a fault. */
export interface Loss {
  user: number;
  wound: Wound;
  lostAt: number;
  /** The last time that the user was live again before the next fault; NaN: it never was. */
  liveAt: number;
  /** Connections lost on the way, the first included: more than one, it came back too early. */
  connections: number;
}

/** What every user lost by which fault. A loss before the first fault is nobody's: see `unexplained`. */
export function losses(wounds: readonly Wound[], outages: readonly KnownOutage[]): Loss[] {
  const found = new Map<string, Loss>();
  for (const { user, lostAt, liveAt } of outages.toSorted((one, other) => one.lostAt - other.lostAt)) {
    const index = wounds.findLastIndex(({ at }) => at <= lostAt);
    const wound = wounds[index];
    if (!wound) continue;
    const key = `${user} ${index}`;
    const loss = found.get(key);
    if (loss) {
      loss.liveAt = liveAt;
      loss.connections += 1;
    } else {
      found.set(key, { user, wound, lostAt, liveAt, connections: 1 });
    }
  }
  return [...found.values()];
}

export function unexplained({ beginAt }: Span, outages: readonly KnownOutage[]): number {
  return outages.filter(({ lostAt }) => lostAt < beginAt).length;
}

/** From the first fault to the end of the run, whoever cut them. */
export function lostSince({ beginAt }: Span, outages: readonly KnownOutage[]): number {
  return outages.filter(({ lostAt }) => lostAt >= beginAt).length;
}

/** How many of the users had a connection at a time, by what they saw themselves. */
export function liveUsers(users: number, outages: readonly KnownOutage[], at: number): number {
  return users - outages.filter(({ lostAt, liveAt }) => lostAt < at && !(liveAt <= at)).length;
}

export interface Recovery {
  /** From the beginning of the fault (or the message's time, if that is later) to the next new acknowledgement. */
  acknowledged: Latencies;
  /** The same from its end: what remains when the cause is gone. */
  acknowledgedHealed: Latencies;
  firstToken: Latencies;
  firstTokenHealed: Latencies;
  /** Users whose messages were never acknowledged again. */
  never: number;
}

/**
 * For every user who was hit: the first message acknowledged after its connection was live again
 * (or the fault over, where none was lost), and how long that one had to wait.
 * @param hit null: whoever lost a connection
 */
export function recovery(
  columns: TalkColumns,
  wounds: readonly Wound[],
  lost: readonly Loss[],
  hit: Choose | null,
): Recovery {
  const rowsOf = Map.groupBy(columns.user.keys(), (row) => columns.user[row] ?? 0);
  const result: Recovery = {
    acknowledged: new Latencies(),
    acknowledgedHealed: new Latencies(),
    firstToken: new Latencies(),
    firstTokenHealed: new Latencies(),
    never: 0,
  };
  for (const [index, wound] of wounds.entries()) {
    const own = new Map(lost.filter((loss) => loss.wound === wound).map((loss) => [loss.user, loss]));
    const next = wounds[index + 1]?.at ?? Infinity;
    for (const [user, rows] of rowsOf) {
      const loss = own.get(user);
      if (hit ? !hit(user) : !loss) continue;
      const from = loss?.liveAt ?? wound.healedAt;
      // What was meant for after the next fault tells nothing of this one.
      const waited = rows.filter((row) => (columns.intendedAt[row] ?? 0) < next && !(acceptedAt(columns, row) < from));
      const [first] = waited.toSorted((a, b) => orLast(acceptedAt(columns, a)) - orLast(acceptedAt(columns, b)));
      if (first === undefined) continue;
      if (Number.isNaN(acceptedAt(columns, first))) result.never += 1;
      noteWait(columns, first, wound, result);
    }
  }
  return result;
}

function noteWait(columns: TalkColumns, row: number, { at, healedAt }: Wound, result: Recovery): void {
  const intendedAt = columns.intendedAt[row] ?? Number.NaN;
  const since = (when: number, begin: number): number => Math.max(0, when - Math.max(begin, intendedAt));
  const accepted = acceptedAt(columns, row);
  const begun = firstOf(columns.firstAt[row], columns.replyAt[row]);
  result.acknowledged.record(since(accepted, at));
  result.acknowledgedHealed.record(since(accepted, healedAt));
  result.firstToken.record(since(begun, at));
  result.firstTokenHealed.record(since(begun, healedAt));
}

/** An acknowledgement that was lost on its way is not sent again: the answer itself then says it. */
function acceptedAt({ ackAt, firstAt, replyAt }: TalkColumns, row: number): number {
  return firstOf(ackAt[row], firstAt[row], replyAt[row]);
}

function firstOf(...times: (number | undefined)[]): number {
  return times.find((at) => at !== undefined && !Number.isNaN(at)) ?? Number.NaN;
}

function orLast(at: number): number {
  return Number.isNaN(at) ? Infinity : at;
}

/** How much longer something took than before; null where there is nothing to compare. */
export function ratio(during: Latencies, before: Latencies, percent: number): number | null {
  const [now, usual] = [during.percentile(percent), before.percentile(percent)];
  return now === null || usual === null || usual === 0 ? null : now / usual;
}
