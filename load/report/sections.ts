/**
 * What the report says, as headings, sentences, tables and drawings; markdown.ts and page.ts each
 * write the same out.
 */
import { CLAIMED_SIZES, capacityOf, perSecondOf, type Capacity } from './capacity.ts';
import { judge, type Judged } from './claim.ts';
import { CLAIMS } from './claims.ts';
import { CLASSES, distributionOf } from './distribution.ts';
import { limitText, NOT_MEASURED, numberText } from './numbers.ts';
import type { Run, RunChart, Runs } from './runs.ts';

const BYTES_PER_GB = 1_000_000_000;

export interface Table {
  columns: string[];
  rows: string[][];
}

export interface Section {
  title: string;
  sentences: string[];
  tables: Table[];
  /** Only on the page. */
  charts: RunChart[];
}

export interface Report {
  title: string;
  sections: Section[];
  /** Every figure of every run: only on the page. */
  details: Section[];
}

export function reportOf(runs: Runs): Report {
  const judged = judge(CLAIMS, runs);
  return {
    title: 'What Switchboard does under load',
    sections: [
      summarySection(runs, judged),
      missedSection(runs),
      claimsSection(judged),
      distributionSection(runs),
      capacitySection(capacityOf(runs)),
      ...peersSection(runs),
    ],
    details: runs.all.map(detailSection),
  };
}

function summarySection(runs: Runs, judged: readonly Judged[]): Section {
  const [first] = runs.all;
  const last = runs.all.at(-1);
  const { commits, disturbed } = runs;
  const count = (verdict: Judged['verdict']): number => judged.filter((line) => line.verdict === verdict).length;
  const dirty = commits.some((commit) => commit.endsWith('-dirty'));
  const machines = [...new Set(runs.all.map(({ machine }) => machineText(machine)))];
  return {
    title: 'Summary',
    sentences: [
      `Measured: commit ${commits.join(', ')}${dirty ? ' (-dirty: with changes that were not committed)' : ''}.`,
      `When: ${first?.startedAt ?? ''} to ${last?.startedAt ?? ''}.`,
      ...machines.map((machine) => `Machine: ${machine}. Server, model simulator and generator share it.`),
      `Of the ${judged.length} lines that the reports claim ${count('held')} are held, ${count('missed')} are missed and ${count('not measured')} were not measured.`,
      ...(disturbed.length > 0
        ? [
            `THE MACHINE WAS NOT QUIET during ${disturbed.join(', ')}: times of these runs are those of the other work, too.`,
          ]
        : []),
    ],
    tables: [
      {
        columns: ['run', 'kind', 'gates', 'missed', 'started'],
        rows: runs.all.map(({ name, kind, gates, startedAt }) => {
          return [name, kind, String(gates.length), String(gates.filter(({ ok }) => !ok).length), startedAt];
        }),
      },
    ],
    charts: [],
  };
}

function machineText({ cores, processor, memoryBytes, system, node, workerd }: Run['machine']): string {
  const memory = (memoryBytes / BYTES_PER_GB).toFixed(0);
  return `${cores} cores (${processor}), ${memory} GB, ${system}, Node ${node}, workerd ${workerd}`;
}

function missedSection({ missed, failed }: Runs): Section {
  const sentences = [
    ...(missed.length === 0 ? ['No gate was missed.'] : []),
    ...failed.map(({ name, problem }) => `${name} left no figures: ${problem}`),
  ];
  const rows = missed.map(({ run, gate }) => [run, gate.name, numberText(gate.value), numberText(gate.limit)]);
  const tables = missed.length === 0 ? [] : [{ columns: ['run', 'gate', 'measured', 'limit'], rows }];
  return { title: 'Gates that were missed', sentences, tables, charts: [] };
}

function claimsSection(judged: readonly Judged[]): Section {
  return {
    title: 'The reports’ claims',
    sentences: ['"Target" is the reports’ own requirement, "claim" their figure; neither was ever measured by them.'],
    tables: [
      {
        columns: ['', 'line', 'target', 'claim', 'measured', 'limit', '', 'by'],
        rows: judged.map(({ section, name, unit, target, claim, value, limit, verdict, by }) => [
          section,
          unit === '' ? name : `${name}, ${unit}`,
          target,
          claim,
          numberText(value),
          limitText(limit),
          verdict === 'missed' ? 'MISSED' : verdict === 'not measured' ? '' : verdict,
          by,
        ]),
      },
    ],
    charts: [],
  };
}

function distributionSection(runs: Runs): Section {
  const found = runs.all.map(distributionOf).filter((distribution) => distribution !== null);
  const rows = CLASSES.map(({ name, claimed }, index) => [
    name,
    claimed,
    ...found.map(({ shares }) => numberText(shares[index] ?? null)),
  ]);
  return {
    title: 'How response times are spread, % of the answers',
    sentences:
      found.length === 0
        ? [`Of no run: ${NOT_MEASURED}.`]
        : ['The model’s own time is in them, as it is in the reports’.'],
    tables: found.length === 0 ? [] : [{ columns: ['class', 'claim', ...found.map(({ run }) => run)], rows }],
    charts: [
      {
        title: 'Response times in the reports’ classes',
        kind: 'bars',
        x: 'ms',
        y: '% of the answers',
        labels: CLASSES.map(({ name }) => name),
        series: [
          { name: 'claim', points: CLASSES.map(({ claimed }, index) => [index, Number(claimed)]) },
          ...found.map(({ run, shares }) => ({
            name: run,
            points: shares.map((share, index): [number, number] => [index, share]),
          })),
        ],
      },
    ],
  };
}

function capacitySection(capacity: Capacity): Section {
  const { points, broken, needs, limits, pricePerMillion } = capacity;
  const names = points.map(({ run, users }) => `${run} (${users})`).join(', ');
  return {
    title: 'Capacity',
    sentences: [
      points.length < 3
        ? `What a scale needs: ${NOT_MEASURED}, for want of three runs with different user counts.`
        : `Straight lines through ${names}; a user says 10 messages a minute. Nothing is added for safety.`,
      ...(broken.length > 0
        ? [
            `Left out, since they broke down (more than 1 % without an answer): ${broken.join(', ')}. What so many users need was not measured by them.`,
          ]
        : []),
      ...lineSentences(capacity),
      ...limits.map(limitSentence),
      ...(limits.length === 0
        ? [`Highest rate, first bottleneck, headroom: ${NOT_MEASURED}, for want of a stress run.`]
        : []),
      ...(pricePerMillion.length === 0 ? [`Price: ${NOT_MEASURED}.`] : []),
    ],
    tables: [
      ...(needs.length === 0 ? [] : [needsTable(needs)]),
      ...(pricePerMillion.length === 0 ? [] : [priceTable(pricePerMillion)]),
    ],
    charts: points.length === 0 ? [] : capacityCharts(points),
  };
}

function lineSentences({ memory, processor, price }: Capacity): string[] {
  return [
    ...(memory
      ? [
          `Memory: ${numberText(memory.intercept)} MB and ${numberText(memory.slope)} ± ${numberText(memory.slopeError)} MB a user. ± in the table is what 95 in 100 further runs would lie within.`,
        ]
      : []),
    ...(processor
      ? [
          `Processor: ${numberText(processor.slope * 1_000)} ± ${numberText(processor.slopeError * 1_000)} s per 1,000 answers, ${numberText(Math.max(0, processor.intercept) * 100)} % of a core at rest.`,
        ]
      : []),
    ...(price
      ? [
          `Price: $ ${numberText(price.slope * perSecondOf(1_000))} ± ${numberText(price.slopeError * perSecondOf(1_000))} an hour for 1,000 users, of rows, requests and the time that sessions could not sleep, all as counted.`,
        ]
      : []),
  ];
}

function limitSentence({
  ladder,
  heldPerSecond,
  users,
  planAtUsers,
  headroom,
  bottleneck,
  serverCores,
}: Capacity['limits'][number]): string {
  return (
    `${ladder}: ${numberText(Math.round(heldPerSecond))} messages/s were held, as of ${numberText(Math.round(users))} users ` +
    `(${numberText(headroom)} times the reports’ 1,000); at ${numberText(Math.round(planAtUsers))} users it is time to plan for more. ` +
    `The server used ${numberText(serverCores)} cores then. First bottleneck: ${bottleneck}.`
  );
}

function needsTable(needs: Capacity['needs']): Table {
  return {
    columns: ['users', 'the reports say', 'memory, MB', 'processor, cores', '$ an hour', ''],
    rows: needs.map(({ users, memoryMb, memoryErrorMb, cores, dollarsPerHour, isBeyond }) => [
      numberText(users),
      CLAIMED_SIZES[users] ?? '',
      `${numberText(Math.round(memoryMb))} ± ${numberText(Math.round(memoryErrorMb))}`,
      numberText(cores),
      numberText(dollarsPerHour),
      isBeyond ? 'beyond what was measured' : '',
    ]),
  };
}

function priceTable(prices: Capacity['pricePerMillion']): Table {
  return {
    columns: ['run', '$ a million turns', 'without waiting for the model'],
    rows: prices.map(({ run, all, withoutWaiting }) => [run, numberText(all), numberText(withoutWaiting)]),
  };
}

function capacityCharts(points: Capacity['points']): RunChart[] {
  const line = (title: string, y: string, of: (point: Capacity['points'][number]) => number): RunChart => ({
    title,
    kind: 'lines',
    x: 'users',
    y,
    series: [
      {
        name: 'measured',
        points: points.toSorted((a, b) => a.users - b.users).map((point) => [point.users, of(point)]),
      },
    ],
  });
  return [
    line('Memory by users', 'MB', ({ memoryMb }) => memoryMb),
    line('Processor by users', 'cores', ({ cores }) => cores),
  ];
}

/** The comparison is the table that most people look for: it stands among the first, not only in the details. */
function peersSection(runs: Runs): Section[] {
  const peers = runs.run('peers');
  return peers ? [{ ...detailSection(peers), title: 'Side by side' }] : [];
}

function detailSection({ name, kind, figures, gates, notes, charts }: Run): Section {
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
          numberText(gate.value),
          numberText(gate.limit),
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
