/**
 * What a turn is billed for: few users, a model that takes its time, conversations that have begun, so
 * that neither a queue nor the making of a conversation is in it.
 */
import { isAnswered } from '../check.ts';
import { closedLoop, Timings } from '../driver.ts';
import type { Lab } from '../lab/lab.ts';
import type { Counters } from '../lab/servers.ts';
import { pricePerMillion, type Billed } from '../measure/price.ts';
import type { LoadUser } from '../user.ts';
import type { PeerCounters } from './peer.ts';

const USERS = 10;
const TALK_MS = 10_000;
/** Between a reply and the next message: what was said leaves for the history by itself, as when people talk. */
const PAUSE_MS = 2_000;

export interface Bill {
  /** With those that got no whole reply. */
  sent: number;
  answers: number;
  /** Of one answer; without object seconds. */
  billed: Billed;
  /** For which sessions could not sleep; where that is not counted the reply's own, which is the least that it can be. */
  heldSeconds: number;
  /** Written to make a conversation and to connect to it. */
  rowsToBegin: number;
}

interface Billable<User extends LoadUser> {
  connect(number: number): Promise<User>;
  counters(): Promise<PeerCounters>;
  /** Waits for what is still to be written after the last answer. */
  finish(users: readonly User[]): Promise<void>;
}

export async function measureBill<User extends LoadUser>(
  lab: Lab,
  { connect, counters, finish }: Billable<User>,
): Promise<Bill> {
  const made = await counters();
  const users = await Promise.all(Array.from({ length: USERS }, (_, number) => connect(number)));
  try {
    const options = { signal: lab.signal, atEnd: () => undefined };
    // A first turn gives its conversation a title, and what making it has brought leaves for the history with it.
    await closedLoop(users, { ...options, windowMs: 0 });
    await finish(users);
    const before = await counters();
    const { exchanges } = await closedLoop(users, { ...options, windowMs: TALK_MS, sentBefore: 1, pauseMs: PAUSE_MS });
    await finish(users);
    const after = await counters();
    const said = exchanges.flat();
    const timings = new Timings();
    timings.record(said);
    const answers = said.filter(isAnswered).length;
    const heldMs = before.heldMs === null || after.heldMs === null ? null : (after.heldMs - before.heldMs) / answers;
    const per = (name: Exclude<keyof PeerCounters, 'heldMs'>): number => (after[name] - before[name]) / answers;
    return {
      sent: said.length,
      answers,
      billed: {
        workerRequests: per('workerRequests'),
        objectRequests: per('objectRequests'),
        frames: per('frames'),
        rowsWritten: per('rowsWritten'),
        rowsRead: per('rowsRead'),
        objectSeconds: 0,
      },
      heldSeconds: (heldMs ?? timings.reply.mean ?? 0) / 1_000,
      rowsToBegin: (before.rowsWritten - made.rowsWritten) / USERS,
    };
  } finally {
    for (const user of users) user.close();
  }
}

export function ownCounters(counters: Counters): PeerCounters {
  return {
    workerRequests: counters.workerRequests,
    objectRequests: counters.objectRequests,
    frames: counters.frames,
    rowsWritten: counters.objectRowsWritten + counters.historyRowsWritten,
    rowsRead: counters.objectRowsRead + counters.historyRowsRead,
    heldMs: counters.heldMs,
  };
}

/** Of a million turns. */
export function priceOf({ billed }: Bill): number {
  return pricePerMillion(billed);
}

export function priceWithSeconds({ billed, heldSeconds }: Bill): number {
  return pricePerMillion({ ...billed, objectSeconds: heldSeconds });
}
