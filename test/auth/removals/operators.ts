import { removals } from './removal.ts';

const IDENTITY = 'auth/identity.ts';
const ACCESS = 'server/access.ts';
const APP = 'server/app.ts';
const COOKIE = 'auth/operator-cookie.ts';
const SIGNED_LOGIN =
  'return isSameSecret(signature, signatureOf(signedText(until, secrets), PURPOSE, secrets.sessionSecret))';

export const operators = removals('operators.ts', [
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
