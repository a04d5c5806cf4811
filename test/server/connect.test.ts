import { describe, expect, it } from 'vitest';
import { newUser } from '../../src/auth/cookie.ts';
import { UNTIL_HEADER, USER_HEADER } from '../../src/objects/session-rpc.ts';
import { cookieOf, FRIEND, harness, ORIGIN, problemOf, SECRET, withSession } from './harness.ts';

const upgrade = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': 'a2V5', origin: ORIGIN };

describe('connecting', () => {
  it("hands the upgrade to the session's object and its answer back untouched", async () => {
    const h = harness();
    const { id, user, cookie, path } = await withSession(h);
    const response = await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie } });
    // A copy would have lost the socket.
    expect(response).toBe(h.session(id).upgraded);
    const [forwarded] = h.session(id).upgrades;
    expect(forwarded?.headers.get(USER_HEADER)).toBe(user);
    expect(forwarded?.headers.get('upgrade')).toBe('websocket');
    expect(forwarded?.headers.get('sec-websocket-key')).toBe('a2V5');
  });

  it('never forwards a user that the client names itself, nor its cookie or authorization', async () => {
    const h = harness();
    const { id, user, cookie, path } = await withSession(h);
    const victim = newUser();
    const headers = {
      ...upgrade,
      cookie,
      authorization: 'Bearer x',
      [USER_HEADER.toUpperCase()]: victim,
      [UNTIL_HEADER]: '1',
    };
    await h.app.request(`${path}/connect`, { headers });
    const [forwarded] = h.session(id).upgrades;
    expect(forwarded?.headers.get(USER_HEADER)).toBe(user);
    expect(Number(forwarded?.headers.get(UNTIL_HEADER))).toBeGreaterThan(Date.now());
    expect([...(forwarded?.headers.keys() ?? [])].sort()).toEqual([
      'sec-websocket-key',
      'upgrade',
      UNTIL_HEADER,
      USER_HEADER,
    ]);
  });

  it('does not let a named user stand in for a cookie', async () => {
    const h = harness();
    const { id, user, path } = await withSession(h);
    const response = await h.app.request(`${path}/connect`, { headers: { ...upgrade, [USER_HEADER]: user } });
    expect(response).toBe(h.refusals[0]?.response);
    expect(h.session(id).upgrades).toEqual([]);
  });

  it('is an upgrade or 426', async () => {
    const h = harness();
    const { cookie, path } = await withSession(h);
    for (const headers of [{ cookie }, { cookie, upgrade: 'h2c' }]) {
      const response = await h.app.request(`${path}/connect`, { headers });
      expect(response.status).toBe(426);
      expect(response.headers.get('upgrade')).toBe('websocket');
      expect(await problemOf(response)).toMatchObject({ code: 'upgrade_required' });
    }
  });

  it('is refused to pages of other origins: browsers send the cookie along with theirs, too', async () => {
    const h = harness();
    const { id, cookie, path } = await withSession(h);
    for (const origin of ['https://evil.example', 'null', 'https://localhost']) {
      const response = await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie, origin } });
      expect(response.status).toBe(403);
      expect(await problemOf(response)).toMatchObject({ code: 'origin_forbidden' });
    }
    expect(h.session(id).upgrades).toEqual([]);
    await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie, origin: FRIEND } });
    expect(h.session(id).upgrades).toHaveLength(1);
  });

  it.each([
    ['no cookie', ''],
    ['a forged cookie', cookieOf(newUser(), `${SECRET}-of-somebody-else`)],
  ])(
    'with %s is refused on the socket, where a browser can see it, with a code not to come again',
    async (_, cookie) => {
      const h = harness();
      const { id, path } = await withSession(h);
      const response = await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie } });
      expect(response).toBe(h.refusals[0]?.response);
      expect(h.refusals).toMatchObject([{ error: { code: 'unauthorized' }, closeCode: 4401 }]);
      expect(h.session(id).upgrades).toEqual([]);
    },
  );

  it('to what cannot be a session is refused on the socket without touching an object', async () => {
    const h = harness();
    const headers = { ...upgrade, cookie: cookieOf(newUser()) };
    await h.app.request('/api/sessions/nothing/connect', { headers });
    expect(h.refusals).toMatchObject([{ error: { code: 'session_not_found' }, closeCode: 4404 }]);
    expect(h.sessions.size).toBe(0);
  });

  it("leaves it to the object to refuse another user's session", async () => {
    const h = harness();
    const { id, path } = await withSession(h);
    const stranger = newUser();
    await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie: cookieOf(stranger) } });
    expect(h.session(id).upgrades[0]?.headers.get(USER_HEADER)).toBe(stranger);
  });

  it('to a crashed object is unavailable', async () => {
    const h = harness();
    const { id, cookie, path } = await withSession(h);
    h.session(id).crash = true;
    const response = await h.app.request(`${path}/connect`, { headers: { ...upgrade, cookie } });
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ code: 'unavailable', retryable: true });
  });
});
