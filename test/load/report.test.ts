/** The report from small results of its own: every claim has its line, nothing is fetched, nothing that was said becomes markup. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../src/local/build-worker.ts';
import { DRILLS } from '../../load/drills/all.ts';
import { SCENARIOS } from '../../load/scenarios.ts';
import { GROWTH_GATE } from '../../load/scenarios/soak.ts';
import { capacityOf } from '../../load/report/capacity.ts';
import { judge } from '../../load/report/claim.ts';
import { CLAIMS } from '../../load/report/claims.ts';
import { distributionOf } from '../../load/report/distribution.ts';
import { singleReport } from '../../load/report/details.ts';
import { pageOf } from '../../load/report/page.ts';
import { PLAN } from '../../load/report/plan.ts';
import { bearsOf } from '../../load/report/rates.ts';
import { runAll } from '../../load/report/run-all.ts';
import { Runs } from '../../load/report/runs.ts';
import { loadRun } from '../support/load-run.ts';

const EVIL = `<script>alert("1")</script> [x](https://evil.example) | & 'quoted'`;
const LABELS = ['< 1', '< 50', '< 100', '< 200', '< 300', '< 500', '< 1000', '< 2000', '≥ 2000'];

interface Fixture {
  [figure: string]: number | null;
}

function result(name: string, figures: Fixture, more: object = {}): object {
  return {
    scenario: name,
    startedAt: '2026-11-20T10:00:00.000Z',
    commit: 'abcdef123456-dirty',
    machine: { cores: 2, processor: 'A Processor', memoryBytes: 8e9, system: 'linux 6', node: 'v24', workerd: '1' },
    ok: true,
    figures: Object.entries(figures).map(([figure, value]) => {
      return { group: 'a group', subject: name, name: figure, unit: '', value };
    }),
    gates: [],
    notes: [],
    ...more,
  };
}

/** 100 MB and 0.5 MB a user; 10 s of processor per 1,000 answers; $ 20 a million answers. */
function steady(name: string, users: number): object {
  const perSecond = users / 6;
  return result(name, {
    users,
    'answers/s': perSecond,
    'answer average': 240,
    'server memory at most': 100 + users / 2,
    'server busy': perSecond,
    'price of a million answers': 20,
  });
}

const spread = {
  charts: [
    {
      title: 'low: how the times are spread',
      kind: 'bars',
      x: 'ms',
      y: '%',
      labels: LABELS,
      series: [
        { name: 'answer, in all', points: [10, 10, 10, 30, 20, 10, 5, 3, 2].map((share, index) => [index, share]) },
      ],
    },
  ],
};

const FIXTURES: Record<string, object> = {
  baseline: steady('baseline', 1),
  low: { ...steady('low', 10), ...spread },
  medium: { ...steady('medium', 100), notes: ['THE MACHINE WAS NOT QUIET: other work took up to 90 % of a core.'] },
  high: steady('high', 1_000),
  stress: {
    ...result('stress', {}),
    figures: [
      ...[
        ['highest rate held', 500],
        ['lowest rate not held', 600],
      ].map(([name, value]) => ({ group: 'breaking point', subject: 'model at full speed', name, unit: '', value })),
      ...[
        ['server processor per 1,000 answers', 1.9],
        ['model processor per 1,000 answers', 0.5],
        ['generator processor per 1,000 answers', 0.5],
      ].map(([name, value]) => {
        return { group: 'highest rate held, 500 users', subject: 'model at full speed', name, unit: '', value };
      }),
    ],
  },
  crash: {
    ...result('', {}),
    scenario: undefined,
    drill: 'crash',
    figures: [{ group: EVIL, subject: EVIL, name: EVIL, unit: EVIL, value: null }],
    gates: [
      { name: EVIL, value: null, limit: 1, ok: false },
      { name: 'lost', value: 3, limit: 0, ok: false },
    ],
    notes: [EVIL],
  },
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-report-'));
  for (const [name, value] of Object.entries(FIXTURES)) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(value));
  }
  await writeFile(join(folder, 'failures.json'), JSON.stringify([{ name: 'render', problem: 'no browser' }]));
});
afterAll(() => rm(folder, { recursive: true }));

async function built(from = folder): Promise<{ page: string; summary: string; code: unknown }> {
  const [html, markdown] = [join(folder, 'report.html'), join(folder, 'REPORT.md')];
  const options = ['--from', from, '--html', html, '--markdown', markdown];
  const code = await promisify(execFile)(process.execPath, [join(ROOT, 'load/cli.ts'), 'report', ...options]).then(
    () => 0,
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : null),
  );
  return { page: await readFile(html, 'utf8'), summary: await readFile(markdown, 'utf8'), code };
}

test('the command builds page and summary again, with a line for every claim', { timeout: 30_000 }, async () => {
  const { page, summary, code } = await built();
  // A gate was missed, and a run left no figures.
  expect(code).toBe(1);
  const rows = summary.split('\n').filter((line) => line.startsWith('| '));
  for (const { section, name } of CLAIMS) {
    expect(rows.some((row) => row.startsWith(`| ${section} | `) && row.includes(name.replace('<', '&lt;')))).toBe(true);
    expect(page).toContain(`<td>${section}</td>`);
  }
  expect(summary).toContain('abcdef123456-dirty');
  expect(summary).toContain('2 cores (A Processor)');
  expect(summary).toContain('THE MACHINE WAS NOT QUIET during medium');
  expect(summary).toContain('| crash | lost | 3 | 0 |');
  expect(summary).toContain('render left no figures: no browser');
  expect(summary).toMatch(/Not run, and not in this report: .*peak, spike/);

  // Nothing is loaded, nothing runs, nothing that a run said is markup.
  expect(page).not.toMatch(/(?:src|href|action|data)\s*=|url\(|@import|<script|<link|<img/i);
  expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
  expect(summary).not.toContain('<script');
  expect(summary).not.toContain('[x](');
  expect(page).toContain('<svg');
});

test(
  'a report fails for a missed gate and for a run without figures, and for nothing else',
  { timeout: 60_000 },
  async () => {
    const well = await mkdtemp(join(folder, 'well-'));
    await writeFile(join(well, 'low.json'), JSON.stringify(steady('low', 10)));
    expect((await built(well)).code).toBe(0);
    await writeFile(join(well, 'failures.json'), JSON.stringify([{ name: 'render', problem: 'no browser' }]));
    expect((await built(well)).code).toBe(1);
  },
);

test('what failed before and was not run again is still told of; what was, is told anew', async () => {
  const results = await mkdtemp(join(folder, 'merge-'));
  const told = (): Promise<unknown> => readFile(join(results, 'failures.json'), 'utf8').then(JSON.parse);
  const run = (names: string[], fails: boolean) =>
    runAll(
      names.map((name) => ({ kind: 'scenario', name, seconds: 1 })),
      {
        folder: results,
        full: false,
        signal: new AbortController().signal,
        say: () => undefined,
        runOne: async ({ name }, file) => {
          if (!fails) await writeFile(file, JSON.stringify(steady(name, 10)));
          return 'a reason';
        },
      },
    );
  await run(['low', 'render'], true);
  await run(['low'], false);
  expect(await told()).toEqual([{ name: 'render', problem: 'a reason' }]);
  await run(['render'], false);
  expect(await told()).toEqual([]);
});

test('one run by itself is a page, too', async () => {
  const low = (await Runs.read(folder)).run('low');
  const page = low ? pageOf(singleReport(low)) : '';
  expect(page).toContain('<title>Switchboard: scenario low</title>');
  expect(page).toContain('<svg');
  expect(page).not.toContain('Every figure of every run');
});

test('a claim is held, missed, or not measured, and never silently the first', async () => {
  const judged = judge(CLAIMS, await Runs.read(folder));
  const line = (section: string, name: string) => judged.find((one) => one.section === section && one.name === name);
  expect(line('Average by users', '10 users')).toMatchObject({ value: 240, verdict: 'held' });
  expect(line('Load: high', 'memory')).toMatchObject({ value: 600, verdict: 'missed' });
  expect(line('Capacity', 'messages a second')).toMatchObject({ value: 500, verdict: 'held' });
  expect(line('Load: peak', 'errors')).toMatchObject({ value: null, verdict: 'not measured' });
  expect(line('Capacity', 'uptime')).toMatchObject({ verdict: 'not measured' });
  const two = loadRun('low', [
    ['one', 'low', 'answered', 1],
    ['other', 'low', 'answered', 2],
  ]);
  expect(() => new Runs([two]).value('low', { name: 'answered' })).toThrow('2 figures');
  expect(new Runs([two]).value('low', { group: 'other', name: 'answered' })).toBe(2);
});

test('where a drill has two cases, the claim is held against the worse one', async () => {
  const low = (await Runs.read(folder)).run('low');
  const told = (...values: (number | null)[]) => {
    const figures = values.map((value, index) => {
      return {
        group: 'the model silent for some',
        subject: `case ${index}`,
        name: 'silence to the user’s knowing at most',
        unit: 'ms',
        value,
      };
    });
    const judged = judge(CLAIMS, new Runs(low ? [{ ...low, kind: 'drill', name: 'llm-timeout', figures }] : []));
    return judged.find(({ section, name }) => section === 'Failure: llm-timeout' && name.startsWith('user told'));
  };
  expect(told(4_510, 4_530)).toMatchObject({ value: 4_530, verdict: 'held' });
  expect(told(5_100, 4_510)).toMatchObject({ value: 5_100, verdict: 'missed' });
  expect(told(4_510, null)).toMatchObject({ value: null, verdict: 'not measured' });
  expect(told()).toMatchObject({ value: null, verdict: 'not measured' });
});

test('capacity is the straight line through what was measured, and says where it goes beyond', async () => {
  const { memory, processor, needs } = capacityOf(await Runs.read(folder));
  expect(memory?.slope).toBeCloseTo(0.5);
  expect(memory?.intercept).toBeCloseTo(100);
  expect(processor?.slope).toBeCloseTo(0.01);
  expect(needs.find(({ users }) => users === 200)).toMatchObject({ memoryMb: expect.closeTo(200), isBeyond: false });
  // 10 messages a minute of 1,000 users are 166.7/s: 1.67 cores; at $ 20 a million, $ 12 an hour.
  expect(needs.find(({ users }) => users === 1_000)).toMatchObject({
    cores: expect.closeTo(1.667, 2),
    dollarsPerHour: expect.closeTo(12),
  });
  expect(needs.find(({ users }) => users === 5_000)?.isBeyond).toBe(true);
  // What was measured stands beside what the line says; nobody measured about 200 or 500.
  expect(needs.find(({ users }) => users === 1_000)?.measured).toMatchObject({ run: 'high', memoryMb: 600 });
  expect(needs.find(({ users }) => users === 200)?.measured).toBeNull();
});

test('a server bears the least of what line and stress say, and cores, headroom and bottleneck are of that one', async () => {
  const { rates, bears } = capacityOf(await Runs.read(folder));
  // 500/s would be 3,000 users; by the line 10 ms of processor an answer fill the one thread with 600.
  expect(rates).toMatchObject([{ heldPerSecond: 500, users: 3_000, serverCores: expect.closeTo(0.95) }]);
  expect(bears?.bounds.map(({ users }) => Math.round(users))).toEqual([600, 3_000]);
  expect(bears).toMatchObject({
    users: expect.closeTo(600),
    headroom: expect.closeTo(0.6),
    planAtUsers: expect.closeTo(420),
    cores: 1,
    bottleneck: expect.stringContaining('one thread'),
  });
  // Without a line, and where the machine was full first, it is the ladder’s.
  expect(bearsOf(null, rates)).toMatchObject({ users: 3_000, headroom: 3, cores: expect.closeTo(0.95) });
});

test('a run that broke down is left out of the lines, and named', async () => {
  const held = await Runs.read(folder);
  const high = held.run('high');
  const figures = (high?.figures ?? []).map((figure) => ({ ...figure, value: 9_999 }));
  const unanswered = { group: 'a group', subject: 'high', name: 'not answered', unit: '%', value: 98 };
  const broken = high ? [{ ...high, figures: [...figures, unanswered] }] : [];
  const capacity = capacityOf(new Runs([...held.all.filter(({ name }) => name !== 'high'), ...broken]));
  expect(capacity.broken).toEqual(['high']);
  expect(capacity.memory?.slope).toBeCloseTo(0.5);
  expect(capacity.needs.find(({ users }) => users === 1_000)?.isBeyond).toBe(true);
  expect(capacity.pricePerMillion.map(({ run }) => run)).not.toContain('high');
});

test('a soak whose caches were filled first is shown, and not in the line of memory', async () => {
  const held = await Runs.read(folder);
  const figures = (held.run('low')?.figures ?? []).map((figure) => {
    const values: Record<string, number> = { users: 50, 'server memory at most': 900, 'answers/s': 50 / 6 };
    return { ...figure, subject: 'soak', value: values[figure.name] ?? figure.value };
  });
  const soak = (gates: readonly string[]) => {
    const low = held.run('low');
    const run = low && {
      ...low,
      name: 'soak',
      figures,
      gates: gates.map((name) => ({ name, value: 1, limit: 10, ok: true })),
    };
    return capacityOf(new Runs([...held.all, ...(run ? [run] : [])]));
  };
  const judged = soak([GROWTH_GATE]);
  expect(judged.filled).toEqual(['soak']);
  expect(judged.memory?.slope).toBeCloseTo(0.5);
  expect(judged.needs.find(({ users }) => users === 50)?.measured).toMatchObject({ run: 'soak', memoryMb: 900 });
  const short = soak([]);
  expect(short.filled).toEqual([]);
  expect(short.memory?.intercept).toBeGreaterThan(200);
});

test('without runs of different sizes nothing is said of what a scale needs', () => {
  expect(capacityOf(new Runs([]))).toMatchObject({
    memory: null,
    needs: [],
    rates: [],
    bears: null,
    pricePerMillion: [],
  });
});

test('the reports’ classes are filled from the finer ones', async () => {
  const run = (await Runs.read(folder)).run('low');
  expect(run && distributionOf(run)?.shares).toEqual([30, 30, 20, 10, 5, 5]);
});

test('a short report measures for about 11 minutes, and only what there is', () => {
  const known = { scenario: SCENARIOS, drill: DRILLS };
  for (const { kind, name } of PLAN) expect(known[kind].map((one) => one.name)).toContain(name);
  // Each drill is in it; smoke is what every other scenario does, too.
  for (const { name } of DRILLS) expect(PLAN.map((planned) => planned.name)).toContain(name);
  const seconds = PLAN.reduce((sum, planned) => sum + (planned.seconds ?? 0), 0);
  expect(seconds).toBeLessThanOrEqual(660);
});

test('how long a scenario measures within a report stands in one place', () => {
  for (const { name, seconds } of PLAN.filter(({ kind }) => kind === 'scenario')) {
    const own = SCENARIOS.find((scenario) => scenario.name === name)?.reportSeconds;
    expect(seconds, name).toBeGreaterThan(0);
    if (own !== undefined) expect(seconds, name).toBe(own);
  }
});
