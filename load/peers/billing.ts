/**
 * What a turn is billed for: few users, a model that takes its time, conversations that have begun, so
 * that neither a queue nor the making of a conversation is in it.
 */
import { closedLoop, Timings } from '../driver.ts';
import type { Lab } from '../lab/lab.ts';
import type { Counters } from '../lab/servers.ts';
import { pricePerMillion, type Billed } from '../measure/price.ts';
import type { LoadUser } from '../user.ts';
import type { PeerCounters } from './peer.ts';

const USERS = 10;
const TALK_MS = 4_000;

export interface Bill {
  answers: number;
  /** Of one answer; without the time that an object waits for its model. */
  billed: Billed;
  /** In seconds, the model's own time included. */
  replySeconds: number;
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
    const before = await counters();
    const options = { windowMs: TALK_MS, signal: lab.signal, atEnd: () => undefined };
    const { exchanges } = await closedLoop(users, options);
    await finish(users);
    const after = await counters();
    const timings = new Timings();
    timings.record(exchanges.flat());
    const answers = timings.reply.count;
    const per = (name: keyof PeerCounters): number => (after[name] - before[name]) / answers;
    return {
      answers,
      billed: {
        workerRequests: per('workerRequests'),
        objectRequests: per('objectRequests'),
        frames: per('frames'),
        rowsWritten: per('rowsWritten'),
        rowsRead: per('rowsRead'),
        objectSeconds: 0,
      },
      replySeconds: (timings.reply.mean ?? 0) / 1_000,
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
  };
}

/** Of a million turns. */
export function priceOf({ billed }: Bill): number {
  return pricePerMillion(billed);
}

export function priceWithWaiting({ billed, replySeconds }: Bill): number {
  return pricePerMillion({ ...billed, objectSeconds: replySeconds });
}
