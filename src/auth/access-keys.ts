/**
 * The public keys with which Cloudflare Access signs, as this isolate knows them. Keys are fetched
 * when none are known, when they are old, and once when a token names one that is not known: keys
 * rotate. Those that are known are used on while the endpoint is down.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import * as z from 'zod/mini';

/** Keys older than this are asked for again. */
const FRESH_MS = 10 * 60_000;
/** Tokens naming keys that do not exist cost anybody nothing to make: the endpoint is not asked more often for them. */
const COOLDOWN_MS = 30_000;
/** While there are no keys nobody is let in: then it is tried more often. */
const FIRST_COOLDOWN_MS = 1_000;
const TIMEOUT_MS = 3_000;
/** The largest answer that is looked at, in characters; real ones have about 4,000. */
const MAX_ANSWER_LENGTH = 256 * 1024;

const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

/** Whether a token is right cannot be told: the endpoint of the keys does not answer. */
export class AccessKeysUnavailable extends Error {
  constructor() {
    super('The keys of Cloudflare Access cannot be fetched just now.');
    this.name = 'AccessKeysUnavailable';
  }
}

export interface AccessKeyPorts {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Milliseconds since 1970. */
  now(): number;
}

type FindKey = JWTVerifyGetKey<CryptoKey>;

export class AccessKeys {
  readonly #url: string;
  readonly #ports: AccessKeyPorts;
  #find: FindKey | null = null;
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #failed = false;
  #pending: Promise<void> | null = null;

  constructor(issuer: string, ports: AccessKeyPorts) {
    this.#url = `${issuer}/cdn-cgi/access/certs`;
    this.#ports = ports;
  }

  /** @throws AccessKeysUnavailable, and errors of `jose` for a key that there is not */
  readonly find: FindKey = async (header, token) => {
    if (this.#find === null || this.#ports.now() - this.#fetchedAt > FRESH_MS) await this.#refresh();
    if (this.#find === null) throw new AccessKeysUnavailable();
    try {
      return await this.#find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#refresh();
    if (this.#failed) throw new AccessKeysUnavailable();
    return this.#find(header, token);
  };

  /** Asks the endpoint, unless it was asked just now; never fails. */
  async #refresh(): Promise<void> {
    const now = this.#ports.now();
    const isWaiting = this.#pending !== null && now - this.#triedAt < TIMEOUT_MS;
    if (isWaiting) return this.#wait(this.#pending);
    if (now - this.#triedAt < (this.#find === null ? FIRST_COOLDOWN_MS : COOLDOWN_MS)) return;
    this.#triedAt = now;
    const fetching = this.#fetch().finally(() => {
      if (this.#pending === fetching) this.#pending = null;
    });
    this.#pending = fetching;
    await fetching;
  }

  /** Another request's fetch ends unheard when that request is given up: nobody waits for it without a bound. */
  async #wait(pending: Promise<void> | null): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TIMEOUT_MS);
    });
    await Promise.race([pending, enough]);
    clearTimeout(timer);
  }

  async #fetch(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      // Redirected, the keys would be somebody else's.
      const response = await this.#ports.fetch(this.#url, { redirect: 'manual', signal });
      const text = await response.text();
      if (response.status !== 200 || text.length > MAX_ANSWER_LENGTH) throw new Error('no keys');
      this.#find = createLocalJWKSet(asKeySet(JSON.parse(text)));
      this.#fetchedAt = this.#ports.now();
      this.#failed = false;
    } catch {
      this.#failed = true;
    }
  }
}

/** Keys of other kinds may be there, too; only those that this can use matter. */
function asKeySet(value: unknown): JSONWebKeySet {
  const { keys } = keySet.parse(value);
  return { keys: keys.flatMap((key) => (key['kty'] === 'RSA' ? [{ ...key, kty: 'RSA' }] : [])) };
}
