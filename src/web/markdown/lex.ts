/**
 * The lexer, kept from ending the page. It calls itself once per container, so that one line of
 * thousands of quote or list markers, which a model that loops does write, exhausts the stack.
 */
import { Lexer, type Links, type Token, type Tokens } from 'marked';

/** Quotes and lists that one line may open; what is drawn ends well before (see `tree.ts`). */
const MAX_CONTAINERS_PER_LINE = 64;

/** Lists nest over many lines only by indenting each further than the last. */
const MAX_INDENT_CHARACTERS = 160;

const MARKER = String.raw`[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])[ \t](?:[ \t]*\[[ xX]\][ \t])?)`;
/** A fence up to its end: in it, markers are only text. */
const FENCE = String.raw`^ {0,3}(\`{3,}(?![^\n]*\`)|~{3,})[^\n]*(?:\n(?! {0,3}\1)[^\n]*)*`;
const DEEP = `(?:${MARKER}){${MAX_CONTAINERS_PER_LINE + 1}}|(?:${MARKER})*?[ \\t]{${MAX_INDENT_CHARACTERS + 1}}${MARKER}`;
/** Group 2 is the start of a line that is too deep. */
const FENCE_OR_DEEP_LINE = new RegExp(`${FENCE}|^(${DEEP})`, 'gm');
/** `- - -` is one rule however long it is. */
const RULE = /^ {0,3}(?:-[- \t]*|\*[* \t]*)$/;

/** `source` as blocks. What cannot be parsed is a paragraph of its own characters, up to a blank line. */
export function lex(source: string, known: Links = {}): { tokens: Token[]; links: Links } {
  const tokens: Token[] = [];
  let links = known;
  let start = 0;
  const parse = (end: number) => {
    if (end === start) return;
    const part = lexPart(source.slice(start, end), links);
    tokens.push(...part.tokens);
    links = part.links;
    start = end;
  };
  for (const { index, 2: deep } of source.matchAll(FENCE_OR_DEEP_LINE)) {
    if (deep === undefined || index < start || isRule(source, index)) continue;
    parse(index);
    start = plainEnd(source, index);
    tokens.push(plainParagraph(source.slice(index, start)));
  }
  parse(source.length);
  return { tokens, links };
}

function lexPart(source: string, known: Links): { tokens: Token[]; links: Links } {
  const lexer = new Lexer({ gfm: true });
  Object.assign(lexer.tokens.links, known);
  try {
    const tokens = [...lexer.lex(source)];
    return { tokens, links: { ...lexer.tokens.links } };
  } catch {
    // Whatever else it fails on: the reader still gets every word.
    return { tokens: [plainParagraph(source)], links: known };
  }
}

function isRule(source: string, start: number): boolean {
  const end = source.indexOf('\n', start);
  return RULE.test(source.slice(start, end === -1 ? source.length : end));
}

/** After the first blank line that follows `start`. */
function plainEnd(source: string, start: number): number {
  const blank = /\n(?:[ \t]*\n)+/g;
  blank.lastIndex = start;
  return blank.test(source) ? blank.lastIndex : source.length;
}

/** An `escape` token is the one whose text is shown as it is. */
function plainParagraph(raw: string): Tokens.Paragraph {
  return { type: 'paragraph', raw, text: raw, tokens: [{ type: 'escape', raw, text: raw }] };
}
