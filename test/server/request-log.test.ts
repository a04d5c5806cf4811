import { describe, expect, it } from 'vitest';
import { cookieOf, harness, postJson, TOKEN, withSession } from './harness.ts';

describe('a line for each request', () => {
  it('has the route, how it ended, how long it took, and what joins it with the session', async () => {
    const h = harness();
    const { cookie, id, path } = await withSession(h);
    h.notes.length = 0;
    const response = await h.app.request(`${path}/messages`, postJson({ id: 'm1', text: 'private words' }, { cookie }));
    expect(h.notes).toEqual([
      {
        event: 'request',
        fields: {
          requestId: response.headers.get('x-request-id'),
          method: 'POST',
          route: '/api/sessions/:id/messages',
          status: 202,
          ms: expect.any(Number),
          session: id,
          turn: 2,
        },
      },
    ]);
  });

  it('says which problem was answered', async () => {
    const h = harness();
    await h.app.request('/api/sessions', { method: 'PUT' });
    await h.app.request(`/api/sessions/s_${'0'.repeat(32)}`, { headers: { cookie: cookieOf(`u_${'A'.repeat(22)}`) } });
    await h.app.request('/api/alerts');
    expect(h.notes.map(({ fields }) => [fields['route'], fields['status'], fields['code']])).toEqual([
      ['(none)', 405, 'method_not_allowed'],
      ['/api/sessions/:id', 404, 'session_not_found'],
      ['/api/alerts', 401, 'unauthorized'],
    ]);
  });

  it('holds nothing of a path or query that somebody made up, no token, no user, no address', async () => {
    const h = harness();
    const { cookie, user, path } = await withSession(h);
    const headers = {
      cookie,
      authorization: `Bearer ${TOKEN}`,
      'cf-connecting-ip': '203.0.113.9',
      'x-request-id': 'marker',
      'user-agent': 'marker',
      referer: 'https://x.example/marker',
    };
    const paths = [
      '/marker',
      '/api/marker',
      '/api/sessions/marker',
      `${path}/marker`,
      `${path}?q=marker`,
      '/api/search?q=marker',
      '/api/bots/marker',
      '/api/bots/marker/status',
      '/api/shared/marker',
      '/shared/marker',
      '/metrics?marker=marker',
      '/api/alerts?bot=marker',
    ];
    for (const each of paths) await h.app.request(each, { headers });
    for (const each of paths) await h.app.request(each, { ...postJson('{"marker', headers) });
    expect(h.notes.length).toBeGreaterThan(20);
    const written = JSON.stringify([h.notes, h.reports]);
    for (const secret of ['marker', TOKEN, user, '203.0.113.9', cookie.split('.')[1] ?? cookie]) {
      expect(written).not.toContain(secret);
    }
  });

  it('leaves out the parts of the page and the liveness that balancers ask for', async () => {
    const h = harness();
    for (const path of ['/', '/app.js', '/operator', '/api/health']) await h.app.request(path);
    expect(h.notes).toEqual([]);
  });
});
