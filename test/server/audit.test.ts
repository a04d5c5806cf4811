/** What operators did, over the app. Rules of src/bots/SPEC.md. */
import { describe, expect, it } from 'vitest';
import { harness, postJson, TOKEN, type Harness } from './harness.ts';

const authorization = `Bearer ${TOKEN}`;
const operator = { headers: { authorization } };

async function withHistory(): Promise<Harness> {
  const h = harness();
  for (const id of ['one', 'two']) {
    await h.app.request('/api/bots', postJson({ id, name: id, systemPrompt: 'The hidden prompt.' }, { authorization }));
    await h.app.request(`/api/bots/${id}/launch`, { method: 'POST', headers: { authorization } });
  }
  await h.app.request('/api/bots/one/stop', { method: 'POST', headers: { authorization } });
  return h;
}

const read = async (h: Harness, path: string): Promise<Record<string, unknown>> => {
  const response = await h.app.request(path, operator);
  expect(response.status).toBe(200);
  return response.json();
};

it('is for operators', async () => {
  const h = await withHistory();
  for (const path of ['/api/audit', '/api/audit/verify']) expect((await h.app.request(path)).status).toBe(401);
});

it("B22: shows who did what, newest first, one bot's alone when asked", async () => {
  const h = await withHistory();
  const { entries } = await read(h, '/api/audit');
  expect(entries).toMatchObject([{ bot: 'one', action: 'stop', actor: 'token', seq: 3 }, {}, {}, {}, {}]);
  expect((await read(h, '/api/audit?bot=two'))['entries']).toMatchObject([{ action: 'launch' }, { action: 'create' }]);
  expect(JSON.stringify(entries)).not.toContain('hidden');
  expect((await h.app.request('/api/audit?bot=NO', operator)).status).toBe(400);
});

describe('B22: verifying', () => {
  it('walks every chain', async () => {
    const h = await withHistory();
    expect(await read(h, '/api/audit/verify')).toEqual({ ok: true, bots: 2, entries: 5, broken: [], nextCursor: null });
    expect(await read(h, '/api/audit/verify?bot=one')).toMatchObject({ ok: true, bots: 1, entries: 3 });
    expect(await read(h, '/api/audit/verify?limit=1')).toMatchObject({ bots: 1, nextCursor: 'one' });
    expect(await read(h, '/api/audit/verify?limit=1&cursor=one')).toMatchObject({ entries: 2, nextCursor: null });
  });

  it('finds an entry that was changed in the object', async () => {
    const h = await withHistory();
    h.bots.sqlOf('two')?.exec(`UPDATE log SET body = replace(body, 'token', 'nobody') WHERE seq = 1`);
    expect(await read(h, '/api/audit/verify')).toMatchObject({ ok: false, broken: [{ bot: 'two', seq: 1 }] });
  });

  it("finds that D1's copy is another, or longer", async () => {
    const h = await withHistory();
    const last = h.bots.entries.at(-1);
    if (!last) throw new Error('no entries');
    h.bots.entries[h.bots.entries.length - 1] = { ...last, hash: '00' };
    expect(await read(h, '/api/audit/verify')).toMatchObject({ broken: [{ bot: 'one', seq: 3 }] });
    h.bots.entries[h.bots.entries.length - 1] = { ...last, seq: 4 };
    expect(await read(h, '/api/audit/verify')).toMatchObject({ broken: [{ bot: 'one', seq: 4 }] });
  });

  it('says of which bot nothing is known', async () => {
    const h = await withHistory();
    h.bots.world.objectsUp = false;
    expect(await read(h, '/api/audit/verify?bot=one')).toMatchObject({ ok: false, broken: [{ bot: 'one', seq: 0 }] });
  });
});
