import { removals } from './removal.ts';

const TOKEN = 'auth/access-token.ts';
const KEYS = 'auth/access-keys.ts';
const IDENTITY = 'auth/identity.ts';
const ACCESS = 'server/access.ts';
const UNVERIFIED = `JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())`;
const VERIFIED = '(await jwtVerify(token, keys.find, options)).payload';

export const access = removals('access.ts', [
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
