import { describe, expect, test } from 'vitest';
import { listSessions, type SessionFilter } from '../../../src/history/list.ts';
import { db, Log, useEmptyDatabase } from './database.ts';

useEmptyDatabase();

async function ids(user: string, filter: SessionFilter = {}): Promise<string[]> {
  return (await listSessions(db, user, { ...filter, limit: 100 })).sessions.map(({ id }) => id);
}

/** All pages, one after the other. */
async function allPages(user: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listSessions>> = await listSessions(db, user, {
      limit,
      ...(cursor === null ? {} : { cursor }),
    });
    found.push(...page.sessions.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}

describe('order', () => {
  test('last used first; one without messages counts from when it was made', async () => {
    const old = new Log('old', 'ada', { at: 1_000 });
    const empty = new Log('empty', 'ada', { at: 50_000 });
    const fresh = new Log('fresh', 'ada', { at: 20_000 });
    for (const log of [old, empty, fresh]) await log.deliver();
    expect(await ids('ada')).toEqual(['empty', 'fresh', 'old']);
    old.at = 80_000;
    old.turn('still there?', 'yes');
    await old.deliver();
    expect(await ids('ada')).toEqual(['old', 'empty', 'fresh']);
  });

  test('each with its settings and its newest message that counts', async () => {
    const log = new Log('s1', 'ada', { at: 1_000, title: 'Before' });
    log.turn('question', `answer ${'x'.repeat(1_000)}`);
    log.add({ kind: 'cancelled', turn: log.ask('withdrawn') });
    log.add({ kind: 'updated', title: 'After', folder: 'work', archived: true });
    await log.deliver();
    const { sessions } = await listSessions(db, 'ada', { limit: 10 });
    expect(sessions).toEqual([
      {
        id: 's1',
        bot: { id: 'helper', name: 'Helper', model: 'llama3.2' },
        title: 'After',
        archived: true,
        folder: 'work',
        createdAt: 2_000,
        lastAt: 5_000,
        lastMessage: {
          seq: 3,
          turn: 2,
          id: '2.1',
          role: 'bot',
          status: 'complete',
          at: 4_000,
          text: `answer ${'x'.repeat(393)}`,
          cut: true,
        },
      },
    ]);
  });

  test('a session without messages has no last one', async () => {
    await new Log('s1', 'ada').deliver();
    expect((await listSessions(db, 'ada', { limit: 10 })).sessions).toMatchObject([{ lastMessage: null }]);
  });
});

describe('filters', () => {
  test('archived, folder, bot, and always the user', async () => {
    const settings = { id: 'other', name: 'Other', model: 'm' };
    const logs = [
      new Log('plain', 'ada', { at: 5_000 }),
      new Log('filed', 'ada', { at: 4_000 }),
      new Log('away', 'ada', { at: 3_000, settings }),
      new Log('eves', 'eve'),
    ];
    logs[1]?.add({ kind: 'updated', folder: "work'--" });
    logs[2]?.add({ kind: 'updated', archived: true });
    for (const log of logs) await log.deliver();
    expect(await ids('ada')).toEqual(['plain', 'filed', 'away']);
    expect(await ids('ada', { archived: false })).toEqual(['plain', 'filed']);
    expect(await ids('ada', { archived: true })).toEqual(['away']);
    expect(await ids('ada', { folder: "work'--" })).toEqual(['filed']);
    expect(await ids('ada', { folder: '' })).toEqual(['plain', 'away']);
    expect(await ids('ada', { bot: 'other' })).toEqual(['away']);
    expect(await ids('ada', { bot: 'other', archived: false })).toEqual([]);
    expect(await ids('nobody')).toEqual([]);
  });
});

describe('pages', () => {
  test('cover every session once, also when all have the same time', async () => {
    for (let i = 0; i < 23; i++) await new Log(`s${i}`, 'ada', { at: i < 15 ? 7_000 : i * 1_000 }).deliver();
    const whole = await ids('ada');
    for (const limit of [1, 4, 22, 23, 24]) expect(await allPages('ada', limit)).toEqual(whole);
  });

  test('a session that comes or goes meanwhile shifts nothing', async () => {
    for (let i = 0; i < 6; i++) await new Log(`s${i}`, 'ada', { at: i * 1_000 }).deliver();
    const first = await listSessions(db, 'ada', { limit: 2 });
    await new Log('new', 'ada', { at: 90_000 }).deliver();
    await db.prepare(`DELETE FROM sessions WHERE id IN ('s5', 's3')`).run();
    const second = await listSessions(db, 'ada', { limit: 2, cursor: first.nextCursor ?? '' });
    expect(second.sessions.map(({ id }) => id)).toEqual(['s2', 's1']);
  });

  test.each(['', 'x', btoa('["search",1,2]'), 'A'.repeat(1_000)])(
    'a cursor that is not ours is a bad_request',
    async (cursor) => {
      await expect(listSessions(db, 'ada', { limit: 5, cursor })).rejects.toMatchObject({ code: 'bad_request' });
    },
  );

  test('1,000 sessions of 20 messages: one page reads a few rows per session', async () => {
    const insertSessions = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
      INSERT INTO sessions (id, user_id, bot_id, bot_name, bot_model, title, created_at, settings_seq)
      SELECT 's' || i, 'ada', 'b', 'B', 'm', 'Title', i, 1 FROM n`;
    const insertMessages = `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 21)
      INSERT INTO messages (id, turn, rev, role, status, at, text)
      SELECT num * 4194304 + i, i, i, 'user', 'accepted', 1000 * ((num * 7919) % 1000) + i, 'text' FROM sessions, n`;
    await db.batch([db.prepare(insertSessions), db.prepare(insertMessages)]);
    let rowsRead = 0;
    const counting = new Proxy(db, {
      get(target, name) {
        if (name !== 'prepare') return Reflect.get(target, name).bind(target);
        return (sql: string) => countReads(target.prepare(sql), (rows) => (rowsRead += rows));
      },
    });
    const started = performance.now();
    const page = await listSessions(counting, 'ada', { limit: 50 });
    // The statement ran twice: once to be counted.
    const elapsedMs = (performance.now() - started) / 2;
    console.log(`list of 1,000 sessions: ${rowsRead} rows read, ${elapsedMs.toFixed(0)} ms`);
    expect(page.sessions).toHaveLength(50);
    expect(rowsRead).toBeLessThan(8_000);
  });
});

/** The statement, reporting what D1 says it read: Drizzle keeps that to itself. */
function countReads(statement: D1PreparedStatement, report: (rows: number) => void): D1PreparedStatement {
  return new Proxy(statement, {
    get(target, name) {
      if (name === 'bind') return (...values: unknown[]) => countReads(target.bind(...values), report);
      if (name !== 'raw') return Reflect.get(target, name).bind(target);
      return async () => {
        report((await target.all()).meta.rows_read);
        return target.raw();
      };
    },
  });
}
