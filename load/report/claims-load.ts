/** What the reports say of steady rates, of user counts, of kinds of test, and of their pipeline. */
import { atLeast, atMost, highestRate, of, type Claim, type Measure } from './claim.ts';
import { soakGrowth } from './soak.ts';

/** What counts as memory that "returns". */
const RETURNED_PERCENT = 90;

interface LoadLine {
  run: string;
  average: number;
  p95: number | null;
  p99: number;
  errors: number;
  memory: number;
  processor: number;
}

const LOAD: readonly LoadLine[] = [
  { run: 'baseline', average: 245, p95: 320, p99: 450, errors: 0, memory: 256, processor: 5 },
  { run: 'low', average: 260, p95: 340, p99: 500, errors: 0, memory: 320, processor: 8 },
  { run: 'medium', average: 280, p95: 380, p99: 550, errors: 0.01, memory: 450, processor: 25 },
  { run: 'high', average: 350, p95: 450, p99: 700, errors: 0.02, memory: 512, processor: 45 },
  { run: 'peak', average: 400, p95: null, p99: 800, errors: 0, memory: 512, processor: 62 },
];

/** With fewer, the slowest is not one in so many: the highest value would pass for the percentile. */
function leastAnswers(percent: number): number {
  return Math.round(100 / (100 - percent));
}

function answerPercentile(run: string, percent: number): Measure {
  const measure = of(run, { subject: run, name: `answer p${percent}` });
  return (runs) =>
    (runs.value(run, { subject: run, name: 'answered' }) ?? 0) < leastAnswers(percent) ? null : measure(runs);
}

export const LOADS = LOAD.flatMap(({ run, average, p95, p99, errors, memory, processor }): Claim[] => {
  const line = (name: string, unit: string, claim: number, figure: string, target = ''): Claim => ({
    section: `Load: ${run}`,
    name,
    unit,
    target,
    claim: String(claim),
    limit: atMost(claim),
    measure: of(run, { subject: run, name: figure }),
    by: `${run}: ${figure}`,
  });
  const percentile = (percent: number, claim: number): Claim => ({
    ...line(`answer, p${percent}`, 'ms', claim, `answer p${percent}`),
    measure: answerPercentile(run, percent),
    by: `${run}, where at least ${leastAnswers(percent)} messages were answered`,
  });
  return [
    line('answer, average', 'ms', average, 'answer average', '< 500'),
    ...(p95 === null ? [] : [percentile(95, p95)]),
    percentile(99, p99),
    line('errors', '%', errors, 'not answered', '< 1'),
    line('memory', 'MB', memory, 'server memory at most', '< 2,048'),
    line('processor', '% of a core', processor, 'server busy', '< 80'),
  ];
});

const ofLoad = (
  run: string,
  name: string,
  unit: string,
  claim: string,
  limit: Claim['limit'],
  measure: Measure,
  by: string,
): Claim => ({ section: `Load: ${run}`, name, unit, target: '', claim, limit, measure, by });

/** What the reports say of single loads only. */
export const LOAD_DETAILS: readonly Claim[] = [
  ...(
    [
      ['medium', 99.98],
      ['high', 99.95],
    ] as const
  ).map(([run, claim]) =>
    ofLoad(
      run,
      'connections that held',
      '%',
      String(claim),
      atLeast(claim),
      of(run, { name: 'connections that held' }),
      run,
    ),
  ),
  ofLoad(
    'medium',
    'size of a message',
    'characters',
    'about 500 bytes',
    null,
    of('medium', { name: 'characters per answer' }),
    'medium: of all frames that a user gets for one, most of them tokens; the reports do not say which bytes they mean',
  ),
  ofLoad(
    'high',
    'processor, at most',
    '% of a core',
    '62',
    atMost(62),
    of('high', { name: 'server busy in one second, at most' }),
    'high: the busiest second',
  ),
  ofLoad(
    'peak',
    'queue, at most',
    '',
    '500',
    atMost(500),
    of('peak', { subject: 'peak', name: 'messages under way at most' }),
    'peak: sent and not answered yet, those being answered included',
  ),
  ofLoad(
    'peak',
    'memory that returned after',
    '% of what it took',
    'returns',
    atLeast(RETURNED_PERCENT),
    returned('peak'),
    `peak: when everything is delivered; "returns" is taken as ${RETURNED_PERCENT} %`,
  ),
];

function returned(run: string): Measure {
  return (runs) => {
    const [before, most, after] = ['before', 'at most', 'when quiet again'].map((when) =>
      runs.value(run, { subject: run, name: `server memory ${when}` }),
    );
    if (before == null || most == null || after == null || most <= before) return null;
    return ((most - after) / (most - before)) * 100;
  };
}

/** What the reports want to have for so many users; of "2 to 4 cores" the fewer. */
export const SIZES: readonly Claim[] = (
  [
    [50, 512, 1, 'soak', 'soak'],
    [200, 2_048, 2, 'spike', 'burst'],
    [500, 4_096, 4, 'users-500', 'users-500'],
    [1_000, 8_192, 8, 'high', 'high'],
  ] as const
).flatMap(([users, memory, cores, run, subject]) => {
  const line = (name: string, unit: string, claim: string, most: number, figure: string): Claim => ({
    section: 'Sizes',
    name: `${users} users: ${name}`,
    unit,
    target: '',
    claim,
    limit: atMost(most),
    measure: of(run, { subject, name: figure }),
    by: run,
  });
  return [
    line('memory', 'MB', String(memory), memory, 'server memory at most'),
    line('processor', '% of a core', `${cores} cores`, cores * 100, 'server busy'),
  ];
});

/** Not figures but thresholds: what an operator is woken for. */
export const ALERTS: readonly Claim[] = (
  [
    ['p95', '> 500 ms', 'a rule of the product: slow_p95'],
    ['errors', '> 1 %', 'a rule of the product: errors'],
    ['memory', '> 80 %', 'no rule: a Worker is not told its memory; `memory` is the drill of it'],
    ['plan for more', 'at 70 % of capacity', 'rules of the product: slots_nearly_used, connections_many'],
  ] as const
).map(([name, claim, by]) => ({
  section: 'Alerts',
  name,
  unit: '',
  target: '',
  claim,
  limit: null,
  measure: null,
  by,
}));

export const USERS: readonly Claim[] = (
  [
    [1, 245, 'baseline'],
    [10, 260, 'low'],
    [50, 270, 'soak'],
    [100, 280, 'medium'],
    [500, 320, 'users-500'],
    [1_000, 350, 'high'],
  ] as const
).map(([users, claim, run]) => ({
  section: 'Average by users',
  name: `${users} users`,
  unit: 'ms',
  target: '< 500',
  claim: String(claim),
  limit: atMost(claim),
  measure: of(run, { subject: run, name: 'answer average' }),
  by: run,
}));

const tests = (
  name: string,
  unit: string,
  target: string,
  limit: Claim['limit'],
  measure: Measure | null,
  by: string,
): Claim => ({
  section: 'Kinds of test, and gates',
  name,
  unit,
  target,
  claim: '',
  limit,
  measure,
  by,
});

export const TESTS: readonly Claim[] = [
  tests(
    'spike: ours to the end, p95',
    'ms',
    '< 100',
    atMost(100),
    of('spike', { subject: 'burst', name: 'ours to the end p95' }),
    'spike, 10 to 200 users, the burst',
  ),
  tests(
    'spike: not answered',
    '%',
    '< 0.1',
    atMost(0.1),
    of('spike', { subject: 'burst', name: 'not answered' }),
    'spike, the burst',
  ),
  tests(
    'soak: growth',
    'MB an hour',
    '< 10',
    atMost(10),
    soakGrowth,
    'soak, 50 users; only a run of 10 minutes or more tells',
  ),
  tests('stress: highest rate held', '/s', '> 400', atLeast(400), highestRate, 'stress, 500 users'),
];

export const PIPELINE: readonly Claim[] = (
  [
    ['gateway', 'requests/s', '1,000', '500'],
    ['gateway p50 / p95 / p99', 'ms', '', '12 / 45 / 120'],
    ['agent', 'decisions/s', '500', '200'],
    ['agent p50 / p95', 'ms', '', '8 / 25'],
    ['execution', 'orders/s', '1,000', '300'],
    ['execution p50 / p95', 'ms', '', '2 / 8'],
    ['audit', 'events/s', '2,000', '500'],
    ['audit p50 / p95', 'ms', '', '5 / 15'],
    ['broker', 'messages/s', '', '2,000'],
    ['end to end p95', 'ms', '', '45'],
    ['memory, under load', 'MB', '', '400, 620'],
    ['100 users, 5 minutes', 'requests/s', '> 400', '499'],
    ['100 users, 5 minutes, avg / p95 / p99', 'ms', 'p95 < 100', '42 / 89 / 145'],
    ['100 users, 5 minutes, failed', '%', '< 0.1', '0.1'],
  ] as const
).map(([name, unit, target, claim]) => ({
  section: 'Pipeline',
  name,
  unit,
  target,
  claim,
  limit: null,
  measure: null,
  by: 'no scenario drives webhooks',
}));
