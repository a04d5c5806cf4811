/** One run with all that it measured: figures, gates, notes and drawings. */
import { besideText, exactText, numberText } from './numbers.ts';
import type { Run } from './runs.ts';
import type { Section, Table } from './section.ts';

export function detailSection({ name, kind, figures, gates, notes, charts }: Run): Section {
  const groups = Map.groupBy(figures, ({ group }) => group);
  return {
    title: `${kind === 'drill' ? 'Drill' : 'Scenario'}: ${name}`,
    sentences: notes,
    tables: [
      ...[...groups].map(([group, own]) => figureTable(group, own)),
      {
        columns: ['gate', 'measured', 'limit', ''],
        rows: gates.map((gate) => [
          gate.name,
          besideText(gate.value, gate.limit),
          exactText(gate.limit),
          gate.ok ? 'ok' : 'MISSED',
        ]),
      },
    ],
    charts,
  };
}

/** One row a name, one column a subject, both in the order in which they first appear. */
function figureTable(group: string, figures: Run['figures']): Table {
  const subjects = [...new Set(figures.map(({ subject }) => subject))];
  const rows = Map.groupBy(figures, ({ name, unit }) => (unit === '' ? name : `${name}, ${unit}`));
  return {
    columns: [group, ...subjects],
    rows: [...rows].map(([label, own]) => [
      label,
      ...subjects.map((subject) => {
        const figure = own.find((candidate) => candidate.subject === subject);
        return figure ? numberText(figure.value) : '';
      }),
    ]),
  };
}
