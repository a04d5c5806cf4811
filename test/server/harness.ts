/** The app under stand-ins: sessions in memory, a history that answers what it is told, all calls noted. */
import { newUser, userCookie } from '../../src/auth/cookie.ts';
import { Authenticator } from '../../src/auth/identity.ts';
import { createBotDirectory } from '../../src/bots/directory.ts';
import { parseConfig, type SessionStub } from '../../src/env.ts';
import type { Result, SessionSummary, SharedPage, ShareRow } from '../../src/objects/session-rpc.ts';
import type { WireError } from '../../src/protocol/server-frames.ts';
import type { BotMessage, Message, UserMessage } from '../../src/protocol/transcript.ts';
import { TurnFailure } from '../../src/responders/port.ts';
import { createApp } from '../../src/server/app.ts';
import type { RateLimiter, ServerDeps } from '../../src/server/deps.ts';
import { botObjects } from './bot-objects.ts';

export const SECRET = 'the-secret-of-this-server-0123456789';
export const TOKEN = 'operator-token-0123456789';
export const ORIGIN = 'http://localhost';
export const FRIEND = 'https://friend.example';
export const ENDPOINT_URL = 'http://10.9.8.7:11434';

const NOT_FOUND: { ok: false; error: WireError } = {
  ok: false,
  error: { code: 'session_not_found', message: 'There is no such session.', retryable: false },
};

/** What stands for an upgraded connection: Node cannot make a response with status 101. */
export class Upgraded extends Response {
  override get status(): number {
    return 101;
  }
}

export class FakeSession implements SessionStub {
  owner = '';
  summary: SessionSummary | null = null;
  log: Message[] = [];
  reply: BotMessage | null = null;
  links: (ShareRow & { digest: string })[] = [];
  /** The next call throws, as a call to a crashed object does. */
  crash = false;
  readonly waits: number[] = [];
  readonly upgrades: Request[] = [];
  readonly upgraded = new Upgraded();

  #summaryFor(user: string): Result<SessionSummary> {
    if (this.crash) throw new Error('the object broke on "a private text"');
    return this.summary && this.owner === user ? { ok: true, value: this.summary } : NOT_FOUND;
  }

  async create(user: string, id: string, { bot, title }: Pick<SessionSummary, 'bot' | 'title'>) {
    this.owner = user;
    this.summary = { id, bot, title, archived: false, folder: '', createdAt: 1_700_000_000_000 };
    return this.#summaryFor(user);
  }

  async describe(user: string) {
    return this.#summaryFor(user);
  }

  async update(user: string, patch: Partial<SessionSummary>) {
    const current = this.#summaryFor(user);
    if (!current.ok) return current;
    this.summary = { ...current.value, ...patch };
    return this.#summaryFor(user);
  }

  async wake(): Promise<void> {}

  async retire() {
    return 'kept' as const;
  }

  async remove(user: string): Promise<Result<null>> {
    const current = this.#summaryFor(user);
    if (!current.ok) return current;
    this.summary = null;
    return { ok: true, value: null };
  }

  async send(user: string, message: { id: string; text: string; priority?: number }, waitMs: number) {
    const current = this.#summaryFor(user);
    if (!current.ok) return current;
    this.waits.push(waitMs);
    const { id, text, priority = 0 } = message;
    const known = this.log.find((entry) => entry.id === id);
    if (known && known.text !== text) {
      const error: WireError = { code: 'id_conflict', message: 'Another text.', retryable: false, id };
      return { ok: false as const, error };
    }
    const seq = known?.seq ?? this.log.length + 2;
    if (!known) this.log.push(userMessage(seq, id, text, priority));
    return { ok: true as const, value: { id, seq, position: 0, reply: waitMs > 0 ? this.reply : null } };
  }

  async messages(user: string, page: { before?: number; limit: number }) {
    const current = this.#summaryFor(user);
    if (!current.ok) return current;
    const before = page.before ?? Number.MAX_SAFE_INTEGER;
    const earlier = this.log.filter(({ seq }) => seq < before);
    const messages = earlier.slice(-page.limit);
    const nextBefore = messages.length < earlier.length ? (messages[0]?.seq ?? null) : null;
    return { ok: true as const, value: { messages, nextBefore } };
  }

  async share(user: string, { id, digest, expiresAt }: { id: string; digest: string; expiresAt: number }) {
    const current = this.#summaryFor(user);
    if (!current.ok) return current;
    const row = { id, createdAt: 1_700_000_000_000, expiresAt };
    this.links.push({ ...row, digest });
    return { ok: true as const, value: row };
  }

  async shares(user: string): Promise<Result<ShareRow[]>> {
    const current = this.#summaryFor(user);
    if (!current.ok) return current;
    return { ok: true, value: this.links.map(({ id, createdAt, expiresAt }) => ({ id, createdAt, expiresAt })) };
  }

  async unshare(user: string, id: string): Promise<Result<boolean>> {
    const current = this.#summaryFor(user);
    if (!current.ok) return current;
    const known = this.links.some((link) => link.id === id);
    this.links = this.links.filter((link) => link.id !== id);
    return { ok: true, value: known };
  }

  async shared(digest: string, page: { before?: number; limit: number }): Promise<Result<SharedPage>> {
    const link = this.links.find((entry) => entry.digest === digest);
    if (!link || !this.summary) return NOT_FOUND;
    const messages = await this.messages(this.owner, page);
    if (!messages.ok) return messages;
    const { title, bot } = this.summary;
    return { ok: true, value: { title, bot, ...messages.value, expiresAt: link.expiresAt } };
  }

  async fetch(request: Request): Promise<Response> {
    if (this.crash) throw new Error('the object broke');
    this.upgrades.push(request);
    return this.upgraded;
  }
}

export function userMessage(seq: number, id: string, text: string, priority = 0): UserMessage {
  return { role: 'user', status: 'accepted', seq, turn: seq, id, text, at: 1_700_000_000_000 + seq, priority };
}

export function harness(variables: Readonly<Record<string, string>> = {}, overrides: Partial<ServerDeps> = {}) {
  const config = parseConfig({
    SESSION_SECRET: SECRET,
    OPERATOR_TOKEN: TOKEN,
    ALLOWED_ORIGINS: FRIEND,
    OLLAMA_BASE_URL: ENDPOINT_URL,
    ...variables,
  });
  const sessions = new Map<string, FakeSession>();
  const session = (id: string): FakeSession => {
    const found = sessions.get(id) ?? new FakeSession();
    sessions.set(id, found);
    return found;
  };
  const reports: { event: string; fields: Record<string, unknown> }[] = [];
  const notes: typeof reports = [];
  const refusals: { error: WireError; closeCode: number; response: Response }[] = [];
  const endpoint = { up: true };
  const bots = botObjects(config, variables);
  const deps: ServerDeps = {
    config,
    auth: new Authenticator(config, { fetch: (url, init) => fetch(url, init), now: () => Date.now() }),
    bots: createBotDirectory(config, {
      listModels: () =>
        endpoint.up
          ? Promise.resolve([{ model: 'llama3.2:3b', capabilities: ['completion'] }])
          : Promise.reject(new TurnFailure('endpoint_unreachable', 'The endpoint could not be reached.')),
      stored: bots.stored,
      now: () => Date.now(),
    }),
    history: {
      listSessions: () => Promise.resolve({ sessions: [], nextCursor: null }),
      searchMessages: () => Promise.resolve({ hits: [], nextCursor: null }),
      listAlerts: () => Promise.resolve({ alerts: [], nextCursor: null }),
      ...bots.reads,
      listBotSnapshots: () => Promise.resolve({ rows: [], known: 0 }),
      ping: () => Promise.resolve(),
    },
    session,
    control: bots.control,
    fetchAsset: () => Promise.resolve(new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })),
    probeEndpoint: () =>
      endpoint.up ? Promise.resolve('0.12') : Promise.reject(new TurnFailure('endpoint_unreachable', 'Nobody there.')),
    refuseUpgrade(error, closeCode) {
      const response = new Upgraded();
      refusals.push({ error, closeCode, response });
      return response;
    },
    connectLimit: null,
    writeLimit: null,
    readLimit: null,
    now: () => Date.now(),
    report: (event, fields) => void reports.push({ event, fields }),
    note: (event, fields) => void notes.push({ event, fields }),
    ...overrides,
  };
  const app = createApp(deps);
  return { app, deps, sessions, session, reports, notes, refusals, endpoint, bots };
}

export type Harness = ReturnType<typeof harness>;

export function cookieOf(user: string, secret = SECRET): string {
  return userCookie(user, secret, false).split(';')[0] ?? '';
}

/** A user with a session of theirs. */
export async function withSession(h: Harness): Promise<{ user: string; cookie: string; id: string; path: string }> {
  const user = newUser();
  const cookie = cookieOf(user);
  const response = await h.app.request('/api/sessions', { method: 'POST', headers: { cookie } });
  const body: unknown = await response.json();
  const id = stringAt(body, 'id');
  return { user, cookie, id, path: `/api/sessions/${id}` };
}

export function stringAt(value: unknown, key: string): string {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  if (typeof found !== 'string') throw new Error(`no text under "${key}"`);
  return found;
}

export function postJson(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
}

/** The problem in a response, after its shape was checked. */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json();
  if (response.headers.get('content-type') !== 'application/problem+json') throw new Error('not a problem');
  if (typeof body !== 'object' || body === null) throw new Error('not a problem');
  const problem: Record<string, unknown> = { ...body };
  for (const field of ['type', 'title', 'code', 'detail', 'requestId']) stringAt(problem, field);
  if (problem['status'] !== response.status) throw new Error('the body says another status');
  return problem;
}

/** A limiter that lets `allowed` requests of each key through. */
export function limiterOf(allowed: number): RateLimiter & { keys: string[] } {
  const keys: string[] = [];
  return {
    keys,
    limit: ({ key }) => {
      keys.push(key);
      return Promise.resolve({ success: keys.filter((seen) => seen === key).length <= allowed });
    },
  };
}
