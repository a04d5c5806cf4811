/** What must hold is shown whole: held, missed and not measured, what is judged beside what is not, and every drill. */
import { expect, test } from 'vitest';
import { DRILLS } from '../../load/drills/all.ts';
import { drillsSection } from '../../load/report/drill-table.ts';
import { MUST_HOLD } from '../../load/report/must-hold.ts';
import { mustHoldSection } from '../../load/report/must-hold-section.ts';
import { Runs } from '../../load/report/runs.ts';
import { otherMachineSection } from '../../load/report/other-machine.ts';
import { itemsOf, trustSection } from '../../load/report/trust.ts';
import { loadRun, type Values } from '../support/load-run.ts';

const WHOLE = 'bare object, whole answer';

/** The line's cells: measured, verdict, beside it. */
function line(name: string, run: string, values: Values): string[] {
  const rows = mustHoldSection(new Runs([loadRun(run, values)])).tables[0]?.rows ?? [];
  return rows.find((row) => row[1] === name)?.slice(4, 7) ?? [];
}

test('every line is there, and the counts add up, also where nothing was measured', () => {
  const { sentences, tables } = mustHoldSection(new Runs([]));
  expect(tables[0]?.rows).toHaveLength(MUST_HOLD.length);
  const [lines = 0, ...counts] = [...(sentences[0] ?? '').matchAll(/\d+/g)].map(([digits]) => Number(digits));
  expect(lines).toBe(MUST_HOLD.filter(({ limit }) => limit !== null).length);
  expect(counts).toEqual([0, 0, lines]);
  for (const row of tables[0]?.rows ?? []) expect(row[4]).toBe('not measured');
});

test('what is judged stands beside what would be like for like', () => {
  const group = 'Switchboard against them, 20 tokens an answer';
  const of = (judged: number, alike: number) =>
    line('20 tokens: of an object that reads the whole answer', 'peers', [
      [group, WHOLE, 'finished answers/s, times theirs', judged],
      [group, `${WHOLE}, direct`, 'finished answers/s, times theirs', alike],
    ]);
  expect(of(0.43, 0.34)).toEqual(['0.43', 'held', 'like for like 0.34 (would be missed)']);
  expect(of(0.3, 0.5)).toEqual(['0.3', 'MISSED', 'like for like 0.5 (would be held)']);
});

test('of several steps the worst counts', () => {
  const name = 'processor per answer, 10 to 1,000 sessions, times that of 10';
  const grown = (...values: (number | null)[]) =>
    line(
      name,
      'linear',
      values.map((value, index) => {
        return ['by the number of sessions', `${index}`, 'processor per answer, against the smallest', value] as const;
      }),
    );
  const unknown = 'a bare object that reads the whole answer not measured';
  expect(grown(1, 1.1)).toEqual(['1.1', 'held', unknown]);
  expect(grown(1, 1.42, 1.1)).toEqual(['1.42', 'MISSED', unknown]);
  expect(grown(1, null)).toEqual(['not measured', '', unknown]);
});

test('what grows, or comes late, in a bare object too is shown and not judged', () => {
  const growth = 'processor per answer, against the smallest';
  const sessions = (own: number, bare: number) =>
    line('processor per answer, 10 to 1,000 sessions, times that of 10', 'linear', [
      ['by the number of sessions', '10 sessions', growth, own],
      ['a bare object, by the number of sessions', '10 bare sessions', growth, bare],
    ]);
  expect(sessions(1.1, 1.9)).toEqual(['1.1', 'held', 'a bare object that reads the whole answer 1.9']);
  expect(sessions(1.5, 1.1)).toEqual(['1.5', 'MISSED', 'a bare object that reads the whole answer 1.1']);
  const first = 'ours to the first token p99';
  const late = (own: number, bare: number) =>
    line(`${first}, ms`, 'high', [
      ['', 'high', first, own],
      ['', 'bare object, each token', first, bare],
      ['', 'bare object, reads of 1 KB', first, 30],
    ]);
  expect(late(56, 70)).toEqual([
    '56',
    'MISSED',
    'a bare object that forwards each token 70; one with reads of 1 KB 30',
  ]);
});

test('memory of a connection is that of the step with most of them', () => {
  const name = 'memory each above the bare object, direct';
  const steps = ([first, second]: [number, number | null]): Values => [
    ['1000 idle connections', 'Switchboard', name, first],
    ['10000 idle connections', 'Switchboard', name, second],
    ['5000 idle connections', 'Switchboard', name, 99],
  ];
  const memory = 'memory each above a bare object, kB';
  expect(line(memory, 'connections', steps([50, 20]))).toEqual(['20', 'held', '']);
  expect(line(memory, 'connections', steps([20, 50]))).toEqual(['50', 'MISSED', '']);
  expect(line(memory, 'connections', steps([20, null]))).toEqual(['not measured', '', '']);
});

test('a rate is held against the one that a bare object held in the same run', () => {
  const of = (own: number, theirs: number | null) =>
    line('the same with 500 users, of what a bare object holds that forwards each token', 'stress', [
      ['breaking point', 'model at 10 ms a token', 'highest rate held', own],
      ['breaking point', 'bare object, each token, model at 10 ms a token', 'highest rate held', theirs],
    ]);
  expect(of(300, 240)).toEqual(['1.25', 'held', 'it holds, messages/s 240']);
  expect(of(300, 400)).toEqual(['0.75', 'MISSED', 'it holds, messages/s 400']);
  expect(of(300, null).slice(0, 2)).toEqual(['not measured', '']);
});

test('every drill has its row, with the silent connections beside those that were reset', () => {
  const rows = (runs: Runs) => drillsSection(runs).tables[0]?.rows ?? [];
  expect(rows(new Runs([])).map(([name]) => name)).toEqual(DRILLS.map(({ name }) => name));
  const drops = loadRun('drops', [
    ['by how they broke', 'reset', 'seen by the client at most', 2],
    ['by how they broke', 'silent', 'seen by the client at most', 8_935],
    ['every message, checked', 'all messages', 'messages lost', 0],
  ]);
  const row = rows(new Runs([drops])).find(([name]) => name === 'drops');
  expect(row?.[2]).toBe('reset 2; silent 8,935');
  expect(row?.slice(4, 6)).toEqual(['0', 'not measured']);
});

test('how far to trust it is what the README says', () => {
  expect(itemsOf('# x\n\n## How far to trust it\n- **One**,\n  with `code`.\n- Two\n\n## Next\n- Three\n')).toEqual([
    'One, with code.',
    'Two',
  ]);
  expect(() => itemsOf('# x\n')).toThrow('How far to trust it');
  expect(trustSection().sentences.length).toBeGreaterThan(5);
});

test('the same servers on another machine say what its bounds mean here', () => {
  const group = '20 tokens an answer';
  const sections = otherMachineSection(
    new Runs([
      loadRun('peers', [
        [group, WHOLE, 'finished answers/s', 835.25],
        [group, 'Switchboard', 'finished answers/s', 400],
        [group, 'AIChatAgent', 'finished answers/s', null],
      ]),
    ]),
  );
  expect(sections[0]?.tables[0]?.rows).toEqual([[`${WHOLE}, 20 tokens`, '3,341', '835', '0.25', '400', '1,600']]);
  expect(otherMachineSection(new Runs([]))).toEqual([]);
});

test('processor time has a bound in seconds, and stands beside a bare object’s', () => {
  const name = 'server processor per 1,000 answers';
  const values = (own: number, bare: number | null): Values => [
    ['', 'long-answers', name, own],
    ['', 'bare object, each token', name, bare],
    ['', 'bare object, reads of 1 KB', name, 20],
  ];
  const ratio = 'the same, of what a bare object takes that forwards each token';
  expect(line('processor per 1,000 answers of 200 tokens, s', 'long-answers', values(16, 40))[1]).toBe('MISSED');
  expect(line(ratio, 'long-answers', values(16, 40))).toEqual([
    '0.4',
    'no bound',
    'it takes, s 40; one with reads of 1 KB, s 20',
  ]);
  expect(line(ratio, 'long-answers', values(16, null))[0]).toBe('not measured');
});
