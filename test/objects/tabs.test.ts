import { describe, expect, test } from 'vitest';
import { CREDIT_WINDOW_BYTES } from '../../src/protocol/limits.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { Tabs } from '../../src/objects/tabs.ts';
import { FakeSocket } from '../support/fake-world.ts';

/** Tabs on a log in memory; `reads`: after which places the log was read. */
function session() {
  const log: LogRecord[] = [];
  const reads: number[] = [];
  const tabs = new Tabs<FakeSocket>({
    head: () => log.length,
    recordsAfter: (seq) => {
      reads.push(seq);
      return log.slice(seq);
    },
    running: () => null,
    queue: () => ({ running: null, waiting: [] }),
  });
  const join = (seq: number) => {
    const socket = new FakeSocket();
    const tab = tabs.accept(socket, 0);
    tab.seq = seq;
    tabs.pump(tab);
    return { socket, tab, places: () => socket.of('event').map((frame) => frame.seq) };
  };
  const append = (text: string) => {
    const record: LogRecord = { kind: 'message', seq: log.length + 1, at: 1, id: `m${log.length}`, text, priority: 0 };
    log.push(record);
    tabs.remember([record]);
    tabs.pumpAll();
  };
  return { join, append, reads, pumpAll: () => tabs.pumpAll() };
}

describe('the frames of the newest records', () => {
  test('are made once for all tabs: nothing is read from the log for them', () => {
    const { join, append, reads } = session();
    const tabs = [join(0), join(0), join(0)];
    append('a');
    append('b');
    for (const { places } of tabs) expect(places()).toEqual([1, 2]);
    expect(reads).toEqual([]);
  });

  test('are kept until every tab has them, and no longer: a thousand quiet sessions would keep thousands', () => {
    const { join, append, reads, pumpAll } = session();
    const quick = join(0);
    const slow = join(0);
    append('x'.repeat(CREDIT_WINDOW_BYTES));
    quick.tab.credit(CREDIT_WINDOW_BYTES);
    append('a');
    expect(quick.places()).toEqual([1, 2]);
    expect(slow.places()).toEqual([1]);
    slow.tab.credit(CREDIT_WINDOW_BYTES);
    pumpAll();
    expect(slow.places()).toEqual([1, 2]);
    expect(reads).toEqual([]);
    expect(join(1).places()).toEqual([2]);
    expect(reads).toEqual([1]);
  });
});
