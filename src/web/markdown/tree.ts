/**
 * Markdown tokens to a plain tree that can only say safe things: no raw HTML, no attribute that a
 * model chooses except checked addresses. The component that draws it adds nothing of its own.
 */
import type { MarkedToken, Token, Tokens } from 'marked';
import { decodeEntities } from './entities.ts';
import { safeImage, safeLink } from './links.ts';

type PlainTag =
  | 'p'
  | 'h1'
  | 'h2'
  | 'h3'
  | 'h4'
  | 'h5'
  | 'h6'
  | 'blockquote'
  | 'ul'
  | 'hr'
  | 'br'
  | 'strong'
  | 'em'
  | 'del'
  | 'thead'
  | 'tbody'
  | 'tr';
type Align = 'left' | 'center' | 'right' | null;

export type MdNode =
  | string
  | { tag: PlainTag; children: MdNode[] }
  | { tag: 'ol'; start: number; children: MdNode[] }
  | { tag: 'li'; task: boolean; children: MdNode[] }
  | { tag: 'checkbox'; checked: boolean }
  | { tag: 'table'; children: MdNode[] }
  | { tag: 'th' | 'td'; align: Align; children: MdNode[] }
  | { tag: 'code'; text: string }
  | { tag: 'pre'; language: string; text: string }
  | { tag: 'a'; href: string; title: string; children: MdNode[] }
  | { tag: 'image'; href: string; alt: string };

/** Nested lists and quotes deeper than this are shown as text: a model that loops must not end the page. */
const MAX_DEPTH = 24;
const HEADINGS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'] as const;

/** The tree of one block token; empty for what has no look of its own (blank lines, link definitions). */
export function blockTree(token: Token): MdNode[] {
  return nodeOf(token, 0);
}

function nodesOf(tokens: readonly Token[] | undefined, depth: number): MdNode[] {
  return (tokens ?? []).flatMap((token) => nodeOf(token, depth + 1));
}

// The lexer's union ends in a `Generic` for extensions, which would swallow every case; none are in use.
function isKnown(token: Token): token is MarkedToken {
  return KNOWN.has(token.type);
}
const KNOWN: ReadonlySet<string> = new Set([
  'blockquote',
  'br',
  'checkbox',
  'code',
  'codespan',
  'def',
  'del',
  'em',
  'escape',
  'heading',
  'hr',
  'html',
  'image',
  'link',
  'list',
  'list_item',
  'paragraph',
  'space',
  'strong',
  'table',
  'text',
]);

function nodeOf(token: Token, depth: number): MdNode[] {
  if (depth > MAX_DEPTH || !isKnown(token)) return [token.raw];
  switch (token.type) {
    case 'space':
    case 'def':
      return [];
    case 'paragraph':
      return [{ tag: 'p', children: nodesOf(token.tokens, depth) }];
    case 'heading':
      return [{ tag: HEADINGS[token.depth - 1] ?? 'h6', children: nodesOf(token.tokens, depth) }];
    case 'blockquote':
      return [{ tag: 'blockquote', children: nodesOf(token.tokens, depth) }];
    case 'list':
      return [listNode(token, depth)];
    case 'list_item':
      return [{ tag: 'li', task: token.task, children: nodesOf(token.tokens, depth) }];
    case 'checkbox':
      return [{ tag: 'checkbox', checked: token.checked }];
    case 'table':
      return [tableNode(token, depth)];
    case 'code':
      return [{ tag: 'pre', language: languageOf(token.lang), text: token.text }];
    case 'hr':
    case 'br':
      return [{ tag: token.type, children: [] }];
    case 'strong':
    case 'em':
    case 'del':
      return [{ tag: token.type, children: nodesOf(token.tokens, depth) }];
    case 'codespan':
      return [{ tag: 'code', text: token.text }];
    case 'link':
      return linkNode(token, depth);
    case 'image':
      return imageNode(token);
    case 'escape':
      return [token.text];
    case 'html':
      // Block HTML is a paragraph of its own text; inline HTML stays in its sentence.
      return token.block ? [{ tag: 'p', children: [token.text.trimEnd()] }] : [token.text];
    case 'text':
      return token.tokens ? nodesOf(token.tokens, depth) : [decodeEntities(token.text)];
  }
}

function listNode(token: Tokens.List, depth: number): MdNode {
  const children = nodesOf(token.items, depth);
  return token.ordered ? { tag: 'ol', start: token.start === '' ? 1 : token.start, children } : { tag: 'ul', children };
}

function tableNode(token: Tokens.Table, depth: number): MdNode {
  const row = (tag: 'th' | 'td', cells: readonly Tokens.TableCell[]): MdNode => ({
    tag: 'tr',
    children: cells.map((cell) => ({ tag, align: cell.align, children: nodesOf(cell.tokens, depth) })),
  });
  return {
    tag: 'table',
    children: [
      { tag: 'thead', children: [row('th', token.header)] },
      { tag: 'tbody', children: token.rows.map((cells) => row('td', cells)) },
    ],
  };
}

function linkNode(token: Tokens.Link, depth: number): MdNode[] {
  const literal = token.autolink === true;
  const href = safeLink(literal ? token.href : decodeEntities(token.href));
  // What is not a link is shown as it was written, so that the reader sees where it wanted to go.
  if (href === null) return [token.raw];
  const children = literal ? [token.text] : nodesOf(token.tokens, depth);
  return [{ tag: 'a', href, title: decodeEntities(token.title ?? ''), children }];
}

function imageNode(token: Tokens.Image): MdNode[] {
  const href = safeImage(decodeEntities(token.href));
  return href === null ? [token.raw] : [{ tag: 'image', href, alt: decodeEntities(token.text) }];
}

/** The first word of the fence's info string: `ts title="x"` is `ts`. */
function languageOf(info: string | undefined): string {
  return /^[\w+#.-]{1,24}/.exec(info?.trim() ?? '')?.[0] ?? '';
}
