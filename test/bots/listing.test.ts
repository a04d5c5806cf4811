import { describe, expect, it } from 'vitest';
import type { BotDirectory } from '../../src/bots/directory.ts';
import { configuredBots, modelBot } from '../../src/bots/definition.ts';
import { listPage } from '../../src/bots/listing.ts';
import { parseConfig } from '../../src/env.ts';
import type { ListedBot } from '../../src/history/bots.ts';
import { readBotsOf } from '../support/bot-rows.ts';

const config = parseConfig({
  SESSION_SECRET: 'a-secret-of-at-least-32-characters!!',
  BOTS: '[{"id":"zebra","name":"Z"},{"id":"alpha","name":"A"}]',
});

function row(id: string, more: Partial<ListedBot> = {}): ListedBot {
  return {
    id,
    name: id,
    model: 'm',
    state: 'stopped',
    hasSpec: true,
    revision: 1,
    status: '{}',
    updatedAt: 1,
    ...more,
  };
}

function ports(rows: ListedBot[], models: string[], { reachable = true, d1 = true } = {}) {
  const directory: BotDirectory = {
    list: async () => ({
      bots: [...configuredBots(config), ...models.map((model) => modelBot(model, model, model, config))],
      endpoint: reachable ? { reachable, models } : { reachable, error: 'gone' },
    }),
    find: () => Promise.reject(new Error('not asked')),
  };
  const alive = (): ListedBot[] => {
    if (!d1) throw new Error('D1 is down');
    return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  };
  return {
    directory,
    readBots: readBotsOf(alive),
  };
}

async function all(world: ReturnType<typeof ports>, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: string | null = ''; after !== null;) {
    const page = await listPage(config, { after, limit }, world);
    pages.push(page.entries.map(({ bot }) => bot.id));
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    after = page.next;
  }
  return pages;
}

describe('the list of bots', () => {
  const order = ['default', 'zebra', 'alpha', 'b-made', 'c-model', 'd-made', 'x-model'];
  const world = () => ports([row('b-made'), row('d-made'), row('zebra', { hasSpec: false })], ['x-model', 'c-model']);

  it('is the configured ones in their order, then all others by id', async () => {
    expect(await all(world(), 100)).toEqual([order]);
  });

  it('is the same in pages of any size, each bot once', async () => {
    for (let limit = 1; limit <= 8; limit += 1) expect((await all(world(), limit)).flat()).toEqual(order);
  });

  it("shows what D1 knows, and an operator's name before the configured one", async () => {
    const rows = [
      row('zebra', { name: 'Renamed', state: 'paused' }),
      row('alpha', { hasSpec: false, state: 'degraded', name: 'old' }),
    ];
    const { entries } = await listPage(config, { after: '', limit: 10 }, ports(rows, []));
    const shown = entries.map(({ bot, row: known }) => [bot.id, bot.name, known?.state]);
    expect(shown).toEqual([
      ['default', 'Assistant', undefined],
      ['zebra', 'Renamed', 'paused'],
      ['alpha', 'A', 'degraded'],
    ]);
  });

  it('goes on without D1, and says so', async () => {
    const page = await listPage(config, { after: '', limit: 10 }, ports([row('made')], ['m1'], { d1: false }));
    expect(page.entries.map(({ bot }) => bot.id)).toEqual(['default', 'zebra', 'alpha', 'm1']);
    expect(page.complete).toBe(false);
  });

  it('keeps the models of an endpoint that does not answer, and leaves out those it has no more', async () => {
    const rows = [row('old-model', { hasSpec: false })];
    const ids = async (reachable: boolean) =>
      (await listPage(config, { after: 'alpha', limit: 10 }, ports(rows, [], { reachable }))).entries.map(
        ({ bot }) => bot.id,
      );
    expect(await ids(true)).toEqual([]);
    expect(await ids(false)).toEqual(['old-model']);
  });
});
