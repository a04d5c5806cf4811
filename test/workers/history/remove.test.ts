import { describe, expect, test } from 'vitest';
import { removeSession } from '../../../src/history/remove.ts';
import { listSessions } from '../../../src/history/list.ts';
import { searchMessages } from '../../../src/history/search.ts';
import { TOMBSTONE_KEEP_MS } from '../../../src/history/remove.ts';
import { count, db, indexHolds, Log, storedMessages, useEmptyDatabase, withBatch } from './database.ts';

useEmptyDatabase();

const now = 1_800_000_000_000;

function find(user: string, query: string) {
  return searchMessages(db, user, { query, limit: 20 });
}

describe('delete is really delete', () => {
  test('row, messages and index: the words are nowhere', async () => {
    const log = new Log('s1', 'ada', { title: 'Zanzibar' });
    log.turn('marzipan question', 'nougat answer 漢字');
    const kept = new Log('s2', 'ada');
    kept.turn('praline question', 'nougat again');
    await log.deliver();
    await kept.deliver();
    expect(await indexHolds('marzipan')).toBe(true);
    await removeSession(db, log, now);
    expect(await count('sessions')).toBe(1);
    expect(await count('messages')).toBe(2);
    expect(await indexHolds('marzipan')).toBe(false);
    expect((await find('ada', 'nougat')).hits.map(({ message }) => message.text)).toEqual(['nougat again']);
    const { results } = await db.prepare('SELECT * FROM removed_sessions').all();
    expect(results).toEqual([{ id: 's1', num: null, user_id: null, at: now }]);
  });

  test('thousands of messages go in bounded batches, whatever their size', async () => {
    const log = new Log('s1', 'ada');
    for (let i = 0; i < 250; i++) log.turn(`q ${i}`, i % 50 === 0 ? 'a b '.repeat(60_000) : `reply ${i}`);
    await log.deliver();
    const sizes: number[] = [];
    const watched = withBatch(async (statements) => {
      const results = await db.batch(statements);
      sizes.push(results.at(-1)?.meta.rows_written ?? 0);
      return results;
    });
    await removeSession(watched, log, now);
    expect(await count('messages')).toBe(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(await indexHolds('reply')).toBe(false);
  });

  test('again, and for a session that never was: harmless', async () => {
    const log = new Log('s1', 'ada');
    log.turn('hello', 'hi');
    await log.deliver();
    await removeSession(db, log, now);
    await removeSession(db, log, now);
    await removeSession(db, { id: 'never', user: 'ada' }, now);
    expect(await count('sessions')).toBe(0);
    expect(await count('messages')).toBe(0);
  });

  test('another user’s session stays', async () => {
    const log = new Log('s1', 'ada');
    log.turn('hello', 'hi');
    await log.deliver();
    await removeSession(db, { id: 's1', user: 'eve' }, now);
    expect(await count('messages')).toBe(2);
    log.turn('more', 'text');
    await log.deliver(4);
    expect(await storedMessages('s1')).toHaveLength(4);
  });
});

describe('what comes after', () => {
  test('a late delivery, from the first record or from the middle, brings nothing back', async () => {
    const log = new Log('s1', 'ada');
    log.turn('hello', 'hi');
    await log.deliver(1, 2);
    await removeSession(db, log, now);
    await log.deliver(1);
    await log.deliver(3);
    expect(await count('sessions')).toBe(0);
    expect(await count('messages')).toBe(0);
  });

  test('also when D1 had not seen the session before it was deleted', async () => {
    const log = new Log('s1', 'ada');
    log.turn('hello', 'hi');
    await removeSession(db, log, now);
    await log.deliver();
    expect(await count('sessions')).toBe(0);
  });

  test('interrupted: at once invisible, and the next call goes on', async () => {
    const log = new Log('s1', 'ada');
    for (let i = 0; i < 150; i++) log.turn(`hello ${i}`, 'hi');
    await log.deliver();
    let batches = 0;
    const failing = withBatch(async (statements) => {
      if (++batches === 3) throw new Error('D1 is away');
      return db.batch(statements);
    });
    await expect(removeSession(failing, log, now)).rejects.toThrow('D1 is away');
    expect(await count('messages')).toBe(200);
    expect((await listSessions(db, 'ada', { limit: 5 })).sessions).toEqual([]);
    expect((await find('ada', 'hello')).hits).toEqual([]);
    await log.deliver();
    await removeSession(db, log, now);
    expect(await count('messages')).toBe(0);
    expect(await indexHolds('hello')).toBe(false);
  });

  test('S22: two removals at once: what the other erased meanwhile hides nothing of the rest', async () => {
    const log = new Log('s1', 'ada');
    for (let i = 0; i < 150; i++) log.turn(`hello ${i}`, `marzipan ${i}`);
    await log.deliver();
    let batches = 0;
    const ended = withBatch(async (statements) => {
      if (++batches === 3) throw new Error('D1 is away');
      return db.batch(statements);
    });
    let isFirst = true;
    const overtaken = withBatch(async (statements) => {
      // The tombstone's batch is not yet one of the other's.
      if ((await count('removed_sessions')) > 0 && isFirst) {
        isFirst = false;
        await expect(removeSession(ended, log, now)).rejects.toThrow('D1 is away');
        expect(await count('messages')).toBe(200);
      }
      return db.batch(statements);
    });
    await removeSession(overtaken, log, now);
    expect(isFirst).toBe(false);
    expect(await count('messages')).toBe(0);
    expect((await indexHolds('hello')) || (await indexHolds('marzipan'))).toBe(false);
    expect(await db.prepare('SELECT num FROM removed_sessions').first('num')).toBeNull();
  });

  test('S22: any number of removals at once leave nothing', async () => {
    const log = new Log('s1', 'ada');
    for (let i = 0; i < 300; i++) log.turn(`hello ${i}`, `marzipan ${i}`);
    await log.deliver();
    await Promise.all(Array.from({ length: 5 }, () => removeSession(db, log, now)));
    expect(await count('messages')).toBe(0);
    expect((await indexHolds('hello')) || (await indexHolds('marzipan'))).toBe(false);
  });

  test('a new session never gets a deleted one’s place', async () => {
    const log = new Log('s1', 'ada');
    await log.deliver();
    const num = await db.prepare('SELECT num FROM sessions').first<number>('num');
    await removeSession(db, log, now);
    await new Log('s2', 'ada').deliver();
    expect(await db.prepare('SELECT num FROM sessions').first<number>('num')).toBeGreaterThan(num ?? 0);
  });

  test('tombstones are kept for a week', async () => {
    await removeSession(db, { id: 's1', user: 'ada' }, now);
    await removeSession(db, { id: 's2', user: 'ada' }, now + TOMBSTONE_KEEP_MS);
    expect(await count('removed_sessions')).toBe(2);
    await removeSession(db, { id: 's3', user: 'ada' }, now + TOMBSTONE_KEEP_MS + 1);
    expect(await count('removed_sessions')).toBe(2);
  });
});
