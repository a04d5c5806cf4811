/** What is worked out for a claim from several figures: the worst counts, and what is missing is not measured. */
import { expect, test } from 'vitest';
import { mostUnderWay } from '../../load/measure/queue.ts';
import { judge } from '../../load/report/claim.ts';
import { CLAIMS } from '../../load/report/claims.ts';
import { Runs, type Run } from '../../load/report/runs.ts';

type Values = [group: string, subject: string, name: string, value: number | null][];

function line(run: string, section: string, name: string, values: Values) {
  const figures = values.map(([group, subject, figure, value]) => ({ group, subject, name: figure, unit: '', value }));
  const machine = { cores: 2, processor: '', memoryBytes: 1, system: '', node: '', workerd: '' };
  const read: Run = {
    kind: 'scenario',
    name: run,
    startedAt: '',
    commit: null,
    machine,
    ok: true,
    figures,
    gates: [],
    notes: [],
    charts: [],
  };
  return judge(CLAIMS, new Runs([read])).find((one) => one.section === section && one.name === name);
}

test('heartbeats: the step at which the fewest were answered', () => {
  const heartbeats = (...steps: [due: number | null, answered: number | null][]) =>
    line(
      'connections',
      'One afternoon',
      'heartbeats answered',
      steps.flatMap(([due, answered], step): Values => {
        return [
          [`${step}`, 'Switchboard', 'heartbeats due', due],
          [`${step}`, 'Switchboard', 'heartbeats answered', answered],
        ];
      }),
    );
  expect(heartbeats([100, 101], [200, 200])).toMatchObject({ value: 100, verdict: 'held' });
  expect(heartbeats([100, 100], [200, 150])).toMatchObject({ value: 75, verdict: 'missed' });
  expect(heartbeats([100, 100], [200, null])).toMatchObject({ value: null, verdict: 'not measured' });
  expect(heartbeats([0, 0])).toMatchObject({ value: null, verdict: 'not measured' });
  expect(heartbeats()).toMatchObject({ value: null, verdict: 'not measured' });
});

test('memory that returned: of what the load took', () => {
  const memory = (before: number | null, most: number, after: number | null) =>
    line('peak', 'Load: peak', 'memory that returned after', [
      ['', 'peak', 'server memory before', before],
      ['', 'peak', 'server memory at most', most],
      ['', 'peak', 'server memory when quiet again', after],
    ]);
  expect(memory(100, 500, 120)).toMatchObject({ value: 95, verdict: 'held' });
  expect(memory(100, 500, 500)).toMatchObject({ value: 0, verdict: 'missed' });
  expect(memory(null, 500, 120)).toMatchObject({ verdict: 'not measured' });
  expect(memory(100, 100, 100)).toMatchObject({ verdict: 'not measured' });
});

test('who was told of a silent model: of those who asked, in the worse case', () => {
  const told = (...cases: [asked: number, told: number | null][]) =>
    line(
      'llm-timeout',
      'Failure: llm-timeout',
      'users told that it failed',
      cases.flatMap(([asked, count], index): Values => {
        return [
          ['the model silent for some', `${index}`, 'asked', asked],
          ['the model silent for some', `${index}`, 'told that it failed', count],
        ];
      }),
    );
  expect(told([8, 8], [8, 8])).toMatchObject({ value: 100, verdict: 'held' });
  expect(told([8, 8], [8, 6])).toMatchObject({ value: 75, verdict: 'missed' });
  expect(told([8, 8], [0, 0])).toMatchObject({ value: null, verdict: 'not measured' });
});

test('out of order and altered count together, and only where both are known', () => {
  const wrong = (...counts: (number | null)[]) =>
    line(
      'drops',
      'Failure: drops',
      'messages out of order or altered',
      counts.map((count, index) => {
        const name = ['messages out of order', 'messages altered'][index] ?? '';
        return ['every message, checked', 'all messages', name, count];
      }),
    );
  expect(wrong(0, 0)).toMatchObject({ value: 0, verdict: 'held' });
  expect(wrong(0, 2)).toMatchObject({ value: 2, verdict: 'missed' });
  expect(wrong(0)).toMatchObject({ value: null, verdict: 'not measured' });
});

test('messages under way at once: until each has its answer or its failure, or to the end', () => {
  const never = Number.NaN;
  const most = (...rows: [sent: number, replied: number, failed: number][]) =>
    mostUnderWay({
      sentAt: Float64Array.from(rows, ([sent]) => sent),
      replyAt: Float64Array.from(rows, ([, replied]) => replied),
      failedAt: Float64Array.from(rows, ([, , failed]) => failed),
    });
  expect(most()).toBe(0);
  expect(most([1, 2, never], [2, 3, never], [3, 4, never])).toBe(1);
  expect(most([3, 9, never], [1, 4, never], [2, never, 3.5])).toBe(3);
  expect(most([1, never, 2], [3, never, 4])).toBe(1);
  expect(most([1, never, never], [5, 6, never], [7, 8, never])).toBe(2);
});
