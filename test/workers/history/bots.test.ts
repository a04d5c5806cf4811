import { beforeEach, describe, expect, test } from 'vitest';
import { findStoredBot, listDefinitions, publishBot, readBots, type StoredBot } from '../../../src/history/bots.ts';
import { db, useEmptyDatabase } from './database.ts';

useEmptyDatabase();
beforeEach(async () => {
  await db.prepare('DELETE FROM bots').run();
});

function bot(id: string, change: Partial<StoredBot> = {}): StoredBot {
  return {
    id,
    name: `Name of ${id}`,
    model: 'm',
    state: 'running',
    spec: null,
    revision: 3,
    deleted: false,
    status: '{"running":1}',
    version: 1,
    updatedAt: 1_700_000_000_000,
    ...change,
  };
}

async function publish(...bots: StoredBot[]): Promise<void> {
  for (const each of bots) await publishBot(db, each, []);
}

describe('the rows of bots', () => {
  test('those that are named and the next others come in one answer, deleted ones in neither', async () => {
    await publish(
      bot('a'),
      bot('b', { spec: '{"id":"b"}' }),
      bot('c', { deleted: true }),
      bot('d'),
      bot('e'),
      bot('f'),
    );
    const page = await readBots(db, { ids: ['b', 'c', 'none'], except: ['b', 'e'], after: 'a', limit: 2 });
    const { deleted: _, spec: __, version: ___, ...shown } = bot('b');
    expect(page.named).toEqual([{ ...shown, hasSpec: true }]);
    expect(page.others.map(({ id, hasSpec }) => ({ id, hasSpec }))).toEqual([
      { id: 'd', hasSpec: false },
      { id: 'f', hasSpec: false },
    ]);
    const none = await readBots(db, { ids: [], except: [], after: '', limit: 0 });
    expect(none).toEqual({ named: [], others: [] });
  });

  test('an older row that arrives late loses; a deleted bot is found by nobody', async () => {
    await publish(bot('a', { version: 2, name: 'New' }), bot('a', { version: 1, name: 'Old' }));
    expect(await findStoredBot(db, 'a')).toEqual({ id: 'a', name: 'New', model: 'm' });
    await publish(bot('a', { version: 3, deleted: true }));
    expect(await findStoredBot(db, 'a')).toBeNull();
  });

  test('definitions are those that an operator gave, without those of deleted bots, no more than asked for', async () => {
    await publish(bot('a'), bot('b', { spec: 'B' }), bot('c', { spec: 'C', deleted: true }), bot('d', { spec: 'D' }));
    expect(await listDefinitions(db, 10)).toEqual(['B', 'D']);
    expect(await listDefinitions(db, 1)).toEqual(['B']);
  });
});
