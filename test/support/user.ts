/** A person at the API: a cookie, requests, bare sockets and headless clients. */
import { connectUrl } from '../../src/client/http.ts';
import { memoryOutbox } from '../../src/client/memory-outbox.ts';
import { createSessionClient } from '../../src/client/session-client.ts';
import type { SessionClient, SessionClientOptions } from '../../src/client/types.ts';
import { recordedSocket, type ClientRecording } from './recording.ts';
import { Wire } from './wire.ts';

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed where it is JSON, else the text. */
  body: unknown;
}

export interface RequestOptions {
  method?: string;
  /** Sent as JSON, except texts and bytes, which go as they are. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** A headless client and everything that went over its sockets. */
export interface RecordedClient {
  client: SessionClient;
  recording: ClientRecording;
}

export class User {
  cookie = '';
  readonly #baseUrl: () => string;

  constructor(baseUrl: () => string) {
    this.#baseUrl = baseUrl;
  }

  async request(path: string, { method, body, headers = {} }: RequestOptions = {}): Promise<Answer> {
    const isJson = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
    const response = await fetch(`${this.#baseUrl()}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...this.headers, ...headers },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : bodyOf(body) }),
      redirect: 'manual',
    });
    const given = /^(sb_user=[^;]+)/.exec(response.headers.get('set-cookie') ?? '')?.[1];
    if (given !== undefined) this.cookie = given;
    return { status: response.status, headers: response.headers, body: parse(await response.text()) };
  }

  get headers(): Record<string, string> {
    return this.cookie === '' ? {} : { cookie: this.cookie };
  }

  /** A new session's id. */
  async session(settings: { bot?: string; title?: string } = {}): Promise<string> {
    const { status, body } = await this.request('/api/sessions', { body: settings });
    if (status !== 201 || typeof body !== 'object' || body === null || !('id' in body) || typeof body.id !== 'string') {
      throw new Error(`no session: ${status} ${JSON.stringify(body)}`);
    }
    return body.id;
  }

  /** Sends a message over HTTP; with `waitSeconds` until it is answered. */
  post(session: string, id: string, text: string, waitSeconds = 0): Promise<Answer> {
    const headers: Record<string, string> = waitSeconds === 0 ? {} : { prefer: `wait=${waitSeconds}` };
    return this.request(`/api/sessions/${session}/messages`, { body: { id, text }, headers });
  }

  wire(session: string): Wire {
    return new Wire(connectUrl(this.#baseUrl(), session), this.headers);
  }

  /** A wire that was welcomed. */
  async join(session: string): Promise<Wire> {
    const wire = this.wire(session);
    await wire.hello();
    return wire;
  }

  /** The client that the page uses, with an outbox in memory unless given. */
  client(session: string, name: string, options: Partial<SessionClientOptions> = {}): RecordedClient {
    const recording: ClientRecording = { name, connections: [] };
    const url = connectUrl(this.#baseUrl(), session);
    const client = createSessionClient({
      session,
      outbox: memoryOutbox(),
      openSocket: () => recordedSocket(url, this.headers, recording),
      ...options,
    });
    return { client, recording };
  }
}

function bodyOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array ? new Uint8Array(body) : String(body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
