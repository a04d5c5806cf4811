import { removals } from './removal.ts';

const APP = 'server/app.ts';
const SHARES = 'objects/shares.ts';
const LINKS = 'server/shares.ts';
const SEAL = 'auth/share-token.ts';

export const shares = removals('shares.ts', [
  [
    'the owner makes a link that shows the conversation to anybody, by pages',
    LINKS,
    '...(before === undefined ? {} : { before })',
    '',
  ],
  ['a link holds for 7 days, or for as long as asked, at most 90', LINKS, ', z.maximum(MAX_HOURS)', ''],
  [
    'a list shows links without their secrets',
    LINKS,
    "    const token = newShareToken(session, deps.config.sessionSecret);\n    const wanted = {\n      id: `l_${randomBytes(SHARE_ID_BYTES).toString('hex')}`,",
    '    const token = newShareToken(session, deps.config.sessionSecret);\n    const wanted = {\n      id: token,',
  ],
  ['of a link only a digest is kept', LINKS, 'digest: digestOfShare(token)', 'digest: token'],
  [
    'a revoked link opens nothing',
    SHARES,
    `    if (known) this.#sql.exec('DELETE FROM shares WHERE id = ?', id);\n`,
    '',
  ],
  ['an expired link opens nothing', SHARES, 'WHERE digest = ? AND expires_at > ?', 'WHERE digest = ? AND 0 < ?'],
  ['a session has at most 20 links', SHARES, 'this.list(now).length >= MAX_SHARES', 'false'],
  [
    'looking for a link writes nothing',
    SHARES,
    `    return this.#sql.exec(\`SELECT name`,
    `    this.#sql.exec(TABLE);\n    return this.#sql.exec(\`SELECT name`,
  ],
  [
    'the link does not show the id of the session',
    SEAL,
    `cipher.update(Buffer.from(hex, 'hex')), cipher.final()`,
    `Buffer.from(hex, 'hex'), (cipher.update(Buffer.from(hex, 'hex')), cipher.final())`,
  ],
  ['a token that this server did not make wakes no object', SEAL, ', decipher.final()])', '])'],
  [
    'whatever is wrong with a link, the answer is the same',
    LINKS,
    `throw error instanceof RequestRefused && error.error.code === 'session_not_found' ? noShare() : error;`,
    'throw error;',
  ],
  ['a link is read-only', LINKS, `  app.get('/:token'`, `  app.all('/:token'`],
  [
    'only the owner makes, lists and revokes links',
    LINKS,
    `deps.session(session).shares(user)`,
    `deps.session(session).shares(Reflect.get(deps.session(session), 'owner'))`,
  ],
  [
    'the page of a link is not for search engines, and its address goes nowhere',
    APP,
    '  if (SHARED_PAGE.test(c.req.path)) keepFromSearchEngines(response.headers);\n',
    '',
  ],
  [
    'the page of a link is not for search engines, and its address goes nowhere',
    'server/headers.ts',
    `  headers.set('referrer-policy', 'no-referrer');\n`,
    '',
  ],
]);
