import { beforeEach, describe, expect, test } from 'vitest';
import { listAlerts, writeAlerts, type ListedAlert } from '../../../src/history/alerts.ts';
import { listBotSnapshots } from '../../../src/history/bot-snapshots.ts';
import { HistoryError } from '../../../src/history/error.ts';
import { db, useEmptyDatabase } from './database.ts';

useEmptyDatabase();
beforeEach(async () => {
  await db.batch([db.prepare('DELETE FROM alerts'), db.prepare('DELETE FROM bots')]);
});

const NOW = 1_700_000_000_000;

function alert(change: Partial<ListedAlert> = {}): ListedAlert {
  return {
    bot: 'a',
    rule: 'errors',
    severity: 'warning',
    startedAt: NOW,
    resolvedAt: null,
    value: 0.02,
    threshold: 0.01,
    ...change,
  };
}

describe('alerts', () => {
  test('are listed newest first, in pages that miss none and double none, also of one moment', async () => {
    const all = Array.from({ length: 25 }, (_, i) => alert({ bot: `bot-${i}`, startedAt: NOW + Math.floor(i / 10) }));
    await writeAlerts(db, all, NOW);
    const found: ListedAlert[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listAlerts>> = await listAlerts(db, {
        limit: 4,
        ...(cursor === null ? {} : { cursor }),
      });
      found.push(...page.alerts);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(found).toHaveLength(25);
    expect(new Set(found.map(({ bot }) => bot)).size).toBe(25);
    expect(found.map(({ startedAt }) => startedAt)).toEqual(
      found.map(({ startedAt }) => startedAt).toSorted((a, b) => b - a),
    );
  });

  test('are over once that is written, with the worst value; what comes late changes neither', async () => {
    await writeAlerts(db, [alert()], NOW);
    await writeAlerts(db, [alert({ resolvedAt: NOW + 60_000, value: 0.5 })], NOW + 60_000);
    await writeAlerts(db, [alert()], NOW + 61_000);
    const { alerts } = await listAlerts(db, { limit: 10 });
    expect(alerts).toEqual([alert({ resolvedAt: NOW + 60_000, value: 0.5 })]);
  });

  test('can be asked for by state and bot', async () => {
    await writeAlerts(db, [alert(), alert({ bot: 'b', resolvedAt: NOW + 1 })], NOW);
    const ask = async (filter: { firing?: boolean; bot?: string }) =>
      (await listAlerts(db, { ...filter, limit: 10 })).alerts.map(({ bot }) => bot);
    expect(await ask({ firing: true })).toEqual(['a']);
    expect(await ask({ firing: false })).toEqual(['b']);
    expect(await ask({ bot: 'b', firing: true })).toEqual([]);
  });

  test('are forgotten 90 days after they were over, never while they fire', async () => {
    const old = NOW - 91 * 24 * 60 * 60_000;
    await writeAlerts(db, [alert({ startedAt: old }), alert({ bot: 'b', startedAt: old, resolvedAt: old + 1 })], old);
    await writeAlerts(db, [alert({ bot: 'c' })], NOW);
    const { alerts } = await listAlerts(db, { limit: 10 });
    expect(alerts.map(({ bot }) => bot)).toEqual(['c', 'a']);
  });

  test('of another list have cursors that are refused', async () => {
    const { error } = await listAlerts(db, { limit: 1, cursor: btoa('["sessions",1,1]').replaceAll('=', '') }).then(
      () => ({ error: null }),
      (thrown: unknown) => ({ error: thrown }),
    );
    expect(error).toBeInstanceOf(HistoryError);
  });
});

describe("bots' snapshots", () => {
  test('are those that were written last, without deleted bots, and the number of all', async () => {
    const insert = db.prepare(
      `INSERT INTO bots (id, name, model, state, spec, revision, deleted, status, version, updated_at)
       VALUES (?, 'N', 'm', 'running', NULL, 1, ?, '{}', 1, ?)`,
    );
    await db.batch([
      insert.bind('old', 0, 1),
      insert.bind('new', 0, 3),
      insert.bind('mid', 0, 2),
      insert.bind('gone', 1, 9),
    ]);
    const { rows, known } = await listBotSnapshots(db, 2);
    expect(rows).toEqual([
      { id: 'new', model: 'm', state: 'running', status: '{}', updatedAt: 3 },
      { id: 'mid', model: 'm', state: 'running', status: '{}', updatedAt: 2 },
    ]);
    expect(known).toBe(3);
  });
});
