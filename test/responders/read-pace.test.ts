import { describe, expect, test } from 'vitest';
import { ReadPace, waitMs } from '../../src/responders/read-pace.ts';

let sources = 0;

function paced(wait: number, source = `source ${(sources += 1)}`) {
  let now = 1_000;
  const pace = new ReadPace(
    source,
    () => now,
    () => wait,
  );
  return { pace, read: (bytes: number, afterMs: number) => ((now += afterMs), pace.took(bytes)) };
}

describe('the wait between reads', () => {
  test('a quiet process waits for nothing; a busy one up to a bound', () => {
    expect([1, 8, 28, 1_000].map(waitMs)).toEqual([0, 0, 10, 50]);
  });

  test('a quiet process takes every byte as it comes', () => {
    const { pace, read } = paced(0);
    for (let index = 0; index < 10; index += 1) read(100, 10);
    expect(pace.minBytes()).toBe(1);
  });

  test('the first token, and whatever follows until the speed is known, is never waited for', () => {
    const { pace, read } = paced(50);
    expect(pace.minBytes()).toBe(1);
    read(100, 500);
    expect(pace.minBytes()).toBe(1);
    read(100, 10);
    expect(pace.minBytes()).toBe(500);
  });

  test('a stream slower than the wait is read token by token', () => {
    const { pace, read } = paced(50);
    for (let index = 0; index < 10; index += 1) read(100, 400);
    expect(pace.minBytes()).toBeLessThan(100);
  });

  test('the speed of earlier streams stands in until the own one is known, in a small measure', () => {
    const { pace: earlier, read } = paced(50, 'a model');
    for (let index = 0; index < 20; index += 1) read(100, 10);
    earlier.close();
    const next = paced(50, 'a model');
    expect(next.pace.minBytes()).toBe(1);
    next.read(100, 0);
    expect(next.pace.minBytes()).toBe(500);
    next.read(100, 100);
    expect(next.pace.minBytes()).toBe(50);
    const other = paced(50, 'another model');
    other.read(100, 0);
    expect(other.pace.minBytes()).toBe(1);
  });

  test('a short burst says nothing about speed', () => {
    const { pace: burst, read } = paced(50, 'a terse model');
    read(100, 0);
    read(100, 0);
    burst.close();
    const next = paced(50, 'a terse model');
    next.read(100, 0);
    expect(next.pace.minBytes()).toBe(1);
  });

  test('what may be held back by a stall is bounded', () => {
    const { pace, read } = paced(50);
    read(100, 0);
    read(1_000_000, 0);
    expect(pace.minBytes()).toBe(8 * 1024);
  });
});
