/** What is worked out for a claim from several figures: the worst counts, and what is missing is not measured. */
import { expect, test } from 'vitest';
import { mostUnderWay } from '../../load/measure/queue.ts';
import { isOurs, judge } from '../../load/report/claim.ts';
import { CLAIMS } from '../../load/report/claims.ts';
import { besideText, limitText } from '../../load/report/numbers.ts';
import { Runs } from '../../load/report/runs.ts';
import { reportOf } from '../../load/report/sections.ts';
import { loadRun, type Values } from '../support/load-run.ts';

function line(run: string, section: string, name: string, values: Values) {
  return judge(CLAIMS, new Runs([loadRun(run, values)])).find((one) => one.section === section && one.name === name);
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

test('connections that only fall silent have their own line, and are not hidden behind those that were reset', () => {
  const seen = (subject: string, ms: number) =>
    line('drops', 'Failure: drops', `${subject}: seen after, at most`, [
      ['by how they broke', subject, 'seen by the client at most', ms],
    ]);
  expect(seen('reset', 2)).toMatchObject({ value: 2, verdict: 'held' });
  expect(seen('silent', 8_935)).toMatchObject({ value: 8_935, verdict: 'missed' });
});

test('memory of the page: scripts or all of it, whichever is worse', () => {
  const group = 'memory of the page, after garbage collection';
  const more = (name: string, scripts: number | null, all: number | null) =>
    line('render', 'One afternoon', `page memory, ${name}`, [
      [group, 'scripts', name, scripts],
      [group, 'with the document', name, all],
      [group, 'reports', name, 13],
    ]);
  expect(more('500 messages', 4.48, 13.87)).toMatchObject({ value: 13.87, verdict: 'missed' });
  expect(more('10 reconnects', 2.5, 1.3)).toMatchObject({ value: 2.5, verdict: 'missed' });
  expect(more('10 reconnects', 1, null)).toMatchObject({ value: null, verdict: 'not measured' });
});

test('what the reports say nothing of is ours, and not among their claims', () => {
  const ours = (section: string, name: string) =>
    CLAIMS.some((claim) => claim.section === section && claim.name === name && isOurs(claim));
  for (const drill of ['d1-down', 'slow-reader', 'reconnect-storm', 'upgrade', 'latency', 'memory']) {
    expect(ours(`Failure: ${drill}`, 'messages lost'), drill).toBe(true);
  }
  expect(ours('One afternoon', 'scrolling 10,000 messages')).toBe(true);
  expect(ours('Failure: crash', 'messages lost')).toBe(false);
});

test('the counts of the summary add up to the lines of the table', () => {
  const [summary, ...others] = reportOf(new Runs([])).sections;
  const sentence = summary?.sentences.find((text) => text.startsWith('The reports’ claims')) ?? '';
  const [theirs = 0, ...rest] = [...sentence.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  const ours = CLAIMS.filter(isOurs).length;
  expect(theirs + ours).toBe(CLAIMS.length);
  expect(rest.reduce((sum, count) => sum + count, 0)).toBe(theirs + ours + ours);
  expect(others.flatMap(({ tables }) => tables).map(({ rows }) => rows.length)).toContain(CLAIMS.length);
});

test('a limit is written as it was said, and a value so that it is on its side of it', () => {
  expect(limitText({ atLeast: 99.98 })).toBe('≥ 99.98');
  expect(limitText({ atMost: 10_000 })).toBe('≤ 10,000');
  expect(besideText(99.97, 99.98)).toBe('99.97');
  expect(besideText(99.996, 99.98)).toBe('100');
  expect(besideText(1.2004, 1.2)).toBe('1.2004');
  expect(besideText(0, 0)).toBe('0');
  expect(besideText(null, 1)).toBe('not measured');
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
