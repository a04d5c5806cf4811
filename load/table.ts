/** A result as a person reads it on a terminal. */
import type { Figure, Gate, ScenarioResult } from './scenario.ts';

const NOT_MEASURED = 'not measured';

export function resultText({ figures, gates, notes }: ScenarioResult): string {
  const groups = Map.groupBy(figures, ({ group }) => group);
  return [
    ...[...groups].map(([group, own]) => `${group}\n${figureTable(own)}`),
    ...(gates.length > 0 ? [gateTable(gates)] : []),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join('\n')] : []),
  ].join('\n\n');
}

/** One row a name, one column a subject, both in the order in which they first appear. */
function figureTable(figures: readonly Figure[]): string {
  const subjects = [...new Set(figures.map(({ subject }) => subject))];
  const rows = [...Map.groupBy(figures, ({ name, unit }) => (unit === '' ? name : `${name}, ${unit}`))];
  const cells = rows.map(([label, own]) => {
    const values = subjects.map((subject) => own.find((figure) => figure.subject === subject));
    return [label, ...values.map((figure) => (figure ? numberText(figure.value) : ''))];
  });
  return alignedText([['', ...subjects], ...cells]);
}

function gateTable(gates: readonly Gate[]): string {
  const cells = gates.map(({ name, value, limit, ok }) => [
    name,
    numberText(value),
    numberText(limit),
    ok ? 'ok' : 'MISSED',
  ]);
  return alignedText([['gate', 'value', 'limit', ''], ...cells]);
}

function alignedText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return rows.map((row) => `  ${line(row)}`.trimEnd()).join('\n');
}

/** Three digits are more than such figures are good for. */
function numberText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return NOT_MEASURED;
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
