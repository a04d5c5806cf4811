/** Made-up conversations that show every part of the page. */
import type { Answers } from './site.ts';
import { Feed } from './feed.ts';

export const ASSISTANT = { id: 'default', name: 'Assistant', model: 'llama3.2' };
const CODER = { id: 'qwen3-8b', name: 'qwen3:8b', model: 'qwen3:8b' };
const HOUR_MS = 3_600_000;

export const SESSION = `s_${'a'.repeat(32)}`;

export const RICH_ANSWER = `Use a **token bucket**: it allows short bursts and holds the average.

## The idea

1. Each caller has a bucket of \`capacity\` tokens.
2. A request takes one; an empty bucket refuses it.
3. Tokens come back at a steady rate.

\`\`\`ts
export function take(bucket: Bucket, nowMs: number): boolean {
  const elapsed = (nowMs - bucket.updatedMs) / 1000;
  bucket.tokens = Math.min(bucket.capacity, bucket.tokens + elapsed * bucket.perSecond);
  bucket.updatedMs = nowMs;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
\`\`\`

| Scheme | Bursts | Memory per caller | Exact |
|---|:-:|--:|---|
| Fixed window | twice the limit at the edge | 8 bytes | no |
| Sliding log | none | 8 bytes per request | yes |
| Token bucket | up to the capacity | 16 bytes | yes |

> Keep the clock outside: a function that is given the time can be tested.

- [x] bounded memory
- [ ] shared between regions

See [RFC 6585](https://www.rfc-editor.org/rfc/rfc6585) for status 429 and ![a diagram](https://img.example/bucket.png).`;

export const STREAMED = `Share it through **one object per caller**. Its storage is consistent, so two regions never both take the last token:

\`\`\`ts
const stub = env.LIMITS.getByName(caller);
const allowed = await stub.take(1);
`;

export function sampleFeed(): Feed {
  const feed = new Feed(SESSION, 'Rate limiting at the edge', ASSISTANT);
  const ask = (id: string, text: string) => feed.record({ kind: 'message', id, text, priority: 0 }).seq;
  feed.begin(ask('m1', 'How would you limit requests per caller in a Worker?'));
  feed.say('The person asks about rate limiting. I should compare schemes and give code.', 'thinking');
  feed.say(RICH_ANSWER);
  feed.end('reply');
  return feed;
}

const TITLES = [
  'Rate limiting at the edge',
  'Names for a grey cat',
  'Translate the lease, clause by clause, and mark what is unusual',
  'Why is my SQLite query slow?',
  'Bread with little yeast',
  'Interview questions for a platform team',
];

export function sampleAnswers(simulator: boolean): Answers {
  const now = Date.now();
  const sessions = TITLES.map((title, index) => {
    const bot = index % 3 === 1 ? CODER : ASSISTANT;
    const id = index === 0 ? SESSION : `s_${String(index).repeat(32)}`;
    const lastAt = now - index ** 3 * HOUR_MS;
    return {
      id,
      bot: bot.id,
      botRef: bot,
      title,
      archived: false,
      folder: '',
      createdAt: lastAt,
      lastAt,
      preview: null,
    };
  });
  const preview = (seq: number, role: string, text: string) => {
    return { seq, turn: 2, id: `m${seq}`, role, status: 'complete', at: now - HOUR_MS, text, cut: false };
  };
  const hit = {
    session: { id: SESSION, title: TITLES[0], bot: ASSISTANT },
    message: preview(3, 'bot', ''),
    excerpt: {
      text: 'Use a token bucket: it allows short bursts and holds the average.',
      matches: [[12, 18]],
      cutStart: false,
      cutEnd: true,
    },
    before: [preview(2, 'user', 'How would you limit requests per caller in a Worker?')],
    after: [],
  };
  return (method, url) => {
    if (url.pathname === '/api/bots') {
      const bots = [ASSISTANT, CODER].map((bot) => ({ ...bot, state: 'running', available: true }));
      return { body: { bots, nextCursor: null, source: { kind: simulator ? 'simulator' : 'ollama' } } };
    }
    if (url.pathname === '/api/search') return { body: { hits: [hit], nextCursor: null } };
    if (url.pathname === '/api/sessions' && method === 'GET') return { body: { sessions, nextCursor: null } };
    if (url.pathname === '/api/sessions' && method === 'POST') return { status: 201, body: sessions[0] };
    if (method === 'PATCH') return { body: sessions[0] };
    if (url.pathname.endsWith('/messages')) return { body: { messages: [], nextCursor: null } };
    return undefined;
  };
}
