import { afterEach, describe, expect, test } from 'vitest';
import { readAnswer } from '../../src/responders/read-answer.ts';
import { ReadPace, waitMs } from '../../src/responders/read-pace.ts';

let sources = 0;
/** Closed after each test: open ones count for all others. */
const opened: ReadPace[] = [];
afterEach(() => {
  for (const pace of opened.splice(0)) pace.close();
});

function paced(wait: number, source = `source ${(sources += 1)}`) {
  let now = 1_000;
  const pace = new ReadPace(
    source,
    () => now,
    () => wait,
  );
  opened.push(pace);
  return { pace, read: (bytes: number, afterMs: number) => ((now += afterMs), pace.took(bytes)) };
}

/** A stream of this source has been read to its end: `bytes` every `ms`, from a busy process. */
function wasRead(source: string, reads: number, bytes: number, ms: number): void {
  const { pace, read } = paced(50, source);
  for (let index = 0; index < reads; index += 1) read(bytes, ms);
  pace.close();
}

describe('the wait between reads', () => {
  test('a quiet process waits for nothing; a busy one up to a bound', () => {
    expect([1, 8, 14, 1_000].map(waitMs)).toEqual([0, 0, 24, 50]);
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

  test('a stream is waited for once it has shown a speed of its own: one whose tokens come each second is not silent', () => {
    wasRead('a model', 20, 100, 10);
    const next = paced(50, 'a model');
    expect(next.pace.minBytes()).toBe(1);
    next.read(100, 0);
    expect(next.pace.minBytes()).toBe(75);
    next.read(50, 10);
    expect(next.pace.minBytes()).toBe(500);
    const slow = paced(50, 'a model');
    slow.read(100, 0);
    slow.read(100, 1_000);
    expect(slow.pace.minBytes()).toBeLessThan(100);
  });

  test('without a speed of its own no stream is waited for longer than for as many tokens as its process is late', () => {
    const source = 'a model that is slower today';
    const { pace: told, read } = paced(50, source);
    read(100, 500);
    read(6_000, 2_400);
    told.ended(600);
    told.close();
    const next = paced(50, source);
    next.read(100, 500);
    expect(next.pace.minBytes()).toBeLessThanOrEqual(4 * 100);
  });

  test('what was faster than any model stands in until then, in a small measure', () => {
    wasRead('an echo', 21, 1_000, 10);
    const next = paced(50, 'an echo');
    expect(next.pace.minBytes()).toBe(1);
    next.read(100, 0);
    expect(next.pace.minBytes()).toBe(1_024);
    const other = paced(50, 'another echo');
    other.read(100, 0);
    expect(other.pace.minBytes()).toBe(1);
  });

  test('a stream that seems slow is thought twice as fast, if others were: who reads late takes every stream for a slow one', () => {
    const source = 'a model that is read late';
    wasRead(source, 21, 100, 10);
    const late = paced(50, source);
    late.read(100, 0);
    for (let index = 0; index < 20; index += 1) late.read(100, 40);
    expect(late.pace.minBytes()).toBe(250);
  });

  describe('what the model says of its own speed', () => {
    /** A stream of this source has ended: so many bytes, in as many ms of the model's own and read in `readMs`. */
    function wasWritten(source: string, bytes: number, ms: number | null, readMs = 0): void {
      const { pace, read } = paced(50, source);
      read(100, 500);
      read(bytes, readMs);
      pace.ended(ms);
      pace.close();
    }

    /** What the second read of a stream of this source waits for. */
    function second(source: string): number {
      const { pace, read } = paced(50, source);
      read(100, 500);
      return pace.minBytes();
    }

    /** What the third waits for, of a stream that has seemed half as fast (bytes per ms). */
    function third(source: string, speed: number): number {
      const { pace, read } = paced(50, source);
      read(100, 500);
      read((speed / 2) * 100, 100);
      return pace.minBytes();
    }

    test('counts once a stream has shown that it is no slower by far, however late its streams are read', () => {
      wasWritten('a model that says so', 2_000, 40);
      expect(paced(50, 'a model that says so').pace.minBytes()).toBe(1);
      expect(second('a model that says so')).toBe(75);
      expect(third('a model that says so', 50)).toBe(2_500);
    });

    test('counts from the second read on where no model writes so fast, unless no connection does', () => {
      wasWritten('an echo that says so', 100_000, 10);
      expect(second('an echo that says so')).toBe(8 * 1024);
      wasWritten('a model that says it in ms', 10_000, 0.001);
      expect(second('a model that says it in ms')).toBe(1);
    });

    test('goes before what was measured, which is the best of many', () => {
      const source = 'a model with bursts';
      wasRead(source, 31, 4_000, 4);
      expect(second(source)).toBe(1_024);
      wasWritten(source, 4_000, 400);
      expect(third(source, 10)).toBe(500);
    });

    test('is doubted where a stream itself is far slower', () => {
      wasWritten('a model that slowed down', 10_000, 100);
      const { pace, read } = paced(50, 'a model that slowed down');
      read(100, 0);
      read(100, 20);
      expect(pace.minBytes()).toBe(500);
    });

    test('tells how late this process is: as many times longer streams are waited for', () => {
      const source = 'a model of a late process';
      wasWritten(source, 10_000, 1_000, 3_000);
      const late = paced(50, source);
      late.read(100, 0);
      // Three tokens, the last of which may be a short one.
      expect(late.pace.minBytes()).toBe(275);
      late.read(200, 60);
      expect(late.pace.minBytes()).toBe(1_000);
      for (let streams = 0; streams < 80; streams += 1) wasWritten(source, 10_000, 1_000, 1_000);
      late.read(200, 60);
      expect(late.pace.minBytes()).toBe(333);
    });

    test('one stream that hung tells little of it, whatever it took', () => {
      const source = 'a model with one bad connection';
      for (let streams = 0; streams < 40; streams += 1) wasWritten(source, 10_000, 1_000, 1_000);
      wasWritten(source, 10_000, 1_000, 30_000);
      expect(third(source, 10)).toBeLessThan(700);
      wasWritten(source, 10_000, 1_000, -3_600_000);
      wasWritten(source, 10_000, 1_000, 3_000);
      expect(third(source, 10)).toBeGreaterThan(500);
    });

    test('is believed within bounds: once its speed is known, one that says too little delays a reader by less than half a second', () => {
      const source = 'a model that boasts';
      wasWritten(source, 10_000, 0.1, 10_000);
      const { pace, read } = paced(50, source);
      read(100, 0);
      read(100, 100);
      expect(pace.minBytes()).toBe(400);
    });

    test('is its usual speed: one slow stream is no news, many are, and long ones count for more than short ones', () => {
      const source = 'a model that hesitates';
      for (let streams = 0; streams < 40; streams += 1) wasWritten(source, 2_000, 40);
      expect(third(source, 50)).toBe(2_500);
      wasWritten(source, 2_000, 400);
      expect(third(source, 25)).toBeGreaterThan(1_000);
      for (let streams = 0; streams < 80; streams += 1) wasWritten(source, 2_000, 400);
      expect(third(source, 5)).toBe(250);
      const other = 'a model with long answers';
      wasWritten(other, 200_000, 20_000);
      wasWritten(other, 2_000, 1);
      expect(third(other, 10.1)).toBe(505);
    });

    test('is not told by a few tokens: their last line is longer than they are', () => {
      wasWritten('a terse model that says so', 1_000, 1);
      expect(second('a terse model that says so')).toBe(1);
    });

    test('is forgotten after a minute, and missing where the model says nothing', () => {
      let now = 1_000;
      const open = () => {
        const pace = new ReadPace(
          'a model of an hour ago',
          () => now,
          () => 50,
        );
        opened.push(pace);
        pace.took(100);
        return pace;
      };
      const tell = (ms: number | null): void => {
        const pace = open();
        pace.took(2_000);
        pace.ended(ms);
        pace.close();
      };
      tell(null);
      expect(open().minBytes()).toBe(1);
      tell(10);
      now += 59_999;
      expect(open().minBytes()).toBe(8 * 1024);
      now += 1;
      expect(open().minBytes()).toBe(1);
    });
  });

  test('a fast stream is read by its own speed, however fast others were', () => {
    const source = 'a model with a cache';
    wasRead(source, 31, 4_000, 4);
    const own = paced(50, source);
    own.read(100, 0);
    own.read(1_000, 10);
    expect(own.pace.minBytes()).toBe(5_000);
  });

  test('a burst tells nothing about speed, and a speed is forgotten after a minute', () => {
    let now = 1_000;
    const open = (source: string) => {
      const pace = new ReadPace(
        source,
        () => now,
        () => 50,
      );
      opened.push(pace);
      return { pace, took: (bytes: number, afterMs: number) => ((now += afterMs), pace.took(bytes)) };
    };
    const burst = open('from a cache');
    burst.took(100, 0);
    burst.took(5_000, 5);
    burst.pace.close();
    const after = open('from a cache');
    after.took(100, 0);
    expect(after.pace.minBytes()).toBe(1);
    const told = open('a model of yesterday');
    told.took(100, 0);
    told.took(20_000, 200);
    told.pace.close();
    for (const [afterMs, bytes] of [
      [59_000, 1_024],
      [1_000, 1],
    ] as const) {
      now += afterMs;
      const next = open('a model of yesterday');
      next.took(100, 0);
      expect(next.pace.minBytes()).toBe(bytes);
    }
  });

  test('streams that end quickly count for a while: many short ones are as much work as a few long ones', () => {
    const source = 'a fast model';
    wasRead(source, 21, 1_000, 10);
    let now = 5_000;
    const open = () => new ReadPace(source, () => now);
    now += 100_000;
    open().close();
    now -= 100_000;
    for (let index = 0; index < 33; index += 1) open().close();
    const next = open();
    next.took(100);
    now += 50;
    expect(next.minBytes()).toBe(1_024);
    now += 50;
    expect(next.minBytes()).toBe(1);
    next.close();
  });

  test('an answer that was given up in the middle counts no longer', async () => {
    const echo = { take: (line: string, out: { text: string }) => ((out.text += line), null), finish: () => null };
    for (let index = 0; index < 40; index += 1) {
      const giveUp = new AbortController();
      const body = new ReadableStream({
        type: 'bytes',
        start: (controller) => controller.enqueue(new TextEncoder().encode('a token\n')),
      });
      const answer = readAnswer(body, echo, 'a model', giveUp.signal);
      expect((await answer.next()).value).toMatchObject({ text: 'a token' });
      giveUp.abort();
    }
    let now = Date.now() + 1_000;
    const next = new ReadPace('a model', () => now);
    opened.push(next);
    next.took(100);
    now += 1;
    next.took(1_000);
    expect(next.minBytes()).toBe(1);
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
