/** What the report says, as headings, sentences, tables and drawings. */
import { NOT_QUIET } from '../measure/noise.ts';
import { NOT_RUN } from '../scenario.ts';
import { capacityOf } from './capacity.ts';
import { capacitySection } from './capacity-section.ts';
import { isOurs, judge, type Judged } from './claim.ts';
import { CLAIMS } from './claims.ts';
import { detailSection, machineText } from './details.ts';
import { CLASSES, distributionOf } from './distribution.ts';
import { drillsSection } from './drill-table.ts';
import { mustHoldSection } from './must-hold-section.ts';
import { besideText, boundOf, exactText, limitText, NOT_MEASURED, numberText } from './numbers.ts';
import { otherMachineSection } from './other-machine.ts';
import { PLAN } from './plan.ts';
import type { Runs } from './runs.ts';
import type { Report, Section } from './section.ts';
import { trustSection } from './trust.ts';

export function reportOf(runs: Runs): Report {
  const judged = judge(CLAIMS, runs);
  const mustHold = mustHoldSection(runs);
  return {
    title: 'What Switchboard does under load',
    sections: [
      summarySection(runs, judged, mustHold),
      mustHold,
      ...otherMachineSection(runs),
      missedSection(runs),
      drillsSection(runs),
      claimsSection(judged),
      distributionSection(runs),
      capacitySection(capacityOf(runs)),
      ...peersSection(runs),
      trustSection(),
    ],
    details: runs.all.map(detailSection),
  };
}

function summarySection(runs: Runs, judged: readonly Judged[], mustHold: Section): Section {
  const [first] = runs.all;
  const last = runs.all.at(-1);
  const { commits, disturbed } = runs;
  const dirty = commits.some((commit) => commit.endsWith('-dirty'));
  const machines = [...new Set(runs.all.map(({ machine }) => machineText(machine)))];
  return {
    title: 'Summary',
    sentences: [
      `Measured: commit ${commits.join(', ')}${dirty ? ' (-dirty: with changes that were not committed)' : ''}.`,
      `When: ${first?.startedAt ?? ''} to ${last?.startedAt ?? ''}.`,
      ...machines.map((machine) => `Machine: ${machine}. Server, model simulator and generator share it.`),
      'It is counted three times. “What must hold” is what this project asks of itself: the hardest. Gates are what a single run or drill fails by. “The reports” are capacity reports of two older systems, whose figures were never measured: each of their claims is a line here, also those that no gate is made of.',
      `${mustHold.title}: ${mustHold.sentences[0] ?? ''}`,
      `Gates: ${runs.all.reduce((sum, { gates }) => sum + gates.length, 0)}, of which ${runs.missed.length} were missed.`,
      ...countSentences(judged),
      ...runs.all.flatMap(({ name, notes }) =>
        notes.filter((note) => note.startsWith(NOT_RUN)).map((note) => `${name}: ${note}`),
      ),
      ...(disturbed.length > 0
        ? [`${NOT_QUIET} during ${disturbed.join(', ')}: times of these runs are those of the other work, too.`]
        : []),
    ],
    tables: [
      {
        columns: ['run', 'kind', 'gates', 'missed', 'started', 'commit'],
        rows: runs.all.map(({ name, kind, gates, startedAt, commit }) => [
          name,
          kind,
          String(gates.length),
          String(gates.filter(({ ok }) => !ok).length),
          startedAt,
          commit ?? 'unknown',
        ]),
      },
    ],
    charts: [],
  };
}

/** Of what the reports claim, and of what only we ask: the counts add up to the lines. */
function countSentences(judged: readonly Judged[]): string[] {
  const text = (lines: readonly Judged[]): string => {
    const count = (verdict: Judged['verdict']): number => lines.filter((line) => line.verdict === verdict).length;
    const shown = count('no claim') === 0 ? '' : `, ${count('no claim')} only shown`;
    return `${count('held')} are held, ${count('missed')} are missed, ${count('not measured')} were not measured${shown}`;
  };
  const theirs = judged.filter((line) => !isOurs(line));
  const ours = judged.filter(isOurs);
  return [
    `The reports’ claims: of ${theirs.length} lines ${text(theirs)}. Of ${ours.length} more that only we ask for ${text(ours)}.`,
  ];
}

function missedSection(runs: Runs): Section {
  const { missed, failed } = runs;
  const absent = PLAN.filter(({ name }) => !runs.run(name) && !failed.some((one) => one.name === name));
  const sentences = [
    ...(missed.length === 0 ? ['No gate was missed.'] : []),
    ...failed.map(({ name, problem }) => `${name} left no figures: ${problem}`),
    ...(absent.length === 0 ? [] : [`Not run, and not in this report: ${absent.map(({ name }) => name).join(', ')}.`]),
  ];
  const rows = missed.map(({ run, gate }) => [
    run,
    gate.name,
    besideText(gate.value, gate.limit),
    exactText(gate.limit),
  ]);
  const tables = missed.length === 0 ? [] : [{ columns: ['run', 'gate', 'measured', 'limit'], rows }];
  return { title: 'Gates that were missed', sentences, tables, charts: [] };
}

function claimsSection(judged: readonly Judged[]): Section {
  return {
    title: 'The reports’ claims',
    sentences: [
      '"Target" is the reports’ own requirement, "claim" their figure; neither was ever measured by them. Of a line whose claim is "ours" they say nothing.',
    ],
    tables: [
      {
        columns: ['', 'line', 'target', 'claim', 'measured', 'limit', '', 'by'],
        rows: judged.map(({ section, name, unit, target, claim, value, limit, verdict, by }) => [
          section,
          unit === '' ? name : `${name}, ${unit}`,
          target,
          claim,
          besideText(value, boundOf(limit)),
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

/** The comparison is the table that most people look for: it stands among the first, not only in the details. */
function peersSection(runs: Runs): Section[] {
  const peers = runs.run('peers');
  return peers ? [{ ...detailSection(peers), title: 'Side by side' }] : [];
}
