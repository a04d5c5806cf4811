/** The piece of a message that shows why it was found. Offsets are UTF-16 code units. */
import type { Phrase } from './query.ts';
import { termsOf, type Term } from './terms.ts';

export interface Excerpt {
  text: string;
  /** What matched: `[start, end)` within `text`, in order, not overlapping. */
  matches: [number, number][];
  /** Whether the message goes on before or after it. */
  cutStart: boolean;
  cutEnd: boolean;
}

const EXCERPT_LENGTH = 240;
/** Text shown before the first match. */
const LEAD_LENGTH = 60;
/** How far the beginning may move to fall between two words. */
const WORD_SLACK = 20;

/** The surroundings of the first match; the beginning of the text when there is none. */
export function excerptOf(text: string, phrases: readonly Phrase[]): Excerpt {
  let start = 0;
  let end = Math.min(text.length, EXCERPT_LENGTH);
  const found: [number, number][] = [];
  for (const match of matchesOf(text, phrases)) {
    if (found.length === 0) {
      start = startBefore(text, match[0]);
      end = Math.min(text.length, start + EXCERPT_LENGTH);
      // One "word" may be longer than any excerpt.
      found.push([match[0], Math.min(match[1], end)]);
      continue;
    }
    // Matches come by their end: one that ends outside has no later one inside.
    if (match[1] > end) break;
    if (match[0] >= start) found.push(match);
  }
  if (end < text.length && splitsCharacter(text, end)) end -= 1;
  const matches = merge(found).map(([from, to]): [number, number] => [from - start, to - start]);
  return { text: text.slice(start, end), matches, cutStart: start > 0, cutEnd: end < text.length };
}

/** Every place where a phrase is, in the order of their ends. */
function* matchesOf(text: string, phrases: readonly Phrase[]): Generator<[number, number]> {
  const longest = Math.max(0, ...phrases.map(({ terms }) => terms.length));
  const recent: Term[] = [];
  for (const term of termsOf(text)) {
    recent.push(term);
    if (recent.length > longest) recent.shift();
    for (const phrase of phrases) {
      const first = recent.length - phrase.terms.length;
      const begin = recent[first];
      if (begin && endsWith(recent, first, phrase)) yield [begin.start, term.end];
    }
  }
}

function endsWith(recent: readonly Term[], first: number, { terms, prefix }: Phrase): boolean {
  return terms.every((wanted, i) => {
    const term = recent[first + i]?.term;
    return prefix && i === terms.length - 1 ? term?.startsWith(wanted) : term === wanted;
  });
}

function startBefore(text: string, match: number): number {
  const start = Math.max(0, match - LEAD_LENGTH);
  if (start === 0) return 0;
  const space = text.slice(start, Math.min(match, start + WORD_SLACK)).search(/\s\S/);
  if (space >= 0) return start + space + 1;
  return splitsCharacter(text, start) ? start + 1 : start;
}

/** Whether `at` is between the halves of a surrogate pair. */
function splitsCharacter(text: string, at: number): boolean {
  return (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

function merge(ranges: [number, number][]): [number, number][] {
  const merged: [number, number][] = [];
  for (const [start, end] of ranges.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = merged.at(-1);
    if (last && start < last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}
