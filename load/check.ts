/** Counts what became of the messages, from what every user sent and what the histories say. Pure. */
import type { Message } from '../src/protocol/transcript.ts';
import type { Exchange } from './driver.ts';

/** How many messages. Only `sent`, `acknowledged` and `answered` may be above 0 in a run without faults. */
export interface Counts {
  sent: number;
  acknowledged: number;
  /** With a whole reply that the user saw. */
  answered: number;
  /** Acknowledged, but the history lacks the message or its reply; or the user saw a reply that the history lacks. */
  lost: number;
  /** In the history more than once, or with more than one reply. */
  doubled: number;
  /** Not in the order in which they were sent, or answered before they stand there. */
  outOfOrder: number;
  /** The history has another text than was sent, or another reply than was seen. */
  altered: number;
}

export const NO_COUNTS: Counts = {
  sent: 0,
  acknowledged: 0,
  answered: 0,
  lost: 0,
  doubled: 0,
  outOfOrder: 0,
  altered: 0,
};

export function addCounts(one: Counts, other: Counts): Counts {
  return {
    sent: one.sent + other.sent,
    acknowledged: one.acknowledged + other.acknowledged,
    answered: one.answered + other.answered,
    lost: one.lost + other.lost,
    doubled: one.doubled + other.doubled,
    outOfOrder: one.outOfOrder + other.outOfOrder,
    altered: one.altered + other.altered,
  };
}

/** What the users saw. */
function countSeen(exchanges: readonly Exchange[]): Counts {
  return {
    ...NO_COUNTS,
    sent: exchanges.length,
    acknowledged: exchanges.filter(({ ackMs }) => ackMs !== null).length,
    answered: exchanges.filter(isAnswered).length,
  };
}

/** What counts of a message in a history: a person's, or an answer to `turn`. */
export interface Told {
  seq: number;
  turn: number;
  role: 'user' | 'bot';
  /** The client's own, for a person's message. */
  id: string;
  text: string;
  status: string;
}

/**
 * @param history one user's conversation from its beginning, in order
 * @param atRest nothing is under way any more: what has no answer now will have none
 */
export function countRecorded(exchanges: readonly Exchange[], history: readonly Told[], atRest = true): Counts {
  const counts = countSeen(exchanges);
  const asked = Map.groupBy(
    history.filter(({ role }) => role === 'user'),
    ({ id }) => id,
  );
  const replies = Map.groupBy(
    history.filter((message) => message.role === 'bot' && message.status !== 'superseded'),
    ({ turn }) => turn,
  );
  let lastSeq = 0;
  for (const exchange of exchanges) {
    const own = asked.get(exchange.id) ?? [];
    const [message] = own;
    const answers = message ? (replies.get(message.seq) ?? []) : [];
    const [answer] = answers;
    const isOwed = exchange.ackMs !== null || exchange.reply !== null;
    if (isOwed && (!message || (atRest && !answer))) counts.lost += 1;
    if (own.length > 1 || answers.length > 1) counts.doubled += 1;
    if (!message) continue;
    if (message.seq <= lastSeq || (answer && answer.seq <= message.seq)) counts.outOfOrder += 1;
    lastSeq = Math.max(lastSeq, message.seq);
    const isOther =
      message.text !== exchange.text || (answer && exchange.reply !== null && answer.text !== exchange.reply);
    if (isOther) counts.altered += 1;
  }
  // Nobody sent these: somebody's message in another's history, or one invented.
  const sent = new Set(exchanges.map(({ id }) => id));
  for (const id of asked.keys()) if (!sent.has(id)) counts.doubled += 1;
  return counts;
}

/** Messages in which two tellings of one conversation differ. */
export function differences(one: readonly Message[], other: readonly Message[]): number {
  let different = Math.abs(one.length - other.length);
  for (const [index, message] of one.entries()) {
    const twin = other[index];
    if (!twin) break;
    const isSame = message.seq === twin.seq && message.id === twin.id && message.text === twin.text;
    if (!isSame) different += 1;
  }
  return different;
}

export function isAnswered({ reply, problem }: Exchange): boolean {
  return reply !== null && problem === null;
}
