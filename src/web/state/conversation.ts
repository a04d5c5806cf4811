/**
 * A session's view as it is drawn: what was said in the order in which it was answered, and apart
 * from that what still waits. Pure, so that the rules can be tested without a browser.
 */
import type { Pending, SessionView } from '../../client/types.ts';
import type { BotMessage, Message, UserMessage } from '../../protocol/transcript.ts';

export type Entry =
  | { kind: 'user'; key: string; message: UserMessage }
  | { kind: 'sending'; key: string; pending: Pending }
  /** `message` is null while the answer is running. `last` marks the one that may be asked for again. */
  | { kind: 'answer'; key: string; turn: number; message: BotMessage | null; last: boolean };

/**
 * - `waiting`: durable, in the server's queue
 * - `sending`: on its way, not acknowledged
 * - `unsent`: kept here until there is a connection
 * - `refused`: the server will never take it as it is
 */
type QueueState = 'waiting' | 'sending' | 'unsent' | 'refused';
export interface QueueEntry {
  id: string;
  text: string;
  state: QueueState;
  /** How many turns are answered before it, for `waiting`. */
  ahead: number;
  reason: string;
}

export interface Arranged {
  entries: Entry[];
  queue: QueueEntry[];
}

type Part = Pick<SessionView, 'messages' | 'queue' | 'pending' | 'connection'> & {
  running: { turn: number; attempt: number } | null;
};

/** Positions after every answered turn. */
const RUNNING = Number.MAX_SAFE_INTEGER - 1;
const NEXT = Number.MAX_SAFE_INTEGER;

export function arrange(view: Part): Arranged {
  const running = view.running ?? view.queue.running;
  // While nothing is answered, the first one waiting is about to be: it belongs to the conversation.
  const next = running === null ? view.queue.waiting[0] : undefined;
  const queued = new Set(view.queue.waiting.map(({ turn }) => turn));
  if (next) queued.delete(next.turn);
  const sending = running === null && !next && view.connection === 'live' ? firstUnrefused(view.pending) : undefined;

  const shown = view.messages.filter(
    (message) => !(message.role === 'user' && (message.status === 'cancelled' || queued.has(message.seq))),
  );
  const place = placesOf(shown, running?.turn);
  const ordered = shown.toSorted((left, right) => place(left) - place(right) || left.seq - right.seq);
  const entries = ordered.map(entryOf);
  if (running) entries.push(runningEntry(running));
  markLast(entries, running !== null || view.queue.waiting.length > 0);
  if (sending) entries.push({ kind: 'sending', key: sending.id, pending: sending });
  return { entries, queue: queueOf(view, queued, sending, running !== null) };
}

/** Whether two entries are drawn alike: messages keep their identity until something in them changes. */
export function isSameEntry(one: Entry, other: Entry): boolean {
  if (one.key !== other.key) return false;
  if (one.kind === 'user') return other.kind === 'user' && one.message === other.message;
  if (one.kind === 'sending') return other.kind === 'sending' && one.pending === other.pending;
  const isSame = other.kind === 'answer' && one.turn === other.turn && one.message === other.message;
  return isSame && one.last === other.last;
}

function firstUnrefused(pending: readonly Pending[]): Pending | undefined {
  return pending.find(({ refused }) => refused === null);
}

/** Where a turn stands: by its first answer, since a message of higher priority is answered before earlier ones. */
function placesOf(messages: readonly Message[], runningTurn: number | undefined): (message: Message) => number {
  const places = new Map<number, number>();
  for (const { role, turn, seq } of messages) {
    if (role === 'bot') places.set(turn, Math.min(places.get(turn) ?? seq, seq));
  }
  return ({ turn }) => places.get(turn) ?? (turn === runningTurn ? RUNNING : NEXT);
}

function entryOf(message: Message): Entry {
  if (message.role === 'user') return { kind: 'user', key: message.id, message };
  return { kind: 'answer', key: message.id, turn: message.turn, message, last: false };
}

/** Keyed like the message it becomes, so that what was drawn while it ran stays. */
function runningEntry({ turn, attempt }: { turn: number; attempt: number }): Entry {
  return { kind: 'answer', key: `${turn}.${attempt}`, turn, message: null, last: false };
}

function markLast(entries: Entry[], busy: boolean): void {
  const index = entries.length - 1;
  const last = entries[index];
  if (!busy && last?.kind === 'answer') entries[index] = { ...last, last: true };
}

function queueOf(
  { queue, messages, pending, connection }: Part,
  queued: ReadonlySet<number>,
  sending: Pending | undefined,
  busy: boolean,
): QueueEntry[] {
  const texts = new Map(messages.map((message) => [message.seq, message.text]));
  const waiting = queue.waiting
    .map(({ turn, id }, index) => ({ turn, id, ahead: index + (busy ? 1 : 0) }))
    .filter(({ turn }) => queued.has(turn))
    .map(({ turn, id, ahead }): QueueEntry => ({
      id,
      text: texts.get(turn) ?? '',
      state: 'waiting',
      ahead,
      reason: '',
    }));
  const durable = new Set(queue.waiting.map(({ id }) => id));
  const rest = pending
    .filter((message) => message !== sending && !durable.has(message.id))
    .map(({ id, text, refused }): QueueEntry => {
      const state = refused ? 'refused' : connection === 'live' ? 'sending' : 'unsent';
      return { id, text, state, ahead: 0, reason: refused?.message ?? '' };
    });
  return [...waiting, ...rest];
}
