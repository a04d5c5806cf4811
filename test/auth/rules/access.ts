/** Users behind Cloudflare Access: which tokens are believed, and how the keys are come by. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { exportSPKI, importJWK, SignJWT } from 'jose';
import { newUser } from '../../../src/auth/cookie.ts';
import { Authenticator } from '../../../src/auth/identity.ts';
import { AccessIssuer, newKey, type TokenOptions } from '../../support/access-issuer.ts';
import { cookieOf, harness, postJson, type Harness } from '../../server/harness.ts';
import type { Rules } from './rule.ts';

const HOUR_SECONDS = 3_600;

interface World {
  issuer: AccessIssuer;
  h: Harness;
  /** Moves the server's clock, in ms. */
  clock: { ahead: number };
}

function rule(run: (world: World) => Promise<void>): () => Promise<void> {
  return async () => {
    const issuer = await AccessIssuer.start();
    const clock = { ahead: 0 };
    const { config } = harness(issuer.variables).deps;
    const now = () => Date.now() + clock.ahead;
    const auth = new Authenticator(config, { fetch: (url, init) => fetch(url, init), now });
    try {
      await run({ issuer, clock, h: harness(issuer.variables, { auth }) });
    } finally {
      await issuer.close();
    }
  };
}

/** What a user's list answers to a token: 200 when it is believed. */
async function statusOf({ h }: World, token: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await h.app.request('/api/sessions', { headers: { 'cf-access-jwt-assertion': token, ...headers } });
  return response.status;
}

/** Tokens with these claims are refused, and the usual one is not. */
function refuses(options: (issuer: AccessIssuer) => TokenOptions | Promise<TokenOptions>): () => Promise<void> {
  return rule(async (world) => {
    const { issuer } = world;
    assert.equal(await statusOf(world, await issuer.token()), 200);
    assert.equal(await statusOf(world, await issuer.token(await options(issuer))), 401);
  });
}

const seconds = () => Math.floor(Date.now() / 1_000);

/** A token that is put together by hand. */
function assembled(header: object, payload: string, signature: string): string {
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), payload, signature].join('.');
}

export const rules: Rules = {
  'a token signed with RS512 is refused': refuses(() => ({ header: { alg: 'RS512' } })),

  'a token signed with PS256, ES256, HS256 or not at all is refused': rule(async (world) => {
    const { issuer } = world;
    const good = await issuer.token();
    const [, payload = ''] = good.split('.');
    const [key] = issuer.published;
    assert.ok(key);
    const publicKey = await importJWK(key.publicJwk, 'RS256', { extractable: true });
    assert.ok('type' in publicKey);
    const pem = await exportSPKI(publicKey);
    const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString());
    // The classic: the public key as the secret of a MAC.
    const hs256 = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: key.kid })
      .sign(new TextEncoder().encode(pem));
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const es256 = sign('sha256', Buffer.from(payload), { key: ec, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    const forged = [
      hs256,
      await issuer.token({ header: { alg: 'PS256' } }),
      assembled({ alg: 'ES256', kid: key.kid }, payload, es256),
      assembled({ alg: 'none', kid: key.kid }, payload, ''),
      assembled({ alg: 'none' }, payload, 'AA'),
      assembled({ alg: 'NONE', kid: key.kid }, payload, 'AA'),
    ];
    for (const token of forged) assert.equal(await statusOf(world, token), 401, token.slice(0, 40));
    assert.equal(await statusOf(world, good), 200);
  }),

  'a token that somebody else signed, or changed, or cut, is refused': rule(async (world) => {
    const { issuer } = world;
    const good = await issuer.token();
    const [header = '', payload = '', signature = ''] = good.split('.');
    const [published] = issuer.published;
    const stranger = await newKey();
    const claims: object = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'person-2' })).toString('base64url');
    const forged = [
      await issuer.token({ key: { ...stranger, kid: published?.kid ?? '' } }),
      await issuer.token({ key: stranger }),
      // A token may not bring its own key.
      await issuer.token({ key: stranger, header: { jwk: stranger.publicJwk } }),
      await issuer.token({ key: stranger, header: { jku: 'http://127.0.0.1:1/keys' } }),
      [header, changed, signature].join('.'),
      [header, payload, signature.slice(0, -2)].join('.'),
      [header, payload, ''].join('.'),
      [header, payload].join('.'),
      good.slice(0, 100),
      `${good}.${good}`,
      '..',
    ];
    for (const token of forged) assert.equal(await statusOf(world, token), 401, token.slice(0, 40));
    assert.equal(await statusOf(world, good), 200);
  }),

  'a token of another issuer is refused': refuses(() => ({ claims: { iss: 'https://other.cloudflareaccess.com' } })),
  'a token without an issuer is refused': refuses(() => ({ claims: { iss: undefined } })),
  'a token for another application is refused': refuses(() => ({ claims: { aud: ['another-audience'] } })),
  'a token for no application is refused': refuses(() => ({ claims: { aud: undefined } })),
  'a token that has expired is refused': refuses(() => ({ claims: { exp: seconds() - 60 } })),
  'a token that never expires is refused': refuses(() => ({ claims: { exp: undefined } })),
  'a token that is not valid yet is refused': refuses(() => ({ claims: { nbf: seconds() + 60 } })),
  'a token that names nobody is refused': refuses(() => ({ claims: { sub: '' } })),
  'a token longer than 16 KB is refused': refuses(() => ({ claims: { groups: ['x'.repeat(16_384)] } })),

  'clocks may differ by a few seconds': rule(async (world) => {
    const claims = { nbf: seconds() + 5, exp: seconds() + HOUR_SECONDS };
    assert.equal(await statusOf(world, await world.issuer.token({ claims })), 200);
    assert.equal(await statusOf(world, await world.issuer.token({ claims: { exp: seconds() - 5 } })), 200);
  }),

  'a header given twice, and a cookie given twice, are refused': rule(async (world) => {
    const token = await world.issuer.token();
    assert.equal(await statusOf(world, `${token}, ${token}`), 401);
    const cookie = `CF_Authorization=${token}`;
    const withCookies = async (text: string) =>
      (await world.h.app.request('/api/sessions', { headers: { cookie: text } })).status;
    assert.equal(await withCookies(cookie), 200);
    assert.equal(await withCookies(`${cookie}; ${cookie}`), 401);
    // The header is what Access itself adds: a cookie does not mend a wrong one.
    assert.equal(await statusOf(world, 'a.b.c', { cookie }), 401);
  }),

  'behind Access the cookie of an anonymous user is nothing': rule(async ({ h }) => {
    const response = await h.app.request('/api/sessions', { headers: { cookie: cookieOf(newUser()) } });
    assert.equal(response.status, 401);
  }),

  'behind Access nobody is anonymous': rule(async ({ h }) => {
    assert.equal((await h.app.request('/api/sessions', postJson({}))).status, 401);
    assert.equal((await h.app.request('/api/search?q=x')).status, 401);
    assert.equal(h.sessions.size, 0);
  }),

  'a user is a digest of issuer and subject, the same at every login, and gets no cookie': rule(async (world) => {
    const create = async (claims: Record<string, unknown>) => {
      const token = await world.issuer.token({ claims });
      const response = await world.h.app.request(
        '/api/sessions',
        postJson({}, { 'cf-access-jwt-assertion': token, cookie: cookieOf(newUser()) }),
      );
      assert.equal(response.status, 201);
      assert.equal(response.headers.get('set-cookie'), null);
    };
    await create({ sub: 'person-1', email: 'a@example.com' });
    await create({ sub: 'person-1', email: 'b@example.com' });
    await create({ sub: 'person-2' });
    await create({ sub: '', common_name: 'person-1' });
    const owners = [...world.h.sessions.values()].map(({ owner }) => owner);
    assert.match(owners[0] ?? '', /^a_[A-Za-z0-9_-]{22}$/);
    assert.equal(owners[0], owners[1]);
    assert.equal(new Set(owners).size, 3);
  }),

  'a new key is found when a token first names it': rule(async (world) => {
    const { issuer, clock } = world;
    assert.equal(await statusOf(world, await issuer.token()), 200);
    clock.ahead = 60_000;
    const next = await newKey();
    issuer.published = [...issuer.published, next];
    assert.equal(await statusOf(world, await issuer.token({ key: next })), 200);
    assert.equal(issuer.asked, 2);
  }),

  'a key that is published no longer is forgotten': rule(async (world) => {
    const { issuer, clock } = world;
    const old = await issuer.token();
    assert.equal(await statusOf(world, old), 200);
    issuer.published = [await newKey()];
    clock.ahead = 11 * 60_000;
    assert.equal(await statusOf(world, old), 401);
  }),

  'keys that do not exist do not have the issuer asked again and again': rule(async (world) => {
    const { issuer, clock } = world;
    await statusOf(world, await issuer.token());
    clock.ahead = 60_000;
    const key = await newKey();
    for (let index = 0; index < 20; index += 1) {
      const header = { kid: `made-up-${index}` };
      assert.equal(await statusOf(world, await issuer.token({ key, header })), 401);
    }
    assert.equal(issuer.asked, 2);
    assert.equal(await statusOf(world, await issuer.token()), 200);
  }),

  'many at once on a cold start have the keys fetched once': rule(async (world) => {
    const token = await world.issuer.token();
    const statuses = await Promise.all(Array.from({ length: 10 }, () => statusOf(world, token)));
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal(world.issuer.asked, 1);
  }),

  'known keys are used on while the issuer is down': rule(async (world) => {
    const { issuer, clock } = world;
    assert.equal(await statusOf(world, await issuer.token()), 200);
    issuer.state = 'failing';
    clock.ahead = 20 * 60_000;
    assert.equal(await statusOf(world, await issuer.token()), 200);
    // A key that nobody can look up now may be right: come again.
    assert.equal(await statusOf(world, await issuer.token({ key: await newKey() })), 503);
  }),

  'without any keys nobody is let in, and told to come again': rule(async (world) => {
    const { issuer, clock, h } = world;
    issuer.state = 'failing';
    const headers = { 'cf-access-jwt-assertion': await issuer.token() };
    const response = await h.app.request('/api/sessions', { headers });
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get('retry-after')) > 0);
    issuer.state = 'well';
    clock.ahead = 5_000;
    assert.equal(await statusOf(world, await issuer.token()), 200);
  }),

  'keys are not taken from where the issuer redirects to': rule(async (world) => {
    const other = await AccessIssuer.start();
    world.issuer.state = `${other.url}/cdn-cgi/access/certs`;
    try {
      const [key] = other.published;
      assert.ok(key);
      assert.equal(await statusOf(world, await world.issuer.token({ key })), 503);
    } finally {
      await other.close();
    }
  }),
};
