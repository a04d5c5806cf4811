/** The report as one HTML page that asks nothing of any server. */
import { drawingOf } from './drawing.ts';
import { escapeHtml } from './escape.ts';
import { NOT_MEASURED } from './numbers.ts';
import type { Report, Section, Table } from './section.ts';

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; color: #1f2937; }
h2 { border-bottom: 1px solid #d1d5db; margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: 13px; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border: 1px solid #e5e7eb; padding: 2px 8px; text-align: left; vertical-align: top; }
th { background: #f3f4f6; }
.missed { background: #fee2e2; font-weight: 600; }
.none { color: #6b7280; white-space: nowrap; }
figure { display: inline-block; width: 560px; max-width: 100%; margin: 0.5rem 0.7rem 0.5rem 0; vertical-align: top; }
figcaption { font-weight: 600; font-size: 13px; }
svg { width: 100%; background: #fafafa; }
svg text { font: 10px system-ui, sans-serif; fill: #4b5563; }
svg .x { text-anchor: middle; }
svg .y { text-anchor: end; dominant-baseline: middle; }
svg .grid { stroke: #e5e7eb; }
.legend { font-size: 12px; margin: 0; }
summary { cursor: pointer; font-weight: 600; padding: 0.3rem 0; }
`;

export function pageOf({ title, sections, details }: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${sections.map((section) => `<h2>${escapeHtml(section.title)}</h2>\n${bodyOf(section)}`).join('\n')}
${detailsOf(details)}
</body>
</html>
`;
}

function detailsOf(details: Report['details']): string {
  if (details.length === 0) return '';
  const each = ({ title, ...section }: Report['details'][number]): string =>
    `<details><summary>${escapeHtml(title)}</summary>\n${bodyOf({ title, ...section })}\n</details>`;
  return `<h2>Every figure of every run</h2>\n${details.map(each).join('\n')}`;
}

function bodyOf({ sentences, tables, charts }: Section): string {
  const items = sentences.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join('\n');
  return [
    ...(sentences.length > 0 ? [`<ul>\n${items}\n</ul>`] : []),
    ...tables.map(tableOf),
    ...charts.map(drawingOf),
  ].join('\n');
}

function tableOf({ columns, rows }: Table): string {
  const head = columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map(cellOf).join('')}</tr>`).join('\n');
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

function cellOf(text: string): string {
  if (text === 'MISSED') return `<td class="missed">${text}</td>`;
  if (text === NOT_MEASURED) return `<td class="none">${text}</td>`;
  return `<td>${escapeHtml(text)}</td>`;
}
