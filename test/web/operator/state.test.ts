/** The console's reckoning without a browser: charts, the definition's form, commands, the order of the list. */
import { signal } from '@preact/signals';
import { describe, expect, test } from 'vitest';
import { emptyStats } from '../../../src/metrics/bot-stats.ts';
import { FIELD_NAMES, FIELDS } from '../../../src/web/operator/editor/fields.ts';
import {
  definitionOf,
  formOf,
  NEW_BOT,
  patchOf,
  problemsOf,
  rebase,
  withoutDefaults,
} from '../../../src/web/operator/editor/form.ts';
import { botSpec, type BotSpec } from '../../../src/bots/spec.ts';
import { consequence } from '../../../src/web/operator/state/actions.ts';
import { parseCommand, suggestionsFor } from '../../../src/web/operator/state/commands.ts';
import type { FleetBot } from '../../../src/web/operator/state/fleet.ts';
import { addSample, linesOf, recentOf, sampleOf, type Sample } from '../../../src/web/operator/state/history.ts';
import { createPoll } from '../../../src/web/operator/state/poll.ts';
import { OperatorError } from '../../../src/web/operator/state/ports.ts';
import { hrefOf, parseRoute, type Route } from '../../../src/web/operator/state/router.ts';
import { createSelection } from '../../../src/web/operator/state/selection.ts';
import { duration, share } from '../../../src/web/operator/state/words.ts';
import { grown } from './fake-api.ts';

const MAX = 1_000;
const T0 = 1_800_000_000_000;

/** Samples at seconds since `T0`, with so many replies by then. */
function samplesOf(points: readonly (readonly [second: number, replies: number, failed?: number])[]): Sample[] {
  const samples: Sample[] = [];
  for (const [second, replies, failed = 0] of points) {
    const stats = grown(emptyStats(), { replies, failed, firstTokenMs: 200 });
    addSample(samples, sampleOf({ running: 0, queued: 0, stats }, T0 + second * 1_000), MAX);
  }
  return samples;
}

describe('charts', () => {
  test('a rate is what was counted within 10 s, per second', () => {
    const { turns } = linesOf(samplesOf([[0, 100], [2, 100], [4, 104], [6, 110], [10, 120], [12, 120], [14, 120]])); // prettier-ignore
    // The sample at 12 s says what those beside it say, and is not kept.
    expect(turns).toEqual([null, 0, 1, 10 / 6, 2, 1.6]);
  });

  test('equal samples are kept as their first and last, and say the same', () => {
    const samples = samplesOf([[0, 5], [2, 5], [4, 5], [600, 5], [602, 9]]); // prettier-ignore
    expect(samples.map(({ at }) => (at - T0) / 1_000)).toEqual([0, 600, 602]);
    // Four turns in the last 10 s, not in ten minutes.
    expect(linesOf(samples).turns.at(-1)).toBeCloseTo(0.4);
  });

  test('where nobody looked while turns were counted, the line has a hole', () => {
    const { times, turns } = linesOf(samplesOf([[0, 5], [2, 6], [300, 90], [302, 90]])); // prettier-ignore
    expect(times.map((at) => at - T0 / 1_000)).toEqual([0, 2, 151, 300, 302]);
    expect(turns[2]).toBeNull();
  });

  test('a bot that was made anew begins anew: no negative rates', () => {
    const samples = samplesOf([[0, 500], [2, 510], [4, 3]]); // prettier-ignore
    expect(samples).toHaveLength(1);
  });

  test('percentiles are of the last minute, none where nothing ended', () => {
    const { firstTokenP50, firstTokenP95 } = linesOf(samplesOf([[0, 0], [2, 40], [100, 40]])); // prettier-ignore
    expect(firstTokenP50[1]).toBeGreaterThan(100);
    expect(firstTokenP95[1]).toBeGreaterThan(firstTokenP50[1] ?? Infinity);
    expect(firstTokenP95[2]).toBeNull();
  });

  test('long pasts lose detail, not their beginning', () => {
    const samples: Sample[] = [];
    for (let second = 0; second < 400; second += 2) {
      const stats = grown(emptyStats(), { replies: second });
      addSample(samples, sampleOf({ stats }, T0 + second * 1_000), 100);
    }
    expect(samples.length).toBeLessThanOrEqual(100);
    expect(samples[0]?.at).toBe(T0);
    expect(linesOf(samples).turns.at(-1)).toBeCloseTo(1);
  });

  test('the list tells the last minutes from the whole life', () => {
    const quiet = recentOf(samplesOf([[0, 90, 10], [10, 90, 10]]), 60_000); // prettier-ignore
    expect(quiet).toMatchObject({ errorShare: 0.1, isRecent: false });
    const busy = recentOf(samplesOf([[0, 90, 10], [10, 91, 12]]), 60_000); // prettier-ignore
    expect(busy.isRecent).toBe(true);
    expect(busy.errorShare).toBeCloseTo(2 / 3);
  });
});

const FULL: BotSpec = botSpec.parse({
  id: 'desk',
  name: 'Desk',
  kind: 'openai',
  model: 'gpt',
  endpoint: 'https://models.example/v1',
  apiKeyVariable: 'DESK_API_KEY',
  systemPrompt: '',
  options: { temperature: 0.2 },
  think: false,
  keepAlive: '5m',
  deadlines: { connectTimeoutMs: 4_000, totalTimeoutMs: 90_000 },
  concurrency: 2,
  queueLength: 0,
  queueTimeoutMs: 30_000,
  graceMs: 0,
  turnsPerMinute: 60,
  tokensPerDay: 1_000_000,
  retentionDays: 30,
});
const view = (spec: BotSpec | null) => ({ id: 'desk', name: 'Desk', model: 'gpt', spec });

describe("a definition's form", () => {
  test('holds every field of a definition and gives it back', () => {
    expect(withoutDefaults(definitionOf(formOf(view(FULL))))).toEqual(FULL);
    const inForm = new Set(FIELD_NAMES.map((name) => name.split('.')[0]));
    // Tools: there are none, so there is nothing to choose.
    const missing = Object.keys(botSpec.shape).filter((name) => name !== 'tools' && !inForm.has(name as never));
    expect(missing).toEqual([]);
    for (const name of FIELD_NAMES) expect(FIELDS[name].help, name).not.toBe('');
  });

  test.each([
    ['id', 'Desk', 'must be 2 to 48 lower-case letters, digits and hyphens'],
    ['name', '', 'is empty'],
    ['endpoint', 'http://user:pass@10.0.0.1/', 'must be an http(s) URL without user, password, query and fragment'],
    ['apiKeyVariable', 'sk-123', 'must be the name of a variable that ends in _API_KEY'],
    ['options', '{"temperature": ', 'must be a JSON object'],
    ['options', '[1]', 'must be a JSON object'],
    ['options', '{"stop": {}}', 'must be a number, a text, true, false or a list of texts: "stop"'],
    ['concurrency', 'two', 'must be a whole number from 1 to 1000'],
    ['concurrency', '1.5', 'must be a whole number from 1 to 1000'],
    ['graceMs', '-1', 'must be a whole number from 0 to 600000'],
    ['deadlines.connectTimeoutMs', '0', 'must be a whole number from 1 to 300000'],
    ['retentionDays', '9999', 'must be a whole number from 1 to 3650'],
  ] as const)('%s: %j is refused as the server refuses it', (field, text, problem) => {
    const problems = problemsOf({ ...formOf(view(FULL)), [field]: text });
    expect([...problems]).toEqual([[field, problem]]);
  });

  test('a kind that has no default endpoint or model needs them', () => {
    const problems = problemsOf({ ...NEW_BOT, id: 'desk', name: 'Desk', kind: 'openai' });
    expect([...problems.keys()].sort()).toEqual(['endpoint', 'model']);
    expect(problemsOf({ ...NEW_BOT, id: 'desk', name: 'Desk' }).size).toBe(0);
  });

  test('only what was changed is sent, null for what goes back to its default', () => {
    const from = formOf(view(FULL));
    const to = {
      ...from,
      name: 'Front desk',
      concurrency: '',
      'deadlines.totalTimeoutMs': '',
      systemPromptFrom: 'server',
    };
    expect(patchOf(from, to)).toEqual({
      name: 'Front desk',
      concurrency: null,
      deadlines: { connectTimeoutMs: 4_000 },
      systemPrompt: null,
    });
  });

  test("a configured bot's unknown fields are left alone", () => {
    const from = formOf(view(null));
    expect(problemsOf(from).size).toBe(0);
    expect(patchOf(from, { ...from, concurrency: '3' })).toEqual({ concurrency: 3 });
    expect(patchOf(from, { ...from, systemPromptFrom: 'server' })).toEqual({ systemPrompt: null });
  });

  test('after a conflict what was typed stays, and the rest is theirs', () => {
    const base = formOf(view(FULL));
    const mine = { ...base, name: 'Mine', graceMs: '5000' };
    const theirs = { ...base, name: 'Theirs', concurrency: '8', graceMs: '5000' };
    const { values, changed } = rebase(base, mine, theirs);
    expect(values).toMatchObject({ name: 'Mine', concurrency: '8', graceMs: '5000' });
    expect(changed).toEqual([
      { field: 'name', was: 'Desk', theirs: 'Theirs', mine: 'Mine' },
      { field: 'concurrency', was: '2', theirs: '8', mine: null },
      { field: 'graceMs', was: '0', theirs: '5000', mine: null },
    ]);
  });
});

describe('commands', () => {
  test.each([
    ['/stop desk', { name: 'stop', bot: 'desk' }],
    ['launch @Desk', { name: 'launch', bot: 'desk' }],
    ['/status', { name: 'status', bot: null }],
    ['/help', { name: 'help' }],
    ['/AUDIT desk', { name: 'audit', bot: 'desk' }],
  ])('%s', (line, command) => expect(parseCommand(line)).toEqual({ ok: true, command }));

  test.each(['/stop', '/stop a b', '/help desk', '/stpo desk', '/stop D/../x', '/'])('%j is refused', (line) => {
    const parsed = parseCommand(line);
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? '' : parsed.reason).toMatch(/\.$|\?$/);
  });

  test('names are offered first, then bots, and never the one that is typed whole', () => {
    const bots = [{ id: 'night', name: 'Night' }, { id: 'desk', name: 'Desk' }, { id: 'desk-2', name: 'Desk two' }]; // prettier-ignore
    expect(suggestionsFor('/s', bots).map(({ line }) => line)).toEqual(['/status ', '/stop ']);
    expect(suggestionsFor('/stop desk', bots).map(({ line }) => line)).toEqual(['/stop desk-2']);
    expect(suggestionsFor('/new ', bots)).toEqual([]);
  });
});

describe('the list', () => {
  const bot = (id: string, more: Partial<FleetBot> = {}): FleetBot => ({
    id,
    name: id,
    model: 'm',
    state: 'running',
    errorShare: null,
    p95FirstTokenMs: null,
    isRecent: false,
    ...more,
  });

  test('what needs attention comes first; the same column again turns it round', () => {
    const selection = createSelection(signal([bot('a'), bot('b', { state: 'degraded' }), bot('c', { queued: 4 })]));
    const ids = () => selection.shown.value.map(({ id }) => id);
    expect(ids()).toEqual(['b', 'a', 'c']);
    selection.sortBy('queued');
    expect(ids()).toEqual(['c', 'a', 'b']);
    selection.sortBy('queued');
    expect(ids()).toEqual(['a', 'b', 'c']);
  });

  test('rows stay under the pointer, whatever the next answer brings', () => {
    const bots = signal([bot('a', { queued: 9 }), bot('b', { queued: 5 })]);
    const selection = createSelection(bots);
    selection.sortBy('queued');
    selection.hold(true);
    bots.value = [bot('a', { queued: 0 }), bot('b', { queued: 5 }), bot('c', { queued: 99 })];
    expect(selection.shown.value.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    selection.hold(false);
    expect(selection.shown.value.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });

  test('every word is looked for, in id, name, model and state', () => {
    const selection = createSelection(
      signal([bot('night', { name: 'Night shift' }), bot('desk', { state: 'paused' })]),
    );
    selection.text.value = 'SHIFT run';
    expect(selection.shown.value.map(({ id }) => id)).toEqual(['night']);
    selection.text.value = '';
    selection.state.value = 'paused';
    expect(selection.shown.value.map(({ id }) => id)).toEqual(['desk']);
    expect(selection.counts.value).toMatchObject({ running: 1, paused: 1, stopped: 0 });
  });
});

describe('polling', () => {
  /** Timers by hand. */
  function clock() {
    const waits: { ms: number; run: () => void }[] = [];
    const after = (ms: number, run: () => void) => {
      const wait = { ms, run };
      waits.push(wait);
      return () => void (waits.includes(wait) && waits.splice(waits.indexOf(wait), 1));
    };
    return { waits, after, now: () => T0 };
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  test('one question at a time, none while nobody looks, at once when somebody looks again', async () => {
    const time = clock();
    const every = signal<number | null>(2_000);
    let asked = 0;
    createPoll(time, every, async () => void (asked += 1));
    await settle();
    expect([asked, time.waits.map(({ ms }) => ms)]).toEqual([1, [2_000]]);
    every.value = null;
    expect(time.waits).toEqual([]);
    every.value = 2_000;
    await settle();
    expect(asked).toBe(2);
  });

  test('a server that does not answer is asked less often, and never sooner than it allows', async () => {
    const time = clock();
    const failures: (number | null)[] = [null, null, null, null, 30_000];
    const poll = createPoll(time, signal<number | null>(2_000), async () => {
      throw new OperatorError('unavailable', 503, 'Not now.', { retryAfterMs: failures.shift() ?? null });
    });
    const waits: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await settle();
      waits.push(time.waits[0]?.ms ?? 0);
      time.waits.shift()?.run();
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 10_000, 30_000]);
    expect(poll.failure.value?.message).toBe('Not now.');
    expect(poll.answeredAt.value).toBeNull();
  });
});

test('a confirmation says how many run and wait', () => {
  const text = consequence('stop', { running: 3, queued: 1, connections: 12 });
  expect(text).toContain('3 answers are being made');
  expect(text).toContain('1 message waits');
  expect(text).toContain('12 connections');
  expect(consequence('delete', { running: 0, queued: 2, connections: 0 })).toMatch(
    /2 messages wait and will fail.*Nobody/,
  );
});

test('every page has an address that leads back to it', () => {
  const routes: Route[] = [
    { page: 'bots' },
    { page: 'bot', id: 'desk' },
    { page: 'edit', id: 'desk' },
    { page: 'new' },
    { page: 'alerts' },
    { page: 'audit', bot: null },
    { page: 'audit', bot: 'desk' },
    { page: 'health' },
  ];
  for (const route of routes) expect(parseRoute(hrefOf(route))).toEqual(route);
  expect(parseRoute('#/bots/../../x')).toEqual({ page: 'bots' });
});

test('numbers in words', () => {
  expect([0, 950, 2_400, 42_000, 185_000, 3_900_000, 266_400_000].map(duration)).toEqual(
    ['0 ms', '950 ms', '2.4 s', '42 s', '3 min 5 s', '1 h 5 min', '3 d 2 h'], // prettier-ignore
  );
  expect([null, 0, 0.004, 0.125, 0.0004].map(share)).toEqual(['–', '0 %', '0.4 %', '13 %', '0.04 %']);
});
