import { expect, test } from 'vitest';
import { createShareApi } from '../../src/client/share-api.ts';

type Heard = { method: string; path: string; body: unknown };

function answering(status: number, body: unknown) {
  const heard: Heard[] = [];
  const api = createShareApi({
    baseUrl: 'http://here',
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const said: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : null;
      heard.push({ method: init?.method ?? '', path: url.pathname + url.search, body: said });
      return Promise.resolve(status === 204 ? new Response(null, { status }) : Response.json(body, { status }));
    },
  });
  return { api, heard };
}

test('a link is made with its time, and what is listed need not name its address', async () => {
  const made = { id: 'l_1', url: 'http://here/shared/t', expiresAt: 9 };
  const making = answering(201, made);
  expect(await making.api.make('s 1', 24)).toEqual(made);
  expect(making.heard).toEqual([{ method: 'POST', path: '/api/sessions/s%201/share', body: { expiresInHours: 24 } }]);
  const { api } = answering(200, { shares: [{ id: 'l_1', createdAt: 1, expiresAt: 9 }] });
  expect(await api.list('s')).toEqual([{ id: 'l_1', createdAt: 1, expiresAt: 9 }]);
});

test('a link that is over already counts as taken back, a refusal does not', async () => {
  const gone = answering(404, { code: 'not_found', detail: 'No such link.' });
  await gone.api.revoke('s', 'l/1');
  expect(gone.heard).toEqual([{ method: 'DELETE', path: '/api/sessions/s/share/l%2F1', body: null }]);
  const { api } = answering(404, { code: 'session_not_found', detail: 'No such session.' });
  await expect(api.revoke('s', 'l')).rejects.toMatchObject({ code: 'session_not_found' });
});

test('a shared conversation is read page by page, with who answered', async () => {
  const by = { id: 'coder', name: 'Coder', revision: 1 };
  const answer = { role: 'bot', seq: 3, turn: 2, id: '2.1', text: 'Yes.', at: 1, status: 'complete', attempt: 1, by };
  const page = { title: 'T', bot: { id: 'b', name: 'B', model: 'm' }, expiresAt: 9, messages: [answer], nextCursor: 2 };
  const { api, heard } = answering(200, page);
  expect(await api.read('token', { before: 8 })).toEqual(page);
  expect(heard[0]?.path).toBe('/api/shared/token?before=8');
});
