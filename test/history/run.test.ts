import { expect, test } from 'vitest';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS, runsOf } from '../../src/history/run.ts';
import type { LogRecord } from '../../src/protocol/records.ts';

function messages(count: number, text: string): LogRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'message',
    id: `c${i}`,
    text,
    priority: 0,
    seq: i + 1,
    at: i,
  }));
}

test('runs are the records in order, none left out, none twice', () => {
  const records = messages(2 * MAX_BATCH_RECORDS + 1, 'hello');
  const runs = runsOf(records);
  expect(runs.map((run) => run.length)).toEqual([MAX_BATCH_RECORDS, MAX_BATCH_RECORDS, 1]);
  expect(runs.flat()).toEqual(records);
  expect(runsOf([])).toEqual([]);
});

test.each(['x', '漢', '\u0001', '"'])('a run is within its bytes as JSON, also of %j', (unit) => {
  for (const run of runsOf(messages(60, unit.repeat(10_000)))) {
    expect(Buffer.byteLength(JSON.stringify(run))).toBeLessThan(MAX_BATCH_BYTES + 1_000);
  }
});

test('a record that is larger than a run goes by itself', () => {
  const large = messages(3, 'x'.repeat(MAX_BATCH_BYTES + 1));
  expect(runsOf(large).map((run) => run.length)).toEqual([1, 1, 1]);
});
