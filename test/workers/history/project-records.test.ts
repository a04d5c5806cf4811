import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { projectRecords, projectTogether, type Delivery } from '../../../src/history/project-records.ts';
import { removeSession } from '../../../src/history/remove.ts';
import { MAX_SEQ } from '../../../src/history/row-id.ts';
import { searchMessages } from '../../../src/history/search.ts';
import { indexedTerms } from '../../../src/history/terms.ts';
import { MAX_REPLY_LENGTH } from '../../../src/protocol/limits.ts';
import type { LogRecord } from '../../../src/protocol/records.ts';
import { count, db, fold, indexHolds, Log, rowsOf, storedMessages, useEmptyDatabase, withBatch } from './database.ts';

useEmptyDatabase();

async function finds(user: string, query: string): Promise<string[]> {
  const { hits } = await searchMessages(db, user, { query, limit: 20 });
  return hits.map(({ message }) => message.text);
}

/** Every kind of record, with revisions both in the same delivery as what they revise and later. */
function eventfulLog(): Log {
  const log = new Log('s1', 'ada');
  const first = log.ask('first question');
  const second = log.ask('second question');
  const third = log.ask('third question');
  log.add({ kind: 'edited', turn: second, text: 'second, edited once' });
  log.add({ kind: 'edited', turn: second, text: 'second, edited' });
  log.add({ kind: 'cancelled', turn: third });
  log.add({ kind: 'restarted', turn: first, attempt: 2 });
  log.add({ kind: 'stopped', turn: first, attempt: 2, text: 'stopped half', thinking: 'hm' });
  log.add({ kind: 'failed', turn: second, attempt: 1, text: '', code: 'idle_timeout', message: 'Nothing came.' });
  log.add({ kind: 'updated', title: 'Renamed', folder: 'work' });
  log.add({ kind: 'regenerated', turn: second, attempt: 2 });
  log.reply(second, 'an answer', 2);
  log.add({ kind: 'regenerated', turn: second, attempt: 3 });
  log.reply(second, 'a better answer', 3);
  log.add({ kind: 'updated', archived: true, bot: { id: 'other', name: 'Other', model: 'm2' } });
  return log;
}

describe('rows are what the log means', () => {
  test('a whole log in one delivery', async () => {
    const log = eventfulLog();
    await log.deliver();
    expect(await storedMessages('s1')).toEqual(fold(log.records));
  });

  test('one record at a time', async () => {
    const log = eventfulLog();
    for (const { seq } of log.records) await log.deliver(seq, seq);
    expect(await storedMessages('s1')).toEqual(fold(log.records));
    const session = await db.prepare('SELECT * FROM sessions').first();
    expect(session).toMatchObject({ title: 'Renamed', folder: 'work', archived: 1, bot_id: 'other', bot_model: 'm2' });
  });

  test('every prefix, followed by the whole, followed by every suffix', async () => {
    const log = eventfulLog();
    const last = log.records.length;
    for (let seq = 1; seq <= last; seq++) {
      await log.deliver(1, seq);
      expect(await storedMessages('s1')).toEqual(fold(log.records.slice(0, seq)));
    }
    for (let seq = 1; seq <= last; seq++) await log.deliver(seq, last);
    expect(await storedMessages('s1')).toEqual(fold(log.records));
    expect(await finds('ada', 'question')).toEqual(['first question']);
    expect(await finds('ada', 'answer')).toEqual(['a better answer']);
  });

  test('an old delivery that arrives late changes nothing, whatever part of the log it is', async () => {
    const log = eventfulLog();
    await log.deliver();
    const session = await db.prepare('SELECT * FROM sessions').first();
    const rows = await db.prepare('SELECT * FROM messages').all();
    for (let from = 1; from <= log.records.length; from++) {
      for (const to of [from, from + 1, from + 5]) {
        expect(await rowsOf((into) => log.deliver(from, to, into))).toEqual({ rows: 0, indexRows: 0 });
      }
    }
    expect(await db.prepare('SELECT * FROM sessions').first()).toEqual(session);
    expect((await db.prepare('SELECT * FROM messages').all()).results).toEqual(rows.results);
  });

  test('texts come back as they were: quotes, controls, NUL, emoji, 256K of it', async () => {
    const log = new Log('s1', 'ada');
    log.turn('nul \u0000 bell \u0007 "quoted" \\ \n 👩‍🚀 日本', '\u0001'.repeat(256 * 1024));
    log.turn('ё'.repeat(16_000), '漢'.repeat(256 * 1024));
    await log.deliver();
    expect(await storedMessages('s1')).toEqual(fold(log.records));
  });

  test('half of a surrogate pair in an answer becomes a replacement character', async () => {
    const log = new Log('s1', 'ada');
    log.turn('hi', 'broken \ud83d here');
    await log.deliver();
    expect(await storedMessages('s1')).toMatchObject([{}, { text: 'broken \ufffd here' }]);
  });

  test('a change of one message reads few rows, however many others there are', async () => {
    const other = new Log('s0', 'ada');
    for (let i = 0; i < 1_000; i++) other.ask(`message ${i}`);
    await other.deliver();
    const log = new Log('s1', 'ada');
    const turn = log.turn('hello', 'hi');
    await log.deliver();
    log.add({ kind: 'regenerated', turn, attempt: 2 });
    let rowsRead = 0;
    const measured = withBatch(async (statements) => {
      const results = await db.batch(statements);
      rowsRead = results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
      return results;
    });
    await projectRecords(measured, log, log.records.slice(3));
    expect(await storedMessages('s1')).toEqual(fold(log.records));
    expect(rowsRead).toBeGreaterThan(0);
    expect(rowsRead).toBeLessThan(50);
  });

  test('more than one batch can take is split, in order: no value is above D1’s 2 MB', async () => {
    const log = new Log('s1', 'ada');
    for (let i = 0; i < 100; i++) log.turn(`${i} ${'\u0002'.repeat(8_000)}`, 'a b c '.repeat(3_000));
    log.turn('the largest answers', '\u0001'.repeat(MAX_REPLY_LENGTH));
    log.turn('and the most terms', 'a '.repeat(MAX_REPLY_LENGTH / 2));
    let largest = 0;
    const measured = new Proxy(db, {
      get(target, name) {
        if (name !== 'prepare') return Reflect.get(target, name).bind(target);
        return (sql: string) => {
          const statement = target.prepare(sql);
          const bind = statement.bind.bind(statement);
          statement.bind = (...values) => {
            for (const value of values) largest = Math.max(largest, new TextEncoder().encode(String(value)).length);
            return bind(...values);
          };
          return statement;
        };
      },
    });
    await projectRecords(measured, log, log.records);
    expect(await storedMessages('s1')).toEqual(fold(log.records));
    expect(largest).toBeGreaterThan(1_000_000);
    expect(largest).toBeLessThan(2_000_000);
  });
});

/** Random logs as a session could write them: turns that wait, are revised, end and are answered anew. */
const steps = fc.array(
  fc.record({
    what: fc.constantFrom('ask', 'edit', 'cancel', 'reply', 'stop', 'fail', 'regenerate', 'update'),
    pick: fc.nat(),
    text: fc
      .array(
        fc.oneof(fc.constantFrom('tea', 'Tee', 'thé', '茶', 'お茶'), fc.string({ unit: 'binary', maxLength: 3 })),
        {
          maxLength: 5,
        },
      )
      .map((words) => words.join(' ')),
  }),
  { maxLength: 25 },
);

function logOf(moves: { what: string; pick: number; text: string }[]): LogRecord[] {
  const log = new Log('s1', 'ada');
  const waiting: number[] = [];
  const ended = new Map<number, number>();
  for (const { what, pick, text } of moves) {
    const waits = waiting[pick % (waiting.length || 1)];
    const over = [...ended.keys()][pick % (ended.size || 1)];
    if (what === 'ask') waiting.push(log.ask(text));
    else if (what === 'update') log.add({ kind: 'updated', title: text.slice(0, 10) });
    else if (what === 'regenerate' && over !== undefined) {
      const attempt = (ended.get(over) ?? 0) + 1;
      ended.set(over, attempt);
      log.add({ kind: 'regenerated', turn: over, attempt });
      log.reply(over, text, attempt);
    } else if (waits !== undefined && what !== 'regenerate') {
      if (what === 'edit') {
        log.add({ kind: 'edited', turn: waits, text });
        continue;
      }
      waiting.splice(waiting.indexOf(waits), 1);
      if (what === 'cancel') log.add({ kind: 'cancelled', turn: waits });
      else ended.set(waits, 1);
      if (what === 'reply') log.reply(waits, text);
      if (what === 'stop') log.add({ kind: 'stopped', turn: waits, attempt: 1, text });
      if (what === 'fail') {
        log.add({ kind: 'failed', turn: waits, attempt: 1, text, code: 'model_error', message: 'No.' });
      }
    }
  }
  return log.records;
}

test(
  'any log, cut anywhere, with any part delivered again, gives the rows of the log',
  { timeout: 60_000 },
  async () => {
    const key = { id: 's1', user: 'ada' };
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.nat(), { maxLength: 12 }), async (moves, cuts) => {
        const records = logOf(moves);
        await db.batch([
          db.prepare('DELETE FROM sessions'),
          db.prepare('DELETE FROM messages'),
          db.prepare(`INSERT INTO messages_fts (messages_fts) VALUES ('delete-all')`),
        ]);
        let delivered = 0;
        for (const cut of [...cuts, records.length]) {
          // From somewhere before the end of what D1 has, to somewhere after.
          const from = cut % (delivered + 1);
          const to = Math.min(records.length, from + 1 + (cut % 7));
          await projectRecords(db, key, records.slice(from, to));
          delivered = Math.max(delivered, to);
        }
        await projectRecords(db, key, records.slice(delivered));
        const messages = fold(records);
        expect(await storedMessages('s1')).toEqual(messages);
        expect(await indexedRows(records)).toEqual(expectedIndex(records));
      }),
      { numRuns: 60 },
    );
  },
);

/** For every term that any text of the log ever had: the places that the index has it at. */
async function indexedRows(records: readonly LogRecord[]): Promise<Record<string, number[]>> {
  const terms = new Set(records.flatMap((record) => ('text' in record ? termsIn(record.text) : [])));
  const found: Record<string, number[]> = {};
  for (const term of terms) {
    const { results } = await db
      .prepare('SELECT rowid % 4194304 AS seq FROM messages_fts WHERE terms MATCH ? ORDER BY rowid')
      .bind(`"${term}"`)
      .all<{ seq: number }>();
    if (results.length > 0) found[term] = results.map(({ seq }) => seq);
  }
  return found;
}

function expectedIndex(records: readonly LogRecord[]): Record<string, number[]> {
  const expected: Record<string, number[]> = {};
  for (const { seq, status, text } of fold(records)) {
    if (status === 'cancelled' || status === 'superseded') continue;
    for (const term of new Set(termsIn(text))) (expected[term] ??= []).push(seq);
  }
  return expected;
}

function termsIn(text: string): string[] {
  return indexedTerms('ada', text)
    .split(' ')
    .filter((term) => term !== '');
}

describe('what a turn costs', () => {
  test('a message and its reply in one flush: 2 rows, and 2 in the index', async () => {
    const log = new Log('s1', 'ada');
    await log.deliver();
    log.turn('how much is a row?', 'A dollar per million.');
    expect(await rowsOf((into) => log.deliver(2, 3, into))).toEqual({ rows: 2, indexRows: 2 });
  });

  test('delivered again: nothing', async () => {
    const log = new Log('s1', 'ada');
    log.turn('how much is a row?', 'A dollar per million.');
    await log.deliver();
    expect(await rowsOf((into) => projectRecords(into, log, log.records))).toEqual({ rows: 0, indexRows: 0 });
  });

  test('a session: 4 rows, once', async () => {
    const log = new Log('s1', 'ada');
    expect(await rowsOf((into) => projectRecords(into, log, log.records))).toEqual({ rows: 4, indexRows: 0 });
  });

  test('records without a row need no call to D1', async () => {
    const log = new Log('s1', 'ada');
    log.add({ kind: 'restarted', turn: 2, attempt: 2 });
    const unasked = withBatch(() => Promise.reject(new Error('D1 was called.')));
    await log.deliver(2, 2, unasked);
  });
});

describe('the index follows the rows', () => {
  test('an edit replaces what a message is found by', async () => {
    const log = new Log('s1', 'ada');
    const turn = log.ask('oranges');
    await log.deliver();
    const edit = log.add({ kind: 'edited', turn, text: 'lemons' });
    await log.deliver(edit, edit);
    expect(await finds('ada', 'oranges')).toEqual([]);
    expect(await finds('ada', 'lemons')).toEqual(['lemons']);
    expect(await indexHolds('oranges')).toBe(false);
  });

  test('a withdrawn message and a replaced answer are not found', async () => {
    const log = new Log('s1', 'ada');
    const asked = log.turn('keep me', 'replaced answer');
    const withdrawn = log.ask('withdrawn words');
    await log.deliver();
    log.add({ kind: 'cancelled', turn: withdrawn });
    log.add({ kind: 'regenerated', turn: asked, attempt: 2 });
    await log.deliver(5);
    expect(await finds('ada', 'withdrawn')).toEqual([]);
    expect(await finds('ada', 'replaced')).toEqual([]);
    expect((await indexHolds('withdrawn')) || (await indexHolds('replaced'))).toBe(false);
  });
});

describe('several sessions in one batch', () => {
  const part = (log: Log, from = 1): Delivery => ({ session: log, records: log.records.slice(from - 1) });

  test('each has the rows of its own log, whatever of it was there before', async () => {
    const logs = ['s1', 's2', 's3'].map((id, index) => new Log(id, index === 2 ? 'eve' : 'ada'));
    for (const log of logs) log.turn(`question of ${log.id}`, `answer to ${log.id}`);
    await logs[1]?.deliver(1, 2);
    await projectTogether(
      db,
      logs.map((log) => part(log)),
    );
    for (const log of logs) expect(await storedMessages(log.id)).toEqual(fold(log.records));
    for (const log of logs) log.turn('again', log.id);
    await projectTogether(
      db,
      logs.map((log) => part(log, 3)),
    );
    for (const log of logs) expect(await storedMessages(log.id)).toEqual(fold(log.records));
    expect(await finds('ada', 'again')).toHaveLength(2);
    expect(await finds('eve', 'question')).toEqual(['question of s3']);
  });

  test('together they cost the rows that they cost one by one', async () => {
    const single = new Log('s1', 'ada');
    const others = ['s2', 's3', 's4'].map((id) => new Log(id, 'ada'));
    for (const log of [single, ...others]) log.turn('hello', 'hi');
    const alone = await rowsOf((into) => projectRecords(into, single, single.records));
    const parts = others.map((log) => part(log));
    const together = await rowsOf((into) => projectTogether(into, parts));
    expect(together).toEqual({ rows: 3 * alone.rows, indexRows: 3 * alone.indexRows });
  });

  test('one that was deleted meanwhile, or is another user’s, gets nothing; the others get theirs', async () => {
    const [kept, deleted] = [new Log('s1', 'ada'), new Log('s2', 'ada')];
    for (const log of [kept, deleted]) log.turn('hello', 'hi');
    await deleted.deliver();
    await removeSession(db, { id: 's2', user: 'ada' }, 5);
    const foreign: Delivery = {
      session: { id: 's1', user: 'eve' },
      records: [...kept.records, ...eventfulLog().records.slice(1, 4)],
    };
    await projectTogether(db, [part(deleted), part(kept), foreign]);
    expect(await count('messages')).toBe(2);
    expect(await storedMessages('s1')).toEqual(fold(kept.records));
    expect(await finds('ada', 'hello')).toEqual(['hello']);
  });

  test('all or nothing', async () => {
    const [good, bad] = [new Log('s1', 'ada'), new Log('s2', 'ada')];
    for (const log of [good, bad]) log.turn('hello', 'hi');
    const far = bad.records.map((record) => ({ ...record, seq: record.seq + MAX_SEQ }));
    await expect(projectTogether(db, [part(good), { session: bad, records: far }])).rejects.toMatchObject({
      code: 'internal',
    });
    expect(await count('sessions')).toBe(0);
  });
});

describe('what must not be written', () => {
  test('messages of a session that D1 does not know, or knows as another user’s', async () => {
    const log = new Log('s1', 'ada');
    log.turn('hello', 'hi');
    await log.deliver(2, 3);
    expect(await count('messages')).toBe(0);
    await log.deliver();
    await projectRecords(db, { id: 's1', user: 'eve' }, [
      { kind: 'message', id: 'x', text: 'planted', priority: 0, seq: 4, at: 1 },
      { kind: 'updated', title: 'Stolen', seq: 5, at: 1 },
    ]);
    expect(await count('messages')).toBe(2);
    expect(await db.prepare('SELECT title FROM sessions').first('title')).toBe('Title of s1');
  });

  test('a record whose row would be the next session’s', async () => {
    const key = { id: 's1', user: 'ada' };
    await new Log('s1', 'ada').deliver();
    const record = { kind: 'message', id: 'x', text: 'far', priority: 0, at: 1 } as const;
    await projectRecords(db, key, [{ ...record, seq: MAX_SEQ }]);
    await expect(projectRecords(db, key, [{ ...record, seq: MAX_SEQ + 1 }])).rejects.toMatchObject({
      code: 'internal',
    });
    expect(await count('messages')).toBe(1);
  });

  test('half a batch: D1 failing in the middle leaves everything as it was', async () => {
    const log = new Log('s1', 'ada');
    log.turn('hello', 'hi');
    await db.prepare('ALTER TABLE messages RENAME TO messages_away').run();
    try {
      await expect(log.deliver()).rejects.toThrow();
      expect(await count('sessions')).toBe(0);
    } finally {
      await db.prepare('ALTER TABLE messages_away RENAME TO messages').run();
    }
    await log.deliver();
    expect(await finds('ada', 'hello')).toEqual(['hello']);
  });

  test('a delivery overtaken by another of the same session says so, and is right when made again', async () => {
    const log = new Log('s1', 'ada');
    const turn = log.ask('one');
    await log.deliver();
    log.add({ kind: 'edited', turn, text: 'two' });
    log.add({ kind: 'edited', turn, text: 'three' });
    // The same database, where the first edit arrives between this delivery's reading and its writing.
    const overtaken = withBatch(async (statements) => {
      await log.deliver(3, 3);
      return db.batch(statements);
    });
    await expect(projectRecords(overtaken, log, log.records.slice(2))).rejects.toMatchObject({ code: 'unavailable' });
    await log.deliver(3);
    expect(await storedMessages('s1')).toEqual(fold(log.records));
    expect(await finds('ada', 'three')).toEqual(['three']);
    expect(await finds('ada', 'two')).toEqual([]);
  });

  test.each([
    ['an edit', (log: Log) => log.add({ kind: 'edited', turn: 2, text: 'papaya' }), 3],
    ['a withdrawal', (log: Log) => log.add({ kind: 'cancelled', turn: 2 }), 3],
    ['another answer', (log: Log) => log.add({ kind: 'regenerated', turn: 2, attempt: 2 }), 3],
  ])(
    'S19: so does %s that comes with what it changes, where an older delivery brought that meanwhile',
    async (...row) => {
      const [, change, upTo] = row;
      const log = new Log('s1', 'ada');
      log.turn('mango', 'guava');
      change(log);
      const overtaken = withBatch(async (statements) => {
        await log.deliver(1, upTo);
        return db.batch(statements);
      });
      await expect(projectRecords(overtaken, log, log.records)).rejects.toMatchObject({ code: 'unavailable' });
      await log.deliver();
      expect(await storedMessages('s1')).toEqual(fold(log.records));
      expect(await finds('ada', 'mango guava')).toEqual([]);
      expect(await indexHolds(row[0] === 'another answer' ? 'guava' : 'mango')).toBe(false);
    },
  );

  test('one of a session that was deleted has nothing to wait for', async () => {
    const log = new Log('s1', 'ada');
    const turn = log.ask('one');
    log.add({ kind: 'edited', turn, text: 'two' });
    await removeSession(db, log, 5);
    await log.deliver();
    expect(await count('messages')).toBe(0);
  });
});
