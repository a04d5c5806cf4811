/** What stands for Cloudflare Access: a real server with keys on loopback, and the tokens that it signs. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import {
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTHeaderParameters,
} from 'jose';

export const AUDIENCE = 'audience-of-tests';
const CERTS_PATH = '/cdn-cgi/access/certs';
const TOKEN_SECONDS = 3_600;

export interface SigningKey {
  kid: string;
  privateKey: CryptoKey;
  publicJwk: JWK;
}

export interface TokenOptions {
  /** Over the usual claims; undefined leaves one out. */
  claims?: Readonly<Record<string, unknown>>;
  header?: Partial<JWTHeaderParameters>;
  key?: SigningKey;
}

let keysMade = 0;

/** A key pair that nobody knows yet. Tokens may be signed with any RSA algorithm: the key does not say which. */
export async function newKey(): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  keysMade += 1;
  return { kid: `key-${keysMade}`, privateKey, publicJwk: await exportJWK(publicKey) };
}

export class AccessIssuer {
  /** How often somebody asked for the keys. */
  asked = 0;
  /** `well`; `failing` answers 500; `silent` takes requests and never answers; a URL redirects there. */
  state = 'well';
  published: SigningKey[] = [];
  readonly #server: Server;
  #url = '';

  private constructor() {
    this.#server = createServer((request, response) => {
      if (request.url !== CERTS_PATH) return void response.writeHead(404).end();
      this.asked += 1;
      this.#answer(response);
    });
  }

  static async start(): Promise<AccessIssuer> {
    const issuer = new AccessIssuer();
    issuer.published = [await newKey()];
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    const address = issuer.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    issuer.#url = `http://127.0.0.1:${address.port}`;
    return issuer;
  }

  get url(): string {
    return this.#url;
  }

  /** Variables of a server that trusts this issuer. */
  get variables(): Record<string, string> {
    return { ACCESS_TEAM_DOMAIN: this.#url, ACCESS_AUD: AUDIENCE, OPERATOR_GROUP: 'operators' };
  }

  #answer(response: ServerResponse): void {
    if (this.state === 'silent') return;
    if (this.state === 'failing') return void response.writeHead(500).end('no');
    if (this.state !== 'well') return void response.writeHead(302, { location: this.state }).end();
    const keys = this.published.map(({ kid, publicJwk }) => ({ ...publicJwk, kid, use: 'sig' }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  }

  async token({ claims = {}, header = {}, key = this.#firstKey() }: TokenOptions = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const usual = { iss: this.#url, aud: [AUDIENCE], sub: 'person-1', iat: now, nbf: now, exp: now + TOKEN_SECONDS };
    const payload = JSON.parse(JSON.stringify({ ...usual, ...claims }));
    const { alg = 'RS256' } = header;
    // A key is bound to one algorithm here; its numbers serve for each.
    const privateKey = await importJWK(await exportJWK(key.privateKey), alg);
    return new SignJWT(payload).setProtectedHeader({ alg, kid: key.kid, ...header }).sign(privateKey);
  }

  #firstKey(): SigningKey {
    const [key] = this.published;
    if (!key) throw new Error('there is no key');
    return key;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
