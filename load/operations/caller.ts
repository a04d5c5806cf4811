/**
 * Somebody at the HTTP API who notes how long each answer took: over Node's own client and connections
 * that stay open, since `fetch` adds about a millisecond that is not the server's.
 */
import { Agent, request } from 'node:http';
import { LoadError } from '../scenario.ts';

const ANSWER_TIMEOUT_MS = 30_000;
/** Of an answer that nobody expected. */
const SHOWN_CHARACTERS = 300;

export interface Called {
  /** From the call until the whole answer was here. */
  ms: number;
  body: unknown;
}

export class Caller {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: true });

  /** @param headers what proves who it is: a cookie, an operator's token */
  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#url = url;
    this.#headers = headers;
  }

  get(path: string): Promise<Called> {
    return this.#call('GET', path, {}, null);
  }

  post(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Called> {
    if (body === undefined) return this.#call('POST', path, headers, null);
    return this.#call('POST', path, { ...headers, 'content-type': 'application/json' }, JSON.stringify(body));
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @throws LoadError for any answer but a good one: its time would be that of a refusal */
  async #call(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | null,
  ): Promise<Called> {
    const startedAt = performance.now();
    const { status, text } = await this.#exchange(method, path, headers, body);
    const ms = performance.now() - startedAt;
    if (status >= 200 && status < 300) return { ms, body: JSON.parse(text) };
    const start = text.slice(0, SHOWN_CHARACTERS);
    throw new LoadError('not_finished', `${method} ${path} was answered ${status}: ${start}`);
  }

  #exchange(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | null,
  ): Promise<{ status: number; text: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options = { method, agent: this.#agent, headers: { ...this.#headers, ...headers, ...length } };
    const call = request(`${this.#url}${path}`, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.once('error', reject);
    });
    call.setTimeout(ANSWER_TIMEOUT_MS, () => call.destroy(new Error('no answer came in time')));
    call.once('error', (error) => {
      reject(new LoadError('not_finished', `${method} ${path} failed: ${error.message}`));
    });
    call.end(body ?? undefined);
    return promise;
  }
}
