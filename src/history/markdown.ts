/**
 * Texts by strangers (people, models) inside one Markdown document: each keeps its own Markdown
 * but cannot reach beyond its place. What could are blocks that nothing closed, a code fence
 * above all, and raw HTML.
 */

const FENCE = /^([\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)?)(`{3,}|~{3,})(.*)$/;
/** What an HTML tag, comment or instruction begins with. */
const TAG = /<(?=[a-z/!?])/gi;

/** The text with its Markdown alive, raw HTML shown as text, and an unclosed fence closed. */
export function containMarkdown(text: string): string {
  let fence: { indent: string; marks: string } | null = null;
  const lines = text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => {
      const match = FENCE.exec(line);
      const [, indent = '', marks = '', rest = ''] = match ?? [];
      if (fence) {
        if (match && marks.startsWith(fence.marks) && rest.trim() === '') fence = null;
        return line;
      }
      // Backticks after the opening ones: that is code within a line, not a fence.
      if (!match || (marks.startsWith('`') && rest.includes('`'))) return escapeTags(line);
      fence = { indent: indent.replace(/[^\s>]/g, ' '), marks };
      return line;
    });
  return fence === null ? lines.join('\n') : [...lines, closing(fence)].join('\n');
}

function closing(fence: { indent: string; marks: string }): string {
  return fence.indent + fence.marks;
}

/** Escapes tags outside of `code`, which shows them as they are. */
function escapeTags(line: string): string {
  let out = '';
  let rest = line;
  for (;;) {
    const ticks = /`+/.exec(rest);
    if (!ticks) return out + rest.replace(TAG, '\\<');
    const inside = ticks.index + ticks[0].length;
    const end = closingTicks(rest, inside, ticks[0].length);
    out += rest.slice(0, ticks.index).replace(TAG, '\\<') + rest.slice(ticks.index, end);
    rest = rest.slice(end);
  }
}

/** Where the code that begins before `from` ends: after as many backticks; at `from` when it does not. */
function closingTicks(line: string, from: number, length: number): number {
  for (const run of line.slice(from).matchAll(/`+/g)) {
    if (run[0].length === length) return from + run.index + length;
  }
  return from;
}

/** One line of plain text: no Markdown, no HTML, no line break. */
export function escapeLine(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>#|~&]/g, '\\$&');
}

/** The text as a code block that nothing in it can end. */
export function codeBlock(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
