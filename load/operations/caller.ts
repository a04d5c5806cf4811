/** Somebody at the HTTP API who notes how long each answer took. */
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

  /** @param headers what proves who it is: a cookie, an operator's token */
  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#url = url;
    this.#headers = headers;
  }

  get(path: string): Promise<Called> {
    return this.#call(path, { headers: this.#headers });
  }

  post(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Called> {
    if (body === undefined) return this.#call(path, { method: 'POST', headers: this.#headers });
    const sent = { ...this.#headers, ...headers, 'content-type': 'application/json' };
    return this.#call(path, { method: 'POST', headers: sent, body: JSON.stringify(body) });
  }

  /** @throws LoadError for any answer but a good one: its time would be that of a refusal */
  async #call(path: string, init: RequestInit): Promise<Called> {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const startedAt = performance.now();
    const response = await fetch(`${this.#url}${path}`, { ...init, signal });
    const text = await response.text();
    const ms = performance.now() - startedAt;
    if (response.ok) return { ms, body: JSON.parse(text) };
    const start = text.slice(0, SHOWN_CHARACTERS);
    throw new LoadError('not_finished', `${init.method ?? 'GET'} ${path} was answered ${response.status}: ${start}`);
  }
}
