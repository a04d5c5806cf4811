import { beforeEach, describe, expect, test } from 'vitest';
import { Gathering } from '../../src/history/gathering.ts';
import type { Delivery } from '../../src/history/project-records.ts';
import { MAX_BATCH_RECORDS } from '../../src/history/run.ts';
import type { LogRecord, RecordBody } from '../../src/protocol/records.ts';

let now: number;
let timers: { at: number; callback: () => void }[];
/** The sessions of each batch, and of each that went alone. */
let together: string[][];
let alone: string[];
/** Settles the batches and the single ones, in the order in which they were begun; null while they settle by themselves. */
let held: { resolve: () => void; reject: (error: Error) => void }[] | null;
let gathering: Gathering;

beforeEach(() => {
  now = 1_000_000;
  timers = [];
  together = [];
  alone = [];
  held = null;
  const write = async (): Promise<void> => {
    const waiting = held;
    if (waiting) await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
  };
  gathering = new Gathering({
    now: () => now,
    setTimer: (callback, delayMs) => void timers.push({ at: now + delayMs, callback }),
    writeTogether(deliveries) {
      together.push(deliveries.map(({ session }) => session.id));
      return write();
    },
    writeAlone({ session }) {
      alone.push(session.id);
      return write();
    },
  });
});

/** Lets time pass, and everything happen that is due by then. */
async function pass(ms: number): Promise<void> {
  const until = now + ms;
  for (;;) {
    const next = timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
    if (!next) break;
    timers.splice(timers.indexOf(next), 1);
    now = Math.max(now, next.at);
    next.callback();
  }
  now = until;
  await new Promise((resolve) => setImmediate(resolve));
}

const said = (seq: number, text = 'hello'): LogRecord => {
  const body: RecordBody = { kind: 'message', id: `m${seq}`, text, priority: 0 };
  return { ...body, seq, at: seq };
};
const of = (id: string, records: LogRecord[] = [said(1)]): Delivery => ({ session: { id, user: 'ada' }, records });

describe('who is written together', () => {
  test('whoever comes alone waits for nobody', async () => {
    const written = gathering.add(of('a'));
    await pass(0);
    expect(together).toEqual([['a']]);
    await written;
    await pass(1_000);
    await Promise.all([gathering.add(of('b')), pass(0)]);
    expect(together).toEqual([['a'], ['b']]);
  });

  test('what comes within a moment goes in one batch, a twentieth of a second after the last one', async () => {
    await Promise.all([gathering.add(of('a')), pass(0)]);
    const written = ['b', 'c', 'd'].map((id) => gathering.add(of(id)));
    await pass(49);
    expect(together).toEqual([['a']]);
    await pass(1);
    expect(together).toEqual([['a'], ['b', 'c', 'd']]);
    await Promise.all(written);
  });

  test('a batch that takes long holds up none of those after it', async () => {
    held = [];
    const first = gathering.add(of('a'));
    await pass(0);
    const second = gathering.add(of('b'));
    await pass(50);
    expect(together).toEqual([['a'], ['b']]);
    held[1]?.resolve();
    await second;
    held[0]?.resolve();
    await first;
  });

  test('a clock that was put back holds nothing up', async () => {
    await Promise.all([gathering.add(of('a')), pass(0)]);
    now -= 3_600_000;
    const written = gathering.add(of('b'));
    await pass(50);
    expect(together).toEqual([['a'], ['b']]);
    await written;
  });

  test('what changes earlier messages goes alone, and so does what fills a batch by itself', async () => {
    const edit: LogRecord = { kind: 'edited', turn: 1, text: 'well', seq: 2, at: 2 };
    await Promise.all([gathering.add(of('a', [edit])), gathering.add(of('b', [said(1, 'x'.repeat(65_536))])), pass(0)]);
    expect(alone).toEqual(['a', 'b']);
    expect(together).toEqual([]);
  });

  test('a batch has no more than D1 takes at once, in records and in bytes', async () => {
    await Promise.all([gathering.add(of('first')), pass(0)]);
    const many = Array.from({ length: MAX_BATCH_RECORDS / 2 }, (_, index) => said(index + 1, ''));
    const written = ['a', 'b', 'c'].map((id) => gathering.add(of(id, many)));
    await pass(50);
    const long = [said(1, 'x'.repeat(60_000))];
    written.push(...['d', 'e', 'f', 'g', 'h', 'i', 'j', 'k'].map((id) => gathering.add(of(id, long))));
    await pass(50);
    await Promise.all(written);
    expect(together).toEqual([['first'], ['a', 'b'], ['c'], ['d', 'e', 'f', 'g', 'h', 'i'], ['j', 'k']]);
  });

  test('a batch is of no more sessions than leave room for the statements of each', async () => {
    await Promise.all([gathering.add(of('first')), pass(0)]);
    const written = Array.from({ length: 45 }, (_, index) => gathering.add(of(`s${index}`)));
    await pass(50);
    await Promise.all(written);
    expect(together.map((sessions) => sessions.length)).toEqual([1, 20, 20, 5]);
  });

  test('a session that gave its first try up is not in one batch with itself', async () => {
    await Promise.all([gathering.add(of('first')), pass(0)]);
    const written = [gathering.add(of('a')), gathering.add(of('b')), gathering.add(of('a'))];
    await pass(50);
    await Promise.all(written);
    expect(together).toEqual([['first'], ['a', 'b'], ['a']]);
  });
});

describe('what cannot be written', () => {
  test('everybody hears of it, comes again alone, and travels with others once that worked', async () => {
    await Promise.all([gathering.add(of('first')), pass(0)]);
    held = [];
    const failed = ['a', 'b'].map(async (id) => expect(gathering.add(of(id))).rejects.toThrow('no such table'));
    await pass(50);
    held[0]?.reject(new Error('no such table'));
    await Promise.all(failed);

    const bad = gathering.add(of('a'));
    const good = gathering.add(of('b'));
    await pass(50);
    expect(alone).toEqual(['a', 'b']);
    held[1]?.reject(new Error('still not'));
    held[2]?.resolve();
    await Promise.all([expect(bad).rejects.toThrow('still not'), good]);

    held = null;
    await Promise.all([gathering.add(of('a')), gathering.add(of('b')), gathering.add(of('c')), pass(50)]);
    expect(alone).toEqual(['a', 'b', 'a']);
    expect(together).toEqual([['first'], ['a', 'b'], ['b', 'c']]);
  });

  test('who failed in a batch of its own comes again alone, too', async () => {
    held = [];
    const failed = gathering.add(of('a'));
    await pass(0);
    held[0]?.reject(new Error('down'));
    await expect(failed).rejects.toThrow('down');
    held = null;
    await Promise.all([gathering.add(of('a')), gathering.add(of('b')), pass(50)]);
    expect(alone).toEqual(['a']);
    expect(together).toEqual([['a'], ['b']]);
  });

  test('when all fail it is D1: they go together again', async () => {
    for (let round = 0; round < 6; round += 1) {
      held = [];
      const failed = Array.from({ length: 20 }, (_, index) => gathering.add(of(`${round}.${index}`)).catch(String));
      await pass(50);
      for (const { reject } of held) reject(new Error('down'));
      expect(new Set(await Promise.all(failed))).toEqual(new Set(['Error: down']));
    }
    held = null;
    await Promise.all([gathering.add(of('0.0')), gathering.add(of('1.0')), gathering.add(of('5.0')), pass(50)]);
    expect(alone).toEqual(['5.0']);
    expect(together.at(-1)).toEqual(['0.0', '1.0']);
  });

  test('more than one object can hold is refused, and taken again once there is room', async () => {
    held = [];
    const long = (id: string): Delivery => of(id, [said(1, 'x'.repeat(3_000_000))]);
    const first = gathering.add(long('a'));
    const second = gathering.add(long('b'));
    await expect(gathering.add(long('c'))).rejects.toMatchObject({ code: 'unavailable' });
    held[0]?.resolve();
    await first;
    const third = gathering.add(long('c'));
    held[1]?.resolve();
    held[2]?.resolve();
    await Promise.all([second, third]);
    // Whatever its size: nobody else is in its way.
    const huge = gathering.add(of('d', [said(1, 'x'.repeat(9_000_000))]));
    held[3]?.resolve();
    await huge;
    expect(alone).toEqual(['a', 'b', 'c', 'd']);
  });
});
