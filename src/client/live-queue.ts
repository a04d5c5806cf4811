/**
 * Who runs and who waits, folded from records. `queue` frames say the same, but a tab that is out
 * of credit does without them, so the records alone have to suffice.
 */
import type { EventFrame } from '../protocol/records.ts';
import type { QueueView } from '../protocol/server-frames.ts';

export const EMPTY_QUEUE: QueueView = { running: null, waiting: [] };

/**
 * The queue after one more record; the same object where nothing changed. Also right when `queue`
 * is ahead of the record: what it names already is not added again.
 */
export function queueAfter(queue: QueueView, record: EventFrame): QueueView {
  switch (record.kind) {
    case 'message': {
      const { seq: turn, id, priority } = record;
      if (isQueued(queue, turn)) return queue;
      const behind = queue.waiting.findIndex((other) => other.priority < priority);
      const at = behind === -1 ? queue.waiting.length : behind;
      return promote({ ...queue, waiting: queue.waiting.toSpliced(at, 0, { turn, id, priority }) });
    }
    case 'cancelled':
      return isQueued(queue, record.turn) ? promote(without(queue, record.turn)) : queue;
    case 'restarted':
    case 'regenerated': {
      const { turn, attempt } = record;
      const { running } = queue;
      if (running?.turn === turn ? running.attempt >= attempt : running !== null) return queue;
      return { ...queue, running: { turn, attempt } };
    }
    case 'reply':
    case 'stopped':
    case 'failed': {
      const { turn, attempt } = record;
      if (!isQueued(queue, turn)) return queue;
      const isOver = queue.running?.turn !== turn || queue.running.attempt <= attempt;
      return isOver ? promote(without(queue, turn)) : queue;
    }
    case 'created':
    case 'edited':
    case 'updated':
      return queue;
  }
}

/** The queue once a piece of this attempt was seen: nobody else can be running. */
export function queueRunning(queue: QueueView, turn: number, attempt: number): QueueView {
  const { running } = queue;
  // What says something waits no longer, whatever the last frame said.
  if (running?.turn === turn && running.attempt === attempt && !running.wait) return queue;
  return { ...without(queue, turn), running: { turn, attempt } };
}

function isQueued(queue: QueueView, turn: number): boolean {
  return queue.running?.turn === turn || queue.waiting.some((waiting) => waiting.turn === turn);
}

function without(queue: QueueView, turn: number): QueueView {
  return {
    running: queue.running?.turn === turn ? null : queue.running,
    waiting: queue.waiting.filter((waiting) => waiting.turn !== turn),
  };
}

function promote(queue: QueueView): QueueView {
  const [first, ...rest] = queue.waiting;
  if (queue.running || !first) return queue;
  return { running: { turn: first.turn, attempt: 1 }, waiting: rest };
}
