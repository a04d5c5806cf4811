/** Bots by the thousand, in pages, and share links: what the API answers about both. */
import { ASSISTANT } from './sample.ts';
import type { Answers } from './site.ts';

export interface ListedBot {
  id: string;
  name: string;
  model: string;
  state: string;
  available: boolean | null;
}

export const CODER: ListedBot = bot('coder', 'Coder', 'qwen3:8b');

export function bot(id: string, name: string, model: string, state = 'running'): ListedBot {
  return { id, name, model, state, available: true };
}

/** The assistant, the coder, three that do not answer just now, and as many others as there should be. */
export function manyBots(count: number): ListedBot[] {
  const some = [
    { ...ASSISTANT, state: 'running', available: true },
    CODER,
    bot('night-owl', 'Night owl', 'llama3.2', 'stopped'),
    bot('slow-cook', 'Slow cook', 'llama3.2', 'paused'),
    bot('far-away', 'Far away', 'mistral', 'degraded'),
  ];
  const rest = Array.from({ length: Math.max(0, count - some.length) }, (_, index) =>
    bot(`helper-${index + 1}`, `Helper ${index + 1}`, 'llama3.2'),
  );
  return [...some, ...rest];
}

/** `/api/bots` over `bots` (asked at every call), in pages as the query wants them; all else by `others`. */
export function botAnswers(bots: () => readonly ListedBot[], others: Answers): Answers {
  return (method, url, body) => {
    const [, id, what] = /^\/api\/bots(?:\/([^/]+))?(?:\/(status))?$/.exec(url.pathname) ?? [];
    if (!url.pathname.startsWith('/api/bots')) return others(method, url, body);
    if (id === undefined) return { body: pageOf(bots(), url.searchParams) };
    const found = bots().find((known) => known.id === id);
    if (!found) return { status: 404, body: { code: 'bot_not_found', detail: 'There is no such bot.' } };
    return { body: what === undefined ? found : { ...found, because: null, running: 2, queued: 5 } };
  };
}

function pageOf(bots: readonly ListedBot[], query: URLSearchParams) {
  const from = Number(query.get('cursor') ?? 0);
  const end = from + Number(query.get('limit') ?? 50);
  const nextCursor = end < bots.length ? String(end) : null;
  return { bots: bots.slice(from, end), nextCursor, source: { kind: 'ollama' } };
}

interface KnownShare {
  id: string;
  createdAt: number;
  expiresAt: number;
}

const HOUR_MS = 3_600_000;

/** Share links of the one session, kept here; all else by `others`. */
export function shareAnswers(shares: KnownShare[], others: Answers): Answers {
  return (method, url, body) => {
    const [, id] = /^\/api\/sessions\/[^/]+\/share(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (!/\/share(\/|$)/.test(url.pathname)) return others(method, url, body);
    if (method === 'GET') return { body: { shares } };
    if (method === 'POST') {
      const { expiresInHours } = JSON.parse(body ?? '{}');
      const made = { id: `l_${shares.length + 1}`, expiresAt: Date.now() + expiresInHours * HOUR_MS };
      shares.push({ ...made, createdAt: Date.now() });
      return { status: 201, body: { ...made, url: `/shared/${'t'.repeat(64)}` } };
    }
    const at = shares.findIndex((share) => share.id === id);
    if (at === -1) return { status: 404, body: { code: 'not_found', detail: 'No such link.' } };
    shares.splice(at, 1);
    return { body: {} };
  };
}
