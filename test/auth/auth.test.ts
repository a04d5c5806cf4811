import { describe, expect, it } from 'vitest';
import { newUser, USER_COOKIE_AGE_MS, userCookie, userOfCookie } from '../../src/auth/cookie.ts';
import { Authenticator, type OperatorCheck } from '../../src/auth/identity.ts';
import { isTrustedOrigin } from '../../src/auth/origin.ts';
import { parseConfig } from '../../src/env.ts';

const SECRET = 'the-secret-of-this-server-0123456789';
const OTHER_SECRET = 'the-secret-of-another-server-0123456';
const TOKEN = 'operator-token-0123456789';
const config = parseConfig({ SESSION_SECRET: SECRET, OPERATOR_TOKEN: TOKEN });

const NOW = 1_700_000_000_000;
const ports = { fetch: () => Promise.reject(new Error('nothing to fetch')), now: () => NOW };
const auth = new Authenticator(config, ports);

const header = (setCookie: string) => setCookie.split(';')[0] ?? '';
const request = (headers: Record<string, string>, url = 'https://chat.example/api/sessions') =>
  new Request(url, { headers });

describe('the cookie of an anonymous user', () => {
  const user = newUser();
  const cookie = header(userCookie(user, SECRET, true));

  it('lets its user be known again', async () => {
    expect(userOfCookie(cookie, SECRET)).toBe(user);
    expect(userOfCookie(`theme=dark; ${cookie}; other=1`, SECRET)).toBe(user);
    expect(await auth.identify(request({ cookie }))).toEqual({
      kind: 'anonymous',
      user,
      validUntil: NOW + USER_COOKIE_AGE_MS,
    });
  });

  it('is nothing with the secret of another server', () => {
    expect(userOfCookie(header(userCookie(user, OTHER_SECRET, true)), SECRET)).toBeNull();
  });

  it('is nothing when its user was changed and the signature kept', () => {
    const signature = cookie.split('.')[1] ?? '';
    expect(userOfCookie(`sb_user=${newUser()}.${signature}`, SECRET)).toBeNull();
  });

  it.each([
    ['no cookie', null],
    ['another cookie', 'session=1'],
    ['no value', 'sb_user='],
    ['no signature', `sb_user=${user}`],
    ['an empty signature', `sb_user=${user}.`],
    ['a short signature', `sb_user=${user}.AAAA`],
    ['a signature of zeros', `sb_user=${user}.${'A'.repeat(43)}`],
    ['a broken escape', 'sb_user=%E0%A4%A'],
    ['another name', cookie.replace('sb_user', 'SB_USER')],
    ['more after it', `${cookie}A`],
  ])('is nothing when forged: %s', (_, forged) => {
    expect(userOfCookie(forged, SECRET)).toBeNull();
  });

  it('is out of reach of scripts and other sites, and kept 400 days', () => {
    const attributes = userCookie(user, SECRET, true);
    for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Secure', 'Path=/', 'Max-Age=34560000']) {
      expect(attributes.split('; ')).toContain(attribute);
    }
    expect(userCookie(user, SECRET, false)).not.toContain('Secure');
  });

  it('names users by 128 random bits', () => {
    const users = new Set(Array.from({ length: 100 }, newUser));
    expect(users.size).toBe(100);
    for (const name of users) expect(name).toMatch(/^u_[A-Za-z0-9_-]{22}$/);
  });
});

describe('the operator token', () => {
  const authorized = async (authorization: string) => (await auth.operator(request({ authorization }))).ok;

  it('is taken as a bearer token', async () => {
    expect(await auth.operator(request({ authorization: `Bearer ${TOKEN}` }))).toEqual({ ok: true, actor: 'token' });
    expect(await authorized(`bearer ${TOKEN}`)).toBe(true);
  });

  it.each([
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${TOKEN}, Bearer ${TOKEN}`,
    'Bearer ',
    'Bearer',
    TOKEN,
    `Basic ${TOKEN}`,
  ])('is nothing when wrong: %s', async (authorization) => {
    expect(await authorized(authorization)).toBe(false);
  });

  it('is nobody’s while none is configured', async () => {
    const closed = new Authenticator(parseConfig({ SESSION_SECRET: SECRET }), ports);
    const nobody: OperatorCheck = { ok: false, reason: 'none', retryAfterMs: 0 };
    for (const authorization of ['Bearer null', 'Bearer undefined', `Bearer ${TOKEN}`]) {
      expect(await closed.operator(request({ authorization }))).toEqual(nobody);
    }
    expect(await closed.operator(request({}))).toEqual(nobody);
    expect(closed.login('null', request({}))).toEqual(nobody);
  });
});

describe('trusted origins', () => {
  const trusts = (headers: Record<string, string>, allowed: string[] = []) =>
    isTrustedOrigin(request(headers), allowed);

  it('are the own one and the configured ones', () => {
    expect(trusts({ origin: 'https://chat.example' })).toBe(true);
    expect(trusts({ origin: 'https://friend.example' }, ['https://friend.example'])).toBe(true);
  });

  it.each([
    'https://evil.example',
    'http://chat.example',
    'https://chat.example:8443',
    'https://chat.example.evil.example',
    'https://sub.chat.example',
    'https://chat.example.',
    'https://chat.exampl',
    'https://CHAT.example',
    'HTTPS://chat.example',
    'https://chat.example/',
    'https://chat.example https://evil.example',
    'https://chat.example, https://chat.example',
    'http://friend.example',
    'https://friend.example:444',
    'https://friend.example.evil.example',
    'https://evil-friend.example',
    'https://FRIEND.example',
    'null',
    '',
  ])('are not: %s', (origin) => {
    expect(trusts({ origin }, ['https://friend.example'])).toBe(false);
  });

  it('are not needed by scripts, which send no Origin', () => {
    expect(trusts({})).toBe(true);
    expect(trusts({ 'sec-fetch-site': 'none' })).toBe(true);
    expect(trusts({ 'sec-fetch-site': 'same-origin' })).toBe(true);
  });

  it('are needed by browsers that leave the Origin out', () => {
    expect(trusts({ 'sec-fetch-site': 'cross-site' })).toBe(false);
    expect(trusts({ 'sec-fetch-site': 'same-site' })).toBe(false);
  });
});
