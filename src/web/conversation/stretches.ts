/** Long conversations are drawn in stretches: one that is out of sight is neither laid out nor drawn. */
import { isSameEntry, type Entry } from '../state/conversation.ts';

/** Records of the log. About half as many are turns, of a question and an answer each. */
const STRETCH_RECORDS = 64;

export interface Stretch {
  /** The same while the conversation grows at its ends, unless an important message was answered before earlier ones there. */
  key: number;
  entries: Entry[];
}

export function stretchesOf(entries: readonly Entry[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const entry of entries) {
    const last = stretches.at(-1);
    const key = keyOf(entry) ?? last?.key ?? 0;
    // A turn that waited long stands among later ones.
    if (last && key <= last.key) last.entries.push(entry);
    else stretches.push({ key, entries: [entry] });
  }
  return stretches;
}

export function isSameStretch(one: Stretch, other: Stretch): boolean {
  return (
    one.key === other.key &&
    one.entries.length === other.entries.length &&
    one.entries.every((entry, index) => {
      const its = other.entries[index];
      return its !== undefined && isSameEntry(entry, its);
    })
  );
}

/** Null: on its way, and without a number yet. */
function keyOf(entry: Entry): number | null {
  if (entry.kind === 'sending') return null;
  return Math.floor((entry.kind === 'user' ? entry.message.turn : entry.turn) / STRETCH_RECORDS);
}
