/** The one rule by which every reader puts an answer together, per turn, attempt and channel. */
import type { ServerFrameOf } from '../protocol/server-frames.ts';
import type { Running } from './types.ts';

/** `gap`: the piece begins beyond what was read, something between is missing. */
type DeltaResult = { kind: 'applied'; answer: Running } | { kind: 'stale' } | { kind: 'gap' };

export function emptyAnswer(turn: number, attempt: number): Running {
  return { turn, attempt, text: '', thinking: '' };
}

/**
 * `answer = answer.slice(0, offset) + text`. A newer attempt, or another turn, begins from nothing;
 * an older attempt has nothing to say any more.
 */
export function applyDelta(answer: Running | null, delta: ServerFrameOf<'delta'>): DeltaResult {
  const { turn, attempt, offset, text, channel } = delta;
  if (answer?.turn === turn && attempt < answer.attempt) return { kind: 'stale' };
  const base = answer?.turn === turn && answer.attempt === attempt ? answer : emptyAnswer(turn, attempt);
  const read = base[channel];
  if (offset > read.length) return { kind: 'gap' };
  // The usual piece is the next one; appending keeps the string a rope, slicing would copy it.
  const joined = offset === read.length ? read + text : read.slice(0, offset) + text;
  return { kind: 'applied', answer: { ...base, [channel]: joined } };
}
