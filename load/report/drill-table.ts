/** All drills in one table: what broke, when it was seen, when it was over, and what became of messages and of the others. */
import { DRILLS } from '../drills/all.ts';
import { LOST_CONNECTIONS } from '../drills/figures.ts';
import { SILENT_FOR_SOME, TIMEOUT_MS } from '../drills/silent-model.ts';
import { CHECKED } from '../measure/figures.ts';
import { mostOfAll, of, type Measure } from './claim.ts';
import { NOT_MEASURED, numberText } from './numbers.ts';
import type { Runs, Wanted } from './runs.ts';
import type { Section } from './section.ts';

interface Shown {
  label: string;
  measure: Measure;
}
interface Row {
  seen: Shown[];
  back: Shown[];
  others: Shown[];
}

const shown = (drill: string, label: string, wanted: Wanted): Shown => ({ label, measure: of(drill, wanted) });
const ratios = (drill: string, subject: string): Shown[] =>
  [50, 95].map((percent) =>
    shown(drill, `${subject} p${percent}`, {
      group: 'effect, as a ratio',
      subject,
      name: `answer p${percent}, during / before`,
    }),
  );
/** A drill in which everybody may lose a connection. */
const connections = (drill: string): Row => ({
  seen: [shown(drill, '', { group: LOST_CONNECTIONS, name: 'seen by the client at most' })],
  back: [shown(drill, '', { group: LOST_CONNECTIONS, name: 'healed to new acknowledgement at most' })],
  others: ratios(drill, 'everybody'),
});

const ROWS: Readonly<Record<string, Row>> = {
  latency: {
    seen: [],
    back: [shown('latency', 'first token', { group: 'the slow model', name: 'healed to first token at most' })],
    others: ratios('latency', 'everybody'),
  },
  drops: {
    seen: ['reset', 'silent'].map((subject) =>
      shown('drops', subject, { subject, name: 'seen by the client at most' }),
    ),
    back: ['reset', 'silent'].map((subject) =>
      shown('drops', `${subject}, since it was seen`, { subject, name: 'seen to live again at most' }),
    ),
    others: ratios('drops', 'others'),
  },
  'llm-timeout': {
    seen: [
      {
        label: `by the users (deadline ${numberText(TIMEOUT_MS)})`,
        measure: mostOfAll('llm-timeout', { group: SILENT_FOR_SOME, name: 'silence to the user’s knowing at most' }),
      },
      shown('llm-timeout', 'by the bot', { name: 'silence to the bot’s state degraded' }),
    ],
    back: [
      shown('llm-timeout', 'first token', { group: 'the whole model silent', name: 'healed to first token at most' }),
    ],
    others: [50, 95].map((percent) =>
      shown('llm-timeout', `others p${percent}`, {
        group: SILENT_FOR_SOME,
        subject: 'others',
        name: `answer p${percent}, during / before`,
      }),
    ),
  },
  'd1-down': {
    seen: [shown('d1-down', 'in the log', { group: 'without D1', name: 'fault to the first line in the log' })],
    back: [
      shown('d1-down', 'acknowledgement', { group: 'without D1', name: 'healed to new acknowledgement at most' }),
      shown('d1-down', 'D1 complete', { group: 'without D1', name: 'healed and everything said: D1 complete after' }),
    ],
    others: ratios('d1-down', 'everybody'),
  },
  'slow-reader': {
    seen: [],
    back: [],
    others: [50, 95].map((percent) =>
      shown('slow-reader', `others p${percent}`, { name: `other users: answer p${percent}, stalled / reading` }),
    ),
  },
};

export function drillsSection(runs: Runs): Section {
  return {
    title: 'Drills',
    sentences: [
      'Users talk by the clock while it breaks. “Seen” is from the fault to when a user’s client (or who is named) knew it, “back” from the fault’s end to the next message acknowledged (or what is named), both the longest; an empty field: nothing is cut, so nothing is to be seen or to come back. Others: how long answers took during the fault over before; where nobody was spared, everybody’s.',
    ],
    tables: [
      {
        columns: [
          'drill',
          'what broke',
          'seen, ms',
          'back, ms',
          'lost',
          'doubled',
          'effect on others, times',
          'gates missed',
        ],
        rows: DRILLS.map(({ name, summary }) => rowOf(runs, name, summary)),
      },
    ],
    charts: [],
  };
}

function rowOf(runs: Runs, drill: string, summary: string): string[] {
  const { seen, back, others } = ROWS[drill] ?? connections(drill);
  const cell = (all: readonly Shown[]): string =>
    all.map(({ label, measure }) => `${label} ${numberText(measure(runs))}`.trim()).join('; ');
  const checked = (name: string): string => numberText(runs.value(drill, { group: CHECKED, name }));
  const run = runs.run(drill);
  if (!run) return [drill, summary, ...Array.from({ length: 6 }, () => NOT_MEASURED)];
  return [
    drill,
    summary,
    cell(seen),
    cell(back),
    checked('messages lost'),
    checked('messages doubled'),
    cell(others),
    numberText(run.gates.filter(({ ok }) => !ok).length),
  ];
}
