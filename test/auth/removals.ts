/**
 * Every check of who may do what, taken away: the text that makes it, what stands there instead, and
 * the rule (in `rules/`) that is broken then.
 */
import type { Patch } from '../sim/hooks.ts';

export interface Removal {
  /** The file in `rules/` and the rule in it. */
  file: string;
  rule: string;
  patch: Patch;
}

/** In the files of one part of the house: what is checked where, and by which rule. */
function removals(file: string, checks: readonly [rule: string, source: string, find: string, replace: string][]) {
  return checks.map(([rule, source, find, replace]): Removal => {
    return { file, rule, patch: { file: source, find, replace } };
  });
}

const TOKEN = 'auth/access-token.ts';
const KEYS = 'auth/access-keys.ts';
const IDENTITY = 'auth/identity.ts';
const ACCESS = 'server/access.ts';
const APP = 'server/app.ts';
/** The payload, whoever signed it. */
const UNVERIFIED = `JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())`;
const VERIFIED = '(await jwtVerify(token, keys.find, options)).payload';

const ACCESS_REMOVALS = removals('access.ts', [
  ['a token signed with RS512 is refused', TOKEN, '    algorithms: ALGORITHMS,\n', ''],
  ['a token signed with PS256, ES256, HS256 or not at all is refused', TOKEN, VERIFIED, UNVERIFIED],
  ['a token that somebody else signed, or changed, or cut, is refused', TOKEN, VERIFIED, UNVERIFIED],
  ['a token of another issuer is refused', TOKEN, '    issuer,\n    audience,\n', '    audience,\n'],
  ['a token without an issuer is refused', TOKEN, '    issuer,\n    audience,\n', '    audience,\n'],
  ['a token for another application is refused', TOKEN, '    issuer,\n    audience,\n', '    issuer,\n'],
  ['a token for no application is refused', TOKEN, '    issuer,\n    audience,\n', '    issuer,\n'],
  ['a token that has expired is refused', TOKEN, 'clockTolerance: CLOCK_TOLERANCE_SECONDS', 'clockTolerance: 1e9'],
  ['a token that never expires is refused', TOKEN, 'exp: z.number()', 'exp: z._default(z.number(), 1e11)'],
  ['a token that is not valid yet is refused', TOKEN, 'clockTolerance: CLOCK_TOLERANCE_SECONDS', 'clockTolerance: 1e9'],
  ['a token that names nobody is refused', TOKEN, '  if (!subject) return null;\n', ''],
  ['a token longer than 16 KB is refused', TOKEN, 'token.length > MAX_TOKEN_LENGTH || ', ''],
  ['clocks may differ by a few seconds', TOKEN, 'clockTolerance: CLOCK_TOLERANCE_SECONDS', 'clockTolerance: 0'],
  [
    'a header given twice, and a cookie given twice, are refused',
    'auth/cookie.ts',
    'values.length === 1',
    'values.length > 0',
  ],
  [
    'behind Access the cookie of an anonymous user is nothing',
    IDENTITY,
    'if (this.#config.access !== null) {',
    'if (accessTokenOf(request) !== null) {',
  ],
  ['behind Access nobody is anonymous', ACCESS, '  else if (deps.config.access !== null) throw noUser(deps);\n', ''],
  [
    'a user is a digest of issuer and subject, the same at every login, and gets no cookie',
    TOKEN,
    'nameOf(issuer, subject)',
    'subject',
  ],
  [
    'a new key is found when a token first names it',
    KEYS,
    '    await this.#refresh();\n    if (this.#failed)',
    '    if (this.#failed)',
  ],
  ['a key that is published no longer is forgotten', KEYS, ' || this.#ports.now() - this.#fetchedAt > FRESH_MS', ''],
  [
    'keys that do not exist do not have the issuer asked again and again',
    KEYS,
    '    if (now - this.#triedAt < (this.#find === null ? FIRST_COOLDOWN_MS : COOLDOWN_MS)) return;\n',
    '',
  ],
  [
    'many at once on a cold start have the keys fetched once',
    KEYS,
    'const isWaiting = this.#pending !== null',
    'const isWaiting = false',
  ],
  [
    'known keys are used on while the issuer is down',
    KEYS,
    '      this.#failed = true;\n',
    '      this.#find = null;\n',
  ],
  [
    'without any keys nobody is let in, and told to come again',
    ACCESS,
    "throw refusedForNow('unavailable', error.message, KEYS_RETRY_MS)",
    'throw error',
  ],
  ['keys are not taken from where the issuer redirects to', KEYS, `redirect: 'manual'`, `redirect: 'follow'`],
]);

const COOKIE = 'auth/operator-cookie.ts';
const SIGNED_LOGIN =
  'return isSameSecret(signature, signatureOf(signedText(until, secrets), PURPOSE, secrets.sessionSecret))';

const OPERATOR_REMOVALS = removals('operators.ts', [
  ['what is for operators needs the right token', IDENTITY, 'if (isSameSecret(token, operatorToken))', 'if (token)'],
  ['what is for operators is refused to others', ACCESS, '  if (!check.ok) throw notOperator(check, deps);\n', ''],
  [
    'without a configured token nobody is an operator, and nobody can log in',
    IDENTITY,
    '    if (operatorToken === null) return SHOWN_NOTHING;\n    const address',
    `    if (operatorToken === null) return { ok: true, actor: 'token' };\n    const address`,
  ],
  ['the audit log learns who it was', IDENTITY, `actor: 'login'`, `actor: 'token'`],
  [
    'a wrong token shown beside a good login counts',
    IDENTITY,
    'if (token !== undefined) return this.#checkToken(token, request);',
    'if (token !== undefined && this.#checkToken(token, request).ok) return this.#checkToken(token, request);',
  ],
  [
    'a login needs the right token',
    IDENTITY,
    '    if (!check.ok) return check;\n    if (operatorToken',
    '    if (operatorToken',
  ],
  ['a login ends after 12 hours', COOKIE, '  if (Number(until) * 1_000 <= now) return false;\n', ''],
  [
    'changing the token ends every login',
    COOKIE,
    `return \`\${until}:\${createHash('sha256').update(operatorToken).digest('base64url')}\`;`,
    'return until;',
  ],
  ['a login that this server did not sign is nothing', COOKIE, SIGNED_LOGIN, 'return true'],
  ['a login is out of reach of scripts and of other sites', COOKIE, `sameSite: 'Strict'`, `sameSite: 'Lax'`],
  ['a login is out of reach of scripts and of other sites', COOKIE, 'httpOnly: true, ', ''],
  ['a logout takes the cookie away', COOKIE, 'maxAge: 0 }', 'maxAge: LOGIN_SECONDS }'],
  [
    'who guesses has to stop, and the right token does not help then',
    IDENTITY,
    `    if (retryAfterMs > 0) return { ok: false, reason: 'blocked', retryAfterMs };\n`,
    '',
  ],
  [
    'who guesses has to stop, and the right token does not help then',
    IDENTITY,
    '    this.#guesses.wrong(address, now);\n',
    '',
  ],
  [
    'only wrong tokens count as guesses',
    IDENTITY,
    '    if (isSameSecret(token, operatorToken))',
    '    this.#guesses.wrong(address, now);\n    if (isSameSecret(token, operatorToken))',
  ],
  [
    'what changes something needs a trusted origin, the login included',
    APP,
    '!isRead(c.req.raw) && !isTrustedOrigin(c.req.raw, allowedOrigins)',
    'false',
  ],
  [
    'Access makes an operator of who is in the group, and of nobody else',
    IDENTITY,
    'return found?.groups.includes(group)',
    'return found',
  ],
  [
    'no secret is in a log or an answer',
    ACCESS,
    `'This is for operators: send the operator token as`,
    `config.operatorToken + ': send this as`,
  ],
]);

const ORIGIN = 'auth/origin.ts';

const ORIGIN_REMOVALS = removals('origins.ts', [
  [
    'a state-changing call from a page of another origin is refused',
    APP,
    '!isRead(c.req.raw) && !isTrustedOrigin(c.req.raw, allowedOrigins)',
    'false',
  ],
  [
    'near misses of an allowed origin are refused: calls',
    ORIGIN,
    'allowedOrigins.includes(origin)',
    'allowedOrigins.some((allowed) => origin.startsWith(allowed))',
  ],
  [
    'near misses of an allowed origin are refused: calls',
    ORIGIN,
    'origin === new URL(request.url).origin',
    `origin.toLowerCase() === new URL(request.url).origin`,
  ],
  [
    'near misses of an allowed origin are refused: sockets',
    'server/connect.ts',
    '!isTrustedOrigin(request, deps.config.allowedOrigins)',
    'false',
  ],
  [
    'a browser that leaves the origin out says where the page is from',
    ORIGIN,
    `return site === null || site === 'same-origin' || site === 'none';`,
    'return true;',
  ],
  [
    'a local server answers to loopback and to the names it was given, and to no other',
    APP,
    'localServer && !isTrustedHost(c.req.raw, allowedOrigins)',
    'false',
  ],
  [
    'a local server answers to loopback and to the names it was given, and to no other',
    'auth/host.ts',
    'new URL(origin).host === host',
    'new URL(origin).hostname === hostname',
  ],
  [
    'a rebound name does not get a session, although its page and the server are of one origin',
    APP,
    'localServer && !isTrustedHost(c.req.raw, allowedOrigins)',
    'false',
  ],
  [
    'a deployed server goes by the names that Cloudflare routes to it',
    APP,
    'localServer && !isTrustedHost',
    '!isTrustedHost',
  ],
  [
    'every answer says what browsers may do with it',
    APP,
    '  addSecurityHeaders(response.headers, c.req.raw, isData);\n',
    '',
  ],
  [
    'pages of other origins may not read answers',
    'server/headers.ts',
    'if (origin === null || !allowedOrigins.includes(origin)) return;\n  headers',
    'if (origin === null) return;\n  headers',
  ],
]);

const SESSION = 'objects/chat-session.ts';
const FRAMES = 'objects/socket-frames.ts';
const TAB = 'objects/tab.ts';
const OWNED = 'runtime.owner === user ? runtime : null';
const EVERY_FRAME = '  if (!tab.isAuthorised(runtime.owner, now)) return tab.endUnauthorised();\n';

const SESSION_REMOVALS = removals('sessions.ts', [
  ['a session of another user answers as if there were none', SESSION, OWNED, 'user ? runtime : null'],
  [
    'a session of another user answers as if there were none',
    SESSION,
    'return this.#for(user) ? this.#shares.add',
    'return user ? this.#shares.add',
  ],
  [
    'a session of another user answers as if there were none',
    SESSION,
    'return this.#for(user) ? { ok: true, value: this.#shares.list',
    'return user ? { ok: true, value: this.#shares.list',
  ],
  [
    'a session of another user answers as if there were none',
    SESSION,
    'return this.#for(user) ? { ok: true, value: this.#shares.revoke',
    'return user ? { ok: true, value: this.#shares.revoke',
  ],
  ['a socket to a session of another user is refused as one to none', SESSION, OWNED, 'user ? runtime : null'],
  [
    'a deleted session is gone for whoever has a link to it',
    SESSION,
    'runtime && !runtime.removed ? this',
    'runtime ? this',
  ],
  [
    'a user is who the cookie was signed for',
    'auth/cookie.ts',
    'return isSameSecret(signature, signatureOf(user, PURPOSE, secret)) ? user : null;',
    'return user;',
  ],
  ['of two cookies of one name neither is believed', 'auth/cookie.ts', 'values.length === 1', 'values.length > 0'],
  ['what cannot be a session wakes no object', ACCESS, 'if (!isSessionId(id)) throw', 'if (id === null) throw'],
  ['a client cannot say itself who it is', 'server/connect.ts', `if (name.startsWith('sec-websocket-'))`, 'if (name)'],
  [
    'without a proof there is no socket, and a code not to come again',
    'server/connect.ts',
    'deps.refuseUpgrade(identity, CLOSE.unauthorized)',
    'deps.refuseUpgrade(identity, CLOSE.goingAway)',
  ],
  ['a frame after the proof has ended is refused, and the socket closed', FRAMES, EVERY_FRAME, ''],
  ['every kind of frame is refused then, pings and nonsense included', FRAMES, EVERY_FRAME, ''],
  ['a tab opened by somebody else is refused', TAB, '(this.#proof === null || this.#proof.user === owner)', 'true'],
  [
    'who only listens is let go of, too, before others are answered',
    FRAMES,
    '  runtime.tabs.closeUnauthorised(runtime.owner, now);\n',
    '',
  ],
  ['who only listens is let go of, too, before others are answered', TAB, '    if (this.#closed) return;\n', ''],
  [
    'who only listens is let go of while an answer runs',
    'objects/tabs.ts',
    'if (tab.hasExpired(now)) tab.endUnauthorised();\n      else if',
    'if',
  ],
  ['a socket carries who opened it and until when, through hibernation', TAB, 'parsed.data.proof, now', 'null, now'],
  [
    'a socket carries who opened it and until when, through hibernation',
    SESSION,
    '    runtime.tabs.get(server)?.vouch({ user, until });\n',
    '',
  ],
  [
    'a socket of which nobody says until when is not served',
    SESSION,
    'Number(request.headers.get(UNTIL_HEADER))',
    'Number(request.headers.get(UNTIL_HEADER) ?? Infinity)',
  ],
]);

const SHARES = 'objects/shares.ts';
const LINKS = 'server/shares.ts';
const SEAL = 'auth/share-token.ts';

const SHARE_REMOVALS = removals('shares.ts', [
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

const PER_ADDRESS = 'await limitAddress(limiterOf(deps, c.req.raw), c.req.raw);';
const PER_USER = 'await limitUser(limiter, identity.user);';

const LIMIT_REMOVALS = removals('limits.ts', [
  ['an address may read so often', APP, PER_ADDRESS, ''],
  ['an address may write so often', APP, PER_ADDRESS, ''],
  [
    'an address may write so often',
    'server/problem.ts',
    `  if (retryAfterMs !== undefined) all.set('retry-after', `,
    '  void (',
  ],
  ['an address may try so often to open shared conversations', APP, PER_ADDRESS, ''],
  ['an address may connect so often', 'server/connect.ts', '    await limitAddress(deps.connectLimit, request);\n', ''],
  ['a user may read and write so often, from however many addresses', ACCESS, PER_USER, 'void limiter;'],
  [
    'a user may connect so often',
    'server/connect.ts',
    'requireUser(request, deps, deps.connectLimit)',
    'requireUser(request, deps)',
  ],
  ['a counter that fails closes nothing', 'server/rate-limit.ts', '.catch(() => ({ success: true }))', ''],
  [
    'a session takes so many messages, over all sockets and requests together',
    FRAMES,
    '!runtime.tabs.messages.take(now)',
    'false',
  ],
  [
    'a person, and the load that one session is built for, never notice',
    'protocol/limits.ts',
    'MESSAGES_PER_SECOND = 20',
    'MESSAGES_PER_SECOND = 1',
  ],
]);

export const REMOVALS: readonly Removal[] = [
  ...ACCESS_REMOVALS,
  ...OPERATOR_REMOVALS,
  ...ORIGIN_REMOVALS,
  ...SESSION_REMOVALS,
  ...SHARE_REMOVALS,
  ...LIMIT_REMOVALS,
];
