/** The operator's API played by hand: same paths and shapes as the server's, every answer at the test's will. */
import { emptyStats, type BotStats } from '../../../src/metrics/bot-stats.ts';
import { observe } from '../../../src/metrics/histogram.ts';
import type { AuditEntry, BotView } from '../../../src/objects/bot-rpc.ts';

export const TOKEN = 'the-right-operator-token';

interface Answer {
  status: number;
  body: unknown;
}

export interface Asked {
  method: string;
  path: string;
  body: unknown;
}

type Fields = Record<string, unknown>;

export class FakeApi {
  loggedIn = true;
  /** Whether anything answers at all. */
  reachable = true;
  /** Set: every call to a path that begins so is refused with this. */
  refusal: { path: string; status: number; problem: Fields } | null = null;
  /** Whether the server could read its database. */
  complete = true;
  /** How long an action takes, in ms. */
  actionMs = 0;
  readonly bots = new Map<string, BotView>();
  readonly audit: AuditEntry[] = [];
  brokenAt: { bot: string; seq: number; reason: string } | null = null;
  readonly asked: Asked[] = [];

  add(id: string, more: Partial<BotView> = {}): BotView {
    const name = more.name ?? `Bot ${id}`;
    const model = more.model ?? 'llama3.2:3b';
    const bot: BotView = {
      id,
      name,
      model,
      state: 'running',
      because: null,
      revision: 1,
      uptimeMs: 3_600_000,
      running: 0,
      queued: 0,
      slots: null,
      queueLimit: null,
      connections: 0,
      breaker: 'closed',
      lastError: null,
      stats: emptyStats(),
      alerts: [],
      spec: { id, name, kind: 'ollama', model, options: {} },
      ...more,
    };
    this.bots.set(id, bot);
    return bot;
  }

  change(id: string, fields: Partial<BotView>): void {
    const bot = this.bots.get(id);
    if (!bot) throw new Error(`no bot ${id}`);
    this.bots.set(id, { ...bot, ...fields });
  }

  /** What was asked with `method` of a path that ends so. */
  calls(method: string, end: string): Asked[] {
    return this.asked.filter((call) => call.method === method && call.path.endsWith(end));
  }

  async answer(method: string, url: URL, text: string | null): Promise<Answer> {
    const body: unknown = text === null ? null : JSON.parse(text);
    this.asked.push({ method, path: url.pathname, body });
    if (this.refusal && url.pathname.startsWith(this.refusal.path)) return problem(this.refusal);
    const [, , resource = '', id = '', verb = ''] = url.pathname.split('/');
    if (resource === 'operator') return this.#operator(id, body as Fields | null);
    if (!this.loggedIn) return refuse(401, 'unauthorized', 'This is for operators: log in.');
    if (resource === 'bots' && method !== 'GET') {
      if (this.actionMs > 0) await new Promise((resolve) => setTimeout(resolve, this.actionMs));
      return this.#write(method, id, verb, body as Fields);
    }
    if (resource === 'bots') return this.#read(id, url.searchParams);
    if (resource === 'alerts') return ok({ alerts: [...this.bots.values()].flatMap(({ alerts }) => alerts) });
    if (resource === 'audit') return this.#audit(id, url.searchParams);
    if (resource === 'health') return ok(this.#health());
    return refuse(404, 'not_found', 'There is nothing under this path.');
  }

  #operator(verb: string, body: Fields | null): Answer {
    if (verb === 'login') {
      if (body?.token !== TOKEN) return refuse(401, 'unauthorized', 'This is not the operator token.');
      this.loggedIn = true;
    }
    if (verb === 'logout') this.loggedIn = false;
    if (!this.loggedIn && verb === '') return refuse(401, 'unauthorized', 'This is for operators: log in.');
    return ok({ operator: this.loggedIn, actor: 'login' });
  }

  #read(id: string, query: URLSearchParams): Answer {
    if (id !== '') {
      const bot = this.bots.get(id);
      return bot ? ok(bot) : refuse(404, 'bot_not_found', 'There is no such bot.');
    }
    // As the server does, without definitions.
    const all = [...this.bots.values()].map((bot) => ({ ...bot, spec: undefined }));
    const from = Number(query.get('cursor') ?? 0);
    const to = from + Number(query.get('limit') ?? 50);
    return ok({ bots: all.slice(from, to), nextCursor: to < all.length ? String(to) : null, complete: this.complete });
  }

  #write(method: string, id: string, verb: string, body: Fields): Answer {
    if (method === 'POST' && id === '') {
      const made = body as Fields & { id: string; name: string; model?: string };
      if (this.bots.has(made.id)) return refuse(409, 'bot_exists', 'There is a bot with this id.');
      const spec = { kind: 'ollama', options: {}, ...made } as BotView['spec'];
      return {
        status: 201,
        body: this.add(made.id, {
          name: made.name,
          model: made.model ?? 'llama3.2',
          spec,
          state: 'stopped',
          uptimeMs: 0,
        }),
      };
    }
    const bot = this.bots.get(id);
    if (!bot) return refuse(404, 'bot_not_found', 'There is no such bot.');
    if (method === 'DELETE') {
      this.bots.delete(id);
      return { status: 204, body: null };
    }
    if (method === 'PATCH') return this.#patch(bot, body);
    const state = { launch: 'running', stop: 'stopped', pause: 'paused', resume: 'running' }[verb] as BotView['state'];
    this.change(id, { state });
    this.audit.unshift(entry(id, this.audit.length + 1, verb as AuditEntry['action']));
    return ok(this.bots.get(id));
  }

  #patch(bot: BotView, { revision, ...patch }: Fields): Answer {
    if (revision !== bot.revision) return refuse(409, 'stale_base', 'The definition was changed meanwhile.');
    const fields = Object.entries({ ...bot.spec, ...patch }).filter(([, value]) => value !== null);
    const spec = Object.fromEntries(fields) as NonNullable<BotView['spec']>;
    this.change(bot.id, { spec, name: spec.name, revision: bot.revision + 1 });
    return ok(this.bots.get(bot.id));
  }

  #audit(verb: string, query: URLSearchParams): Answer {
    const bot = query.get('bot');
    const entries = this.audit.filter((candidate) => bot === null || candidate.bot === bot);
    if (verb === 'verify')
      return ok({ entries: entries.length, broken: this.brokenAt ? [this.brokenAt] : [], nextCursor: null });
    const from = Number(query.get('cursor') ?? 0);
    const to = from + Number(query.get('limit') ?? 50);
    return ok({ entries: entries.slice(from, to), nextCursor: to < entries.length ? String(to) : null });
  }

  #health() {
    const isDown = [...this.bots.values()].some(({ state }) => state === 'degraded');
    const endpoint = { kind: 'ollama', url: 'http://127.0.0.1:11434', bots: [...this.bots.keys()].slice(0, 30) };
    return {
      status: isDown ? 'degraded' : 'ok',
      database: { ok: true, ms: 2 },
      objects: { ok: true, ms: 4 },
      endpoints: [
        isDown
          ? { ...endpoint, ok: false, ms: 3_000, error: 'No answer within 3 s.' }
          : { ...endpoint, ok: true, ms: 6 },
      ],
    };
  }
}

export function entry(bot: string, seq: number, action: AuditEntry['action'], detail: Fields = {}): AuditEntry {
  return { bot, seq, at: Date.now() - 60_000, actor: 'login', action, detail, hash: `${seq}`.padStart(64, 'ab') };
}

/** `stats` after so many more replies and failures, each reply with a first token after `firstTokenMs`. */
export function grown(stats: BotStats, more: { replies: number; failed?: number; firstTokenMs?: number }): BotStats {
  const next = structuredClone(stats);
  const { replies, failed = 0, firstTokenMs = 200 } = more;
  next.replies += replies;
  next.answerTokens += replies * 180;
  next.promptTokens += replies * 420;
  if (failed > 0) next.failed = { ...next.failed, endpoint_error: (next.failed.endpoint_error ?? 0) + failed };
  for (let turn = 0; turn < replies; turn += 1) {
    observe(next.firstToken, firstTokenMs * (0.6 + (turn % 10) / 10));
    observe(next.total, firstTokenMs * (6 + (turn % 10)));
    observe(next.overhead, 12);
    observe(next.waited, (turn % 5) * 300);
  }
  return next;
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function refuse(status: number, code: string, detail: string): Answer {
  return problem({ status, problem: { code, detail } });
}

function problem({ status, problem: fields }: { status: number; problem: Fields }): Answer {
  return { status, body: { type: 'about:blank', status, requestId: '9d2f6a1c-req', retryable: false, ...fields } };
}
