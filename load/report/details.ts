/** One run with all that it measured: figures, gates, notes and drawings. */
import { besideText, exactText, numberText } from './numbers.ts';
import type { Run } from './runs.ts';
import type { Report, Section, Table } from './section.ts';

const BYTES_PER_GB = 1_000_000_000;

/** A report of one run alone. */
export function singleReport(run: Run): Report {
  const { kind, name, commit, startedAt, machine } = run;
  const about = [`Measured: commit ${commit ?? 'unknown'}, ${startedAt}.`, `Machine: ${machineText(machine)}.`];
  const { title: _, sentences, ...section } = detailSection(run);
  return {
    title: `Switchboard: ${kind} ${name}`,
    sections: [{ title: 'Figures', sentences: [...about, ...sentences], ...section }],
    details: [],
  };
}

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

export function machineText({ cores, processor, memoryBytes, system, node, workerd }: Run['machine']): string {
  const memory = (memoryBytes / BYTES_PER_GB).toFixed(0);
  return `${cores} cores (${processor}), ${memory} GB, ${system}, Node ${node}, workerd ${workerd}`;
}
