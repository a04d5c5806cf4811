/**
 * Markdown that grows. Blocks that can no longer change are kept as they are, with their identity,
 * and only the text after them is parsed again: the cost of a chunk does not grow with the answer.
 *
 *     |<--------- frozen --------->|<------ tail ------>|
 *     heading  paragraph  list      paragraph so far...
 */
import type { Links, Token } from 'marked';
import { lex } from './lex.ts';

/** How far back a blank line is looked for, in characters; a longer one only settles a block later. */
const BLANK_LINE_LOOKBACK = 32;

export interface Blocks {
  /** The text that was parsed, with line ends made `\n`. */
  readonly text: string;
  /** Where the tail begins in `text`. */
  readonly frozenEnd: number;
  readonly frozenCount: number;
  readonly tokens: readonly Token[];
  readonly links: Links;
}

export const NO_BLOCKS: Blocks = { text: '', frozenEnd: 0, frozenCount: 0, tokens: [], links: {} };

/**
 * `next` parsed, reusing `previous` where `next` continues its text. `complete` says that nothing
 * will follow: the whole is then parsed once more, since a link definition at the end reaches the
 * blocks before it, and blocks that come out the same keep their identity.
 */
export function parseBlocks(previous: Blocks, next: string, complete: boolean): Blocks {
  const text = next.includes('\r') ? next.replace(/\r\n?/g, '\n') : next;
  if (complete) return parseWhole(previous, text);
  const continues = text.length >= previous.text.length && text.startsWith(previous.text);
  if (continues && text.length === previous.text.length) return previous;
  const base = continues ? previous : NO_BLOCKS;

  const { tokens: tail, links } = lex(text.slice(base.frozenEnd), base.links);
  const settled = settle(tail, text, base.frozenEnd);
  return {
    text,
    frozenEnd: settled.end,
    frozenCount: base.frozenCount + settled.count,
    tokens: [...base.tokens.slice(0, base.frozenCount), ...tail],
    links,
  };
}

function parseWhole(previous: Blocks, text: string): Blocks {
  const { tokens, links } = lex(text);
  const sameLinks = JSON.stringify(links) === JSON.stringify(previous.links);
  const kept = tokens.map((token, index) => {
    const before = previous.tokens[index];
    return sameLinks && before?.raw === token.raw && before.type === token.type ? before : token;
  });
  return { text, frozenEnd: text.length, frozenCount: kept.length, tokens: kept, links };
}

/**
 * How many tokens of the tail are final: those before the last block that comes after a blank line
 * and whose first line is whole. Nearer than that, later characters can still join a block to the
 * one above (`- item` then `*` is a second list, `*so*` is the item's next line).
 */
function settle(tail: readonly Token[], text: string, start: number): { count: number; end: number } {
  let settled = { count: 0, end: start };
  let end = start;
  for (const [index, token] of tail.entries()) {
    // The lexer promises raw texts that add up to the source; where they do not, parse all again.
    if (!text.startsWith(token.raw, end)) break;
    const afterBlankLine = /\n[ \t]*\n$/.test(text.slice(Math.max(start, end - BLANK_LINE_LOOKBACK), end));
    if (token.type !== 'space' && afterBlankLine && text.includes('\n', end)) settled = { count: index, end };
    end += token.raw.length;
  }
  return settled;
}
