/** Every route there is, and who it is for. A new one has to be put into a row here. */
import assert from 'node:assert/strict';
import { newUser } from '../../../src/auth/cookie.ts';
import { cookieOf, harness, ORIGIN, problemOf, withSession, type Harness } from '../../server/harness.ts';
import type { Rules } from './rule.ts';

/** What anybody may ask; some of it answers operators more. */
const ANYBODY = [
  'GET /api/health',
  'GET /api/bots',
  'GET /api/bots/:bot',
  'GET /api/bots/:bot/status',
  'GET /api/shared/:token',
  'POST /api/operator/login',
  'POST /api/operator/logout',
];
/** What begins with nobody: a first session, and lists that are empty until then. */
const NEWCOMERS = ['POST /api/sessions', 'GET /api/sessions', 'GET /api/search'];
const OPERATORS = [
  'GET /api/operator',
  'GET /api/health/full',
  'GET /api/alerts',
  'GET /api/audit',
  'GET /api/audit/verify',
  'GET /metrics',
  'POST /api/bots',
  'PATCH /api/bots/:bot',
  'DELETE /api/bots/:bot',
  'POST /api/bots/:bot/launch',
  'POST /api/bots/:bot/stop',
  'POST /api/bots/:bot/pause',
  'POST /api/bots/:bot/resume',
];
/** The session's own user. */
const OWNER = [
  'GET /api/sessions/:id',
  'PATCH /api/sessions/:id',
  'GET /api/sessions/:id/messages',
  'POST /api/sessions/:id/messages',
  'GET /api/sessions/:id/export',
  'POST /api/sessions/:id/share',
  'GET /api/sessions/:id/share',
  'DELETE /api/sessions/:id/share/:share',
  'DELETE /api/sessions/:id',
];
/** The object answers it, and refuses on an accepted socket: see `sessions.ts`. */
const SOCKETS = ['GET /api/sessions/:id/connect'];

/** Bodies that the route would take. */
const BODIES: Readonly<Record<string, unknown>> = {
  'PATCH /api/sessions/:id': { title: 'Mine' },
  'POST /api/sessions/:id/messages': { id: 'a', text: 'x' },
  'POST /api/sessions/:id/share': {},
  'POST /api/bots': { id: 'mine', name: 'Mine', kind: 'ollama', model: 'm' },
  'PATCH /api/bots/:bot': { name: 'Mine' },
};
const NOWHERE = `s_${'0'.repeat(32)}`;

function ask(h: Harness, route: string, session: string, headers: Record<string, string>): Promise<Response> {
  const [method = '', pattern = ''] = route.split(' ');
  const path = pattern.replace(':id', session).replace(':bot', 'default').replace(':share', 'l_0123456789abcdef');
  const body = BODIES[route];
  return Promise.resolve(
    h.app.request(path, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}

/** All of an answer but the number of its request. */
async function whole(response: Response): Promise<unknown> {
  const { requestId: _, ...problem } = await problemOf(response);
  return [response.status, problem, [...response.headers.keys()]];
}

export const rules: Rules = {
  'it is said of every route who it is for': () => {
    const routes = harness().app.routes.map(({ method, path }) => `${method} ${path}`);
    const said = [...ANYBODY, ...NEWCOMERS, ...OPERATORS, ...OWNER, ...SOCKETS];
    const known = new Set(said);
    assert.equal(known.size, said.length);
    assert.deepEqual([...new Set(routes)].filter((route) => !route.startsWith('ALL ')).sort(), said.toSorted());
  },

  'what is for operators is for nobody else, on every route': async () => {
    const h = harness();
    const { id, cookie } = await withSession(h);
    const others = [
      {},
      { cookie },
      { authorization: 'Bearer a-wrong-token-0123456789' },
      { cookie: `sb_operator=9999999999.${'A'.repeat(43)}` },
    ];
    for (const route of OPERATORS) {
      for (const [index, proof] of others.entries()) {
        // Each from an address of its own: wrong tokens are counted.
        const headers = { ...proof, 'cf-connecting-ip': `192.0.${OPERATORS.indexOf(route)}.${index}` };
        const response = await ask(h, route, id, headers);
        assert.equal(response.status, 401, `${route} ${index}`);
        assert.equal((await problemOf(response))['code'], 'unauthorized');
      }
    }
  },

  'a session of another user answers as none does, on every route': async () => {
    const h = harness();
    const { id, cookie: owners } = await withSession(h);
    const cookie = cookieOf(newUser());
    for (const route of OWNER) {
      const theirs = await ask(h, route, id, { cookie });
      assert.equal(theirs.status, 404, route);
      const answer = await whole(theirs);
      assert.deepEqual(answer, await whole(await ask(h, route, NOWHERE, { cookie })), route);
      assert.deepEqual(answer, await whole(await ask(h, route, 'no-id', { cookie })), route);
    }
    const own = await ask(h, 'GET /api/sessions/:id', id, { cookie: owners });
    assert.equal(own.status, 200);
  },

  'without a user no route of a session answers': async () => {
    const h = harness();
    const { id } = await withSession(h);
    for (const route of OWNER) {
      const response = await ask(h, route, id, {});
      assert.equal(response.status, 401, route);
    }
    for (const route of SOCKETS) {
      await ask(h, route, id, { upgrade: 'websocket', origin: ORIGIN });
      assert.deepEqual(
        h.refusals.map(({ error }) => error.code),
        ['unauthorized'],
      );
    }
    assert.equal(h.session(id).upgrades.length, 0);
  },

  'who is nobody yet sees nothing of others': async () => {
    const h = harness();
    await withSession(h);
    for (const path of ['/api/sessions', '/api/search?q=x']) {
      const text = await (await h.app.request(path)).text();
      assert.match(text, /^\{"(sessions|hits)":\[\],"nextCursor":null\}$/);
    }
  },

  'an operator is not a user: the token opens no conversation': async () => {
    const h = harness();
    const { id } = await withSession(h);
    const authorization = 'Bearer operator-token-0123456789';
    for (const route of OWNER) assert.equal((await ask(h, route, id, { authorization })).status, 401, route);
  },
};
