/** What a scale needs and how far one server goes, in words and tables. */
import { CLAIMED_SIZES, type Capacity } from './capacity.ts';
import { NOT_QUIET } from '../measure/noise.ts';
import { NOT_MEASURED, numberText } from './numbers.ts';
import { perSecondOf, type Bears, type Bound, type Rate } from './rates.ts';
import type { RunChart } from './runs.ts';
import type { Section, Table } from './section.ts';

export function capacitySection(capacity: Capacity): Section {
  const { points, broken, filled, needs, rates, bears, pricePerMillion, processor } = capacity;
  const names = points.map(({ run, users }) => `${run} (${users})`).join(', ');
  return {
    title: 'Capacity',
    sentences: [
      ...(bears ? bearsSentences(bears, Math.max(0, ...points.map(({ users }) => users))) : []),
      points.length < 3
        ? `What a scale needs: ${NOT_MEASURED}, for want of three runs with different user counts.`
        : `Straight lines through ${names}; a user says 10 messages a minute. Nothing is added for safety; ± is what 95 in 100 further runs would lie within.`,
      ...growthSentence(points),
      ...(broken.length > 0
        ? [
            `Left out, since they broke down (more than 1 % without an answer): ${broken.join(', ')}. What so many users need was not measured by them.`,
          ]
        : []),
      ...(filled.length > 0
        ? [`Memory of ${filled.join(', ')} is not in its line: the caches of databases were filled before.`]
        : []),
      ...lineSentences(capacity),
      ...rates.map((rate) => rateSentence(rate, processor ? processor.slope * 1_000 : null)),
      ...(rates.length === 0 ? [`Highest rate held: ${NOT_MEASURED}, for want of a stress run.`] : []),
      ...(pricePerMillion.length === 0 ? [`Price: ${NOT_MEASURED}.`] : []),
    ],
    tables: [
      ...(needs.length === 0 ? [] : [needsTable(needs)]),
      ...(pricePerMillion.length === 0 ? [] : [priceTable(pricePerMillion)]),
    ],
    charts: points.length === 0 ? [] : capacityCharts(points),
  };
}

/** One number of users, and its cores, headroom and bottleneck from the same bound. */
function bearsSentences(bears: Bears, most: number): string[] {
  const { by, users, headroom, planAtUsers, cores, bottleneck, bounds, isDisturbed } = bears;
  const beyond = users > most ? ` No run had more than ${numberText(most)}: this is drawn on from them.` : '';
  return [
    `One server bears ${usersText(bears)} users, ${numberText(headroom)} times the reports’ 1,000 (cores used then: ${numberText(cores)}). First bottleneck: ${bottleneck}. At ${numberText(Math.round(planAtUsers))} users it is time to plan for more.${beyond}`,
    ...(isDisturbed ? [`${NOT_QUIET} when that was measured: on one that is, it may be more.`] : []),
    `That is by “${by}”, the least of what is known: ${bounds.map((bound) => `${bound.by}: ${usersText(bound)}`).join('; ')}.`,
  ];
}

function usersText({ users, usersError }: Bound): string {
  const error = usersError === null ? '' : ` ± ${numberText(Math.round(usersError))}`;
  return `${numberText(Math.round(users))}${error}`;
}

/** A short run ends before memory does what it does in a day. */
function growthSentence(points: Capacity['points']): string[] {
  const seconds = points.flatMap((point) => (point.seconds === null ? [] : [point.seconds]));
  const [largest] = points.toSorted((one, other) => other.users - one.users);
  if (!largest || seconds.length < points.length) return [];
  const { run, memoryBeforeMb, memoryMb } = largest;
  const grown =
    memoryBeforeMb === null ? '' : ` (${run}: from ${numberText(memoryBeforeMb)} to ${numberText(memoryMb)} MB)`;
  return [
    `These are runs of ${Math.min(...seconds)} to ${Math.max(...seconds)} s, in which memory still grows${grown}: what a day needs is more, and not measured here.`,
  ];
}

function lineSentences({ memory, processor, price, idleCores }: Capacity): string[] {
  return [
    ...(memory
      ? [
          `Memory: ${numberText(memory.slope)} ± ${numberText(memory.slopeError)} MB a user, and ${numberText(memory.intercept)} MB that the line leaves over for none.`,
        ]
      : []),
    ...(processor
      ? [
          `Processor: ${numberText(processor.slope * 1_000)} ± ${numberText(processor.slopeError * 1_000)} s per 1,000 answers, and ${numberText(processor.intercept * 100)} % of a core that the line leaves over for none; at rest the server was measured to use ${percentText(idleCores)}.`,
        ]
      : []),
    ...(price
      ? [
          `Price: $ ${numberText(price.slope * perSecondOf(1_000))} ± ${numberText(price.slopeError * perSecondOf(1_000))} an hour for 1,000 users, of rows, requests and the time that sessions could not sleep, all as counted.`,
        ]
      : []),
  ];
}

function percentText(cores: number | null): string {
  return cores === null ? `(${NOT_MEASURED})` : `${numberText(cores * 100)} %`;
}

/** @param line seconds of processor that a user's 1,000 answers take; null: not measured */
function rateSentence(rate: Rate, line: number | null): string {
  const { ladder, heldPerSecond, users, per1000, serverCores, bottleneck } = rate;
  const beside = line === null ? '' : `, by the line ${numberText(line)}`;
  return (
    `stress, ${ladder}: ${numberText(Math.round(heldPerSecond))} messages/s were held with ${numberText(serverCores)} cores of the server; what ended it: ${bottleneck}. ` +
    `It is the rate of ${numberText(Math.round(users))} users only if theirs cost no more: its sessions are always awake, and took ${numberText(per1000)} s of processor per 1,000 answers${beside}.`
  );
}

function needsTable(needs: Capacity['needs']): Table {
  return {
    columns: [
      'users',
      'the reports say',
      'memory, MB',
      'measured',
      'processor, cores',
      'measured',
      '$ an hour',
      'measured by',
      '',
    ],
    rows: needs.map((need) => [
      numberText(need.users),
      CLAIMED_SIZES[need.users] ?? '',
      `${numberText(Math.round(need.memoryMb))} ± ${numberText(Math.round(need.memoryErrorMb))}`,
      need.measured ? numberText(need.measured.memoryMb) : '',
      `${numberText(need.cores)} ± ${numberText(need.coresError)}`,
      need.measured ? numberText(need.measured.cores) : '',
      numberText(need.dollarsPerHour),
      need.measured?.run ?? '',
      [
        ...(need.isBeyond ? ['beyond what was measured'] : []),
        ...(need.cores > 1 ? ['more than one server’s thread'] : []),
      ].join('; '),
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
