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
    expect([1, 8, 28, 1_000].map(waitMs)).toEqual([0, 0, 40, 50]);
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
    next.read(100, 10);
    expect(next.pace.minBytes()).toBe(500);
    const other = paced(50, 'another model');
    other.read(100, 0);
    expect(other.pace.minBytes()).toBe(1);
  });

  test('who reads late takes no stream for a slow one: half the best speed of lately is believed, in a small measure', () => {
    const source = 'a model that is read late';
    const calm = paced(50, source);
    for (let index = 0; index < 21; index += 1) calm.read(100, 10);
    calm.pace.close();
    const late = paced(50, source);
    late.read(100, 0);
    for (let index = 0; index < 20; index += 1) late.read(100, 400);
    expect(late.pace.minBytes()).toBe(250);
    late.pace.close();
    const next = paced(50, source);
    next.read(100, 0);
    expect(next.pace.minBytes()).toBe(500);
  });

  test('a speed is forgotten when it was not seen for a minute', () => {
    const source = 'a model that became slow';
    const fast = paced(50, source);
    for (let index = 0; index < 21; index += 1) fast.read(100, 10);
    fast.pace.close();
    for (let rest = 0; rest < 2; rest += 1) {
      const slow = paced(50, source);
      slow.read(100, 40_000 * (rest + 1));
      for (let index = 0; index < 20; index += 1) slow.read(100, 100);
      slow.pace.close();
    }
    const next = paced(50, source);
    next.read(100, 0);
    expect(next.pace.minBytes()).toBe(50);
  });

  test('streams that end quickly count for a while: many short ones are as much work as a few long ones', () => {
    const source = 'a fast model';
    const known = paced(50, source);
    for (let index = 0; index < 21; index += 1) known.read(100, 10);
    known.pace.close();
    let now = 5_000;
    const open = () => new ReadPace(source, () => now);
    for (let index = 0; index < 33; index += 1) open().close();
    const next = open();
    next.took(100);
    now += 50;
    expect(next.minBytes()).toBe(500);
    now += 50;
    expect(next.minBytes()).toBe(1);
    next.close();
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
