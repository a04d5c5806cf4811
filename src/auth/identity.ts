/** Who makes a request. The one place to ask, whatever proves it. */
import type { Config } from '../env.ts';
import { AccessKeys, type AccessKeyPorts } from './access-keys.ts';
import { accessTokenOf, accessUser, type AccessUser } from './access-token.ts';
import { addressOf } from './address.ts';
import { USER_COOKIE_AGE_MS, userOfCookie } from './cookie.ts';
import { GuessLimit } from './guess-limit.ts';
import { isLoggedIn, loginCookie } from './operator-cookie.ts';
import { isSameSecret } from './signing.ts';

/** Wrong tokens from loopback count together: on one's own machine that is one person. */
const LOOPBACK = 'loopback';

export interface Identity {
  kind: 'anonymous' | 'access';
  /** Stands for the user in sessions, history and logs; reveals nothing about the person. */
  user: string;
  /** Until when what proves it holds (ms since 1970): a connection that lives longer has to prove it again. */
  validUntil: number;
}

/** `none`: nothing was shown; `wrong`: something that is not right; `blocked`: too much of that before. */
export interface OperatorRefusal {
  ok: false;
  reason: 'none' | 'wrong' | 'blocked';
  retryAfterMs: number;
}

/** `actor` names an operator in the audit log: `token`, `login`, or `access:<name>`. */
export type OperatorCheck = { ok: true; actor: string } | OperatorRefusal;

const SHOWN_NOTHING: OperatorRefusal = { ok: false, reason: 'none', retryAfterMs: 0 };

export type AuthConfig = Pick<Config, 'sessionSecret' | 'operatorToken' | 'access'>;

/** Keeps keys and wrong guesses, so there is one for each isolate. */
export class Authenticator {
  readonly #config: AuthConfig;
  readonly #ports: AccessKeyPorts;
  readonly #keys: AccessKeys | null;
  readonly #guesses = new GuessLimit();

  constructor(config: AuthConfig, ports: AccessKeyPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#keys = config.access && new AccessKeys(config.access.issuer, ports);
  }

  /**
   * The user whom the request proves to come from, or null. Behind Access nobody is anonymous.
   * @throws AccessKeysUnavailable when that cannot be told just now
   */
  async identify(request: Request): Promise<Identity | null> {
    if (this.#config.access !== null) {
      const found = await this.#accessUser(request);
      return found && { kind: 'access', user: `a_${found.name}`, validUntil: found.validUntil };
    }
    const user = userOfCookie(request.headers.get('cookie'), this.#config.sessionSecret);
    // The cookie does not say when it was made; no browser keeps it longer from now.
    return user === null ? null : { kind: 'anonymous', user, validUntil: this.#ports.now() + USER_COOKIE_AGE_MS };
  }

  /**
   * Whether the request comes from an operator: by the token, by a login, by their group at Access.
   * @throws AccessKeysUnavailable when that cannot be told just now
   */
  async operator(request: Request): Promise<OperatorCheck> {
    const [, token] = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers.get('authorization') ?? '') ?? [];
    // Who shows a token is judged by it alone.
    if (token !== undefined) return this.#checkToken(token, request);
    const { sessionSecret, operatorToken, access } = this.#config;
    const cookie = request.headers.get('cookie');
    if (operatorToken !== null && isLoggedIn(cookie, { sessionSecret, operatorToken }, this.#ports.now())) {
      return { ok: true, actor: 'login' };
    }
    const group = access?.operatorGroup ?? null;
    if (group === null) return SHOWN_NOTHING;
    const found = await this.#accessUser(request);
    return found?.groups.includes(group) ? { ok: true, actor: `access:${found.name}` } : SHOWN_NOTHING;
  }

  /** A cookie for who shows the operator token. */
  login(token: string, request: Request): { ok: true; cookie: string } | OperatorRefusal {
    const { sessionSecret, operatorToken } = this.#config;
    const check = this.#checkToken(token, request);
    if (!check.ok) return check;
    if (operatorToken === null) return SHOWN_NOTHING;
    const isSecure = new URL(request.url).protocol === 'https:';
    return { ok: true, cookie: loginCookie({ sessionSecret, operatorToken }, this.#ports.now(), isSecure) };
  }

  /** Without a configured token nobody has the right one. */
  #checkToken(token: string, request: Request): OperatorCheck {
    const { operatorToken } = this.#config;
    if (operatorToken === null) return SHOWN_NOTHING;
    const address = addressOf(request) ?? LOOPBACK;
    const now = this.#ports.now();
    const retryAfterMs = this.#guesses.blockedMs(address, now);
    if (retryAfterMs > 0) return { ok: false, reason: 'blocked', retryAfterMs };
    if (isSameSecret(token, operatorToken)) return { ok: true, actor: 'token' };
    this.#guesses.wrong(address, now);
    return { ok: false, reason: 'wrong', retryAfterMs: 0 };
  }

  async #accessUser(request: Request): Promise<AccessUser | null> {
    const token = accessTokenOf(request);
    const { access } = this.#config;
    if (token === null || access === null || this.#keys === null) return null;
    return accessUser(token, access, this.#keys, this.#ports.now());
  }
}
