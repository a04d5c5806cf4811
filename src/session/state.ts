/**
 * What a session is at one moment: everything that decides what happens next, and nothing else.
 * Texts stay in the log. Plain data, so that it is stored beside each record and read back on boot.
 *
 *      send            promoted as soon as nothing runs        reply | failed | stopped
 *   ----------> waiting --------------------------> running --------------------------> ended
 *                  |  edit (stays)                     ^                                  |
 *                  |  cancel                           +------------ regenerate ----------+
 *                  +--------> ended
 */
import type { BotRef } from '../protocol/values.ts';
import type { QueueView } from '../protocol/server-frames.ts';

/** A message that waits for its turn. `turn` is the message's place in the log. */
export interface WaitingTurn {
  turn: number;
  /** The client's id. */
  id: string;
  priority: number;
}

export interface RunningTurn extends WaitingTurn {
  /** From 1; a higher one fences off everything the lower ones may still produce. */
  attempt: number;
  /** How often this turn was begun again because the process had ended in the middle of it. */
  restarts: number;
}

/** The turn that ended last with an outcome; the only one that can be regenerated. */
export interface EndedTurn {
  turn: number;
  id: string;
  attempt: number;
  /** Place of the outcome in the log. */
  seq: number;
}

export interface SessionState {
  /** The last record's place; 0 for a session that does not exist yet. */
  seq: number;
  createdAt: number;
  bot: BotRef;
  title: string;
  archived: boolean;
  folder: string;
  running: RunningTurn | null;
  /** In the order in which they will run: higher priority first, then the order of the log. */
  waiting: readonly WaitingTurn[];
  last: EndedTurn | null;
}

/** Before the first record. */
export const EMPTY_STATE: SessionState = {
  seq: 0,
  createdAt: 0,
  bot: { id: '', name: '', model: '' },
  title: '',
  archived: false,
  folder: '',
  running: null,
  waiting: [],
  last: null,
};

/** Turns before the one named: 0 when it runs or has ended. */
export function positionOf(state: SessionState, turn: number): number {
  const index = state.waiting.findIndex((waiting) => waiting.turn === turn);
  return index === -1 ? 0 : index + (state.running ? 1 : 0);
}

/** The queue as clients see it. */
export function queueView(state: SessionState): QueueView {
  const { running, waiting } = state;
  return { running: running && { turn: running.turn, attempt: running.attempt }, waiting: [...waiting] };
}
