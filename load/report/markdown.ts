/** The report as Markdown, for `load/REPORT.md`: without drawings, and without every run's every figure. */
import type { Report, Section, Table } from './section.ts';

export function markdownOf({ title, sections }: Report): string {
  const parts = [
    `# ${title}`,
    'Written by `npm run load -- report`, which also writes a page with the drawings and every figure of every run (`dist/load/report.html`, not kept here).',
    ...sections.map(sectionText),
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionText({ title, sentences, tables }: Section): string {
  return [
    `## ${escaped(title)}`,
    ...(sentences.length > 0 ? [sentences.map((sentence) => `- ${escaped(sentence)}`).join('\n')] : []),
    ...tables.map(tableText),
  ].join('\n\n');
}

function tableText({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(columns), `|${columns.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** Names and notes come from runs, which quote what servers said: none of it may become a link or a tag. */
function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]|]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
