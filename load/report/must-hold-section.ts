/** What must hold as a table: held or not, all of it is shown, and what is judged beside what is not. */
import { verdictOf, type Verdict } from './claim.ts';
import { MUST_HOLD, type MustHold } from './must-hold.ts';
import { besideText, boundOf, limitText } from './numbers.ts';
import type { Runs } from './runs.ts';
import type { Section } from './section.ts';

const VERDICTS: Record<Verdict, string> = {
  held: 'held',
  missed: 'MISSED',
  'not measured': '',
  'no claim': 'no bound',
};

export function mustHoldSection(runs: Runs): Section {
  const judged = MUST_HOLD.map((line) => {
    const value = line.measure?.(runs) ?? null;
    return { line, value, verdict: verdictOf(value, line.limit) };
  });
  const bounded = judged.filter(({ line }) => line.limit !== null);
  const count = (verdict: Verdict): number => bounded.filter((one) => one.verdict === verdict).length;
  return {
    title: 'What must hold',
    sentences: [
      `Of ${bounded.length} lines with a bound ${count('held')} are held, ${count('missed')} are missed, ${count('not measured')} were not measured.`,
      'At saturation the bare object is judged as Miniflare sets up any Worker, with a worker of its own before it and behind its fetch. “Like for like” is the same object without these, as Switchboard’s local server runs: there it is shown with what would come of it, and not judged; elsewhere the bare object is that one, judged or shown, unless said otherwise.',
    ],
    tables: [
      {
        columns: ['', 'line', 'must be', 'goal', 'measured', '', 'beside it, not judged', 'measured by'],
        rows: judged.map(({ line, value, verdict }) => [
          line.part,
          line.name,
          limitText(line.limit),
          line.goal ?? '',
          besideText(value, boundOf(line.limit)),
          VERDICTS[verdict],
          besides(line, runs).join('; '),
          line.by,
        ]),
      },
    ],
    charts: [],
  };
}

function besides({ limit, likeForLike, beside = [] }: MustHold, runs: Runs): string[] {
  const alike = likeForLike ? likeForLike(runs) : null;
  const wouldBe = { held: ' (would be held)', missed: ' (would be missed)', 'not measured': '', 'no claim': '' };
  return [
    ...(likeForLike ? [`like for like ${besideText(alike, boundOf(limit))}${wouldBe[verdictOf(alike, limit)]}`] : []),
    ...beside.map(({ name, measure }) => `${name} ${besideText(measure(runs), boundOf(limit))}`),
  ];
}
