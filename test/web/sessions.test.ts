import { expect, test } from 'vitest';
import type { Api, SessionInfo } from '../../src/web/state/ports.ts';
import { createSessions } from '../../src/web/state/sessions.ts';
import { createToasts } from '../../src/web/state/toasts.ts';

const BOT = { id: 'b', name: 'B', model: 'm' };
const session = (id: string, lastAt: number, archived = false): SessionInfo => {
  return { id, title: id, bot: BOT, archived, lastAt };
};

async function setUp(all: SessionInfo[]) {
  let refuses = false;
  const unexpected = () => Promise.reject(new Error('not asked for here'));
  const done = () => (refuses ? Promise.reject(new Error('Not just now.')) : Promise.resolve());
  const api: Api = {
    bots: unexpected,
    bot: unexpected,
    botHealth: unexpected,
    createSession: unexpected,
    search: unexpected,
    sessions: ({ archived }) =>
      Promise.resolve({ sessions: all.filter((one) => one.archived === archived), nextCursor: null }),
    updateSession: done,
    deleteSession: done,
  };
  const forgotten: string[] = [];
  const sessions = createSessions(api, createToasts(), { now: () => 1_000_000, forget: (id) => forgotten.push(id) });
  await sessions.load();
  return { sessions, forgotten, refuse: () => (refuses = true), ids: () => sessions.list.value.map(({ id }) => id) };
}

test('a chat that another tab archives leaves the list, and comes back when it is taken out again', async () => {
  const { sessions, ids } = await setUp([session('a', 3), session('b', 2), session('c', 1)]);
  const seen = { title: 'b', bot: BOT, lastAt: 2 };
  sessions.observe('b', { ...seen, archived: true });
  expect(ids()).toEqual(['a', 'c']);
  sessions.observe('b', { ...seen, archived: false });
  expect(ids()).toEqual(['a', 'b', 'c']);
});

test('the same in the list of archived ones', async () => {
  const { sessions, ids } = await setUp([session('a', 2, true), session('b', 1, true)]);
  await sessions.showArchived(true);
  sessions.observe('a', { title: 'a', bot: BOT, lastAt: 2, archived: false });
  expect(ids()).toEqual(['b']);
});

test('a chat that is archived from here leaves the list once the server has done so', async () => {
  const { sessions, ids, refuse } = await setUp([session('a', 2), session('b', 1)]);
  await sessions.archive('a', true);
  expect(ids()).toEqual(['b']);
  refuse();
  expect(await sessions.archive('b', true)).toBe(false);
  expect(ids()).toEqual(['b']);
});

test('what this browser keeps of a chat is forgotten once it is deleted, and not when that fails', async () => {
  const { sessions, forgotten, refuse, ids } = await setUp([session('a', 2), session('b', 1)]);
  expect(await sessions.remove('a')).toBe(true);
  expect(forgotten).toEqual(['a']);
  refuse();
  expect(await sessions.remove('b')).toBe(false);
  expect(forgotten).toEqual(['a']);
  expect(ids()).toEqual(['b']);
});
