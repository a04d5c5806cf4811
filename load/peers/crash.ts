/** SIGKILL in the middle of the talk, a new life on what was left, and then: what became of every message? */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Told } from '../check.ts';
import { closedLoop, type Exchange } from '../driver.ts';
import type { Lab } from '../lab/lab.ts';
import type { SwitchboardServer } from '../lab/servers.ts';
import { SwitchboardUser } from '../switchboard/user.ts';
import type { LoadUser } from '../user.ts';
import type { PeerServer } from './peer.ts';
import type { PeerKind } from './subjects.ts';

export const CRASH_USERS = 20;
/** More than enough that everybody is in the middle of an answer. */
const TALK_MS = 3_000;
/** Whoever goes on with an answer after a crash has begun by then, and ended. */
export const RECOVERY_MS = 10_000;

/** How many messages. */
export interface CrashCounts {
  sent: number;
  /** The server had said that it has them, and has them not. */
  acknowledgedLost: number;
  /** Sent, and nowhere: with or without an acknowledgement. */
  missing: number;
  /** There, but without an answer, or only with a piece of one. */
  unanswered: number;
  /** The user saw the whole answer, and it is gone or another one. */
  repliesLost: number;
  doubled: number;
}

export async function crashOwn(lab: Lab, server: SwitchboardServer): Promise<CrashCounts> {
  const users = await connectAll(() => SwitchboardUser.connect(server.url));
  try {
    const exchanges = await crash(lab, users, server);
    await sleep(RECOVERY_MS, undefined, { signal: lab.signal });
    return countCrash(exchanges, await Promise.all(users.map((user) => user.storedHistory())));
  } finally {
    for (const user of users) user.close();
  }
}

export async function crashPeer(lab: Lab, server: PeerServer, { connect, history }: PeerKind): Promise<CrashCounts> {
  const nameOf = (number: number): string => `crash-${number}`;
  const all = () => connectAll((number) => connect(server.url, nameOf(number)));
  const users = await all();
  const exchanges = await crash(lab, users, server);
  // A page would connect again, which also wakes an object that has something to go on with.
  const again = await all();
  try {
    await sleep(RECOVERY_MS, undefined, { signal: lab.signal });
    return countCrash(exchanges, await Promise.all(users.map((_, number) => history(server.url, nameOf(number)))));
  } finally {
    for (const user of again) user.close();
  }
}

async function connectAll<User>(connect: (number: number) => Promise<User>): Promise<User[]> {
  return Promise.all(Array.from({ length: CRASH_USERS }, (_, number) => connect(number)));
}

interface Killable {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

async function crash(lab: Lab, users: readonly LoadUser[], server: Killable): Promise<Exchange[][]> {
  const killed = new AbortController();
  const signal = AbortSignal.any([lab.signal, killed.signal]);
  const talking = closedLoop(users, { windowMs: TALK_MS * 2, signal, atEnd: () => undefined });
  await sleep(TALK_MS, undefined, { signal: lab.signal });
  // Nobody says anything new from here on: everybody has one message open, in this moment.
  killed.abort();
  await server.kill();
  await server.restart();
  return (await talking).exchanges;
}

/** Pure. `histories`: of each user, what the server has of the conversation after all. */
export function countCrash(
  exchanges: readonly (readonly Exchange[])[],
  histories: readonly (readonly Told[])[],
): CrashCounts {
  const counts: CrashCounts = {
    sent: 0,
    acknowledgedLost: 0,
    missing: 0,
    unanswered: 0,
    repliesLost: 0,
    doubled: 0,
  };
  // Answers of one run are of one length in tokens: one with fewer words than any that was seen to its end is a piece.
  const seen = exchanges.flat().filter((exchange) => isSeen(exchange));
  const fewest = Math.min(...seen.map(({ reply }) => words(reply ?? '')));
  for (const [user, own] of exchanges.entries()) {
    for (const exchange of own) countOne(exchange, histories[user] ?? [], fewest, counts);
  }
  return counts;
}

function countOne(exchange: Exchange, history: readonly Told[], fewest: number, counts: CrashCounts): void {
  const asked = history.filter((message) => message.role === 'user' && message.id === exchange.id);
  const turn = asked[0]?.turn;
  const whole = history.filter((message) => {
    return (
      message.role === 'bot' && message.turn === turn && message.status === 'complete' && words(message.text) >= fewest
    );
  });
  counts.sent += 1;
  if (asked.length === 0) counts.missing += 1;
  if (asked.length === 0 && exchange.ackMs !== null) counts.acknowledgedLost += 1;
  if (asked.length > 0 && whole.length === 0) counts.unanswered += 1;
  if (asked.length > 1 || whole.length > 1) counts.doubled += 1;
  if (isSeen(exchange) && !whole.some(({ text }) => text === exchange.reply)) counts.repliesLost += 1;
}

function isSeen({ reply, problem }: Exchange): boolean {
  return reply !== null && problem === null;
}

function words(text: string): number {
  return text.split(/\s+/).length;
}
