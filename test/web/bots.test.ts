import { expect, test } from 'vitest';
import { createBots } from '../../src/web/state/bots.ts';
import type { Api, BotInfo } from '../../src/web/state/ports.ts';
import { createToasts } from '../../src/web/state/toasts.ts';
import { bot, manyBots } from './harness/bots.ts';

const PAGE = 100;

function setUp(all: BotInfo[], chosen: string | null = null) {
  const asked: (string | null)[] = [];
  const unexpected = () => Promise.reject(new Error('not asked for here'));
  const api: Api = {
    bots(cursor) {
      asked.push(cursor);
      const from = Number(cursor ?? 0);
      const nextCursor = from + PAGE < all.length ? String(from + PAGE) : null;
      return Promise.resolve({ bots: all.slice(from, from + PAGE), nextCursor, simulator: false });
    },
    bot(id) {
      const found = all.find((known) => known.id === id);
      return found ? Promise.resolve(found) : Promise.reject(new Error('There is no such bot.'));
    },
    botHealth: unexpected,
    createSession: unexpected,
    search: unexpected,
    sessions: unexpected,
    updateSession: unexpected,
    deleteSession: unexpected,
  };
  const store = { get: () => chosen, set: () => {} };
  const toasts = createToasts();
  return { bots: createBots(api, store, toasts), asked, toasts };
}

test('a thousand bots come page by page, all of them only for a search', async () => {
  const { bots, asked } = setUp(manyBots(1_000));
  await bots.load();
  expect([bots.list.value.length, bots.hasMore.value]).toEqual([100, true]);
  await bots.loadMore();
  expect(bots.list.value.length).toBe(200);
  await Promise.all([bots.loadAll(), bots.loadAll()]);
  expect([bots.list.value.length, bots.hasMore.value]).toEqual([1_000, false]);
  expect(asked).toEqual([null, '100', '200', '300', '400', '500', '600', '700', '800', '900']);
});

test('reading again shows new states and drops what is gone, on every page that was loaded', async () => {
  const all = manyBots(150);
  const { bots } = setUp(all);
  await bots.load();
  await bots.loadMore();
  all[120] = { ...bot('helper-116', 'Helper 116', 'llama3.2'), state: 'stopped' };
  all.splice(1, 1);
  await bots.load();
  expect(bots.find('helper-116')?.state).toBe('stopped');
  expect(bots.find('coder')).toBeUndefined();
  expect(bots.list.value.length).toBe(149);
});

test('the bot chosen last time is used though it is on a page nobody asked for', async () => {
  const { bots } = setUp(manyBots(1_000), 'helper-900');
  await bots.load();
  expect(bots.forNewChat.value).toBe('helper-900');
});

test('one that is gone gives way to the first of the list, without a word', async () => {
  const { bots, toasts } = setUp(manyBots(1_000), 'long-gone');
  await bots.load();
  expect(bots.forNewChat.value).toBe('default');
  expect(toasts.list.value).toEqual([]);
});
