/** A generator: users of one server in a process of their own, so that they share no thread with anything they measure. */
import { serve, tell } from '../lab/rpc.ts';
import { reasonOf } from '../reason.ts';
import type { CreateUsers, LoadUser, UserSource } from '../user.ts';
import { GENERATOR_CALLS } from './calls.ts';
import { Talk, type Talker } from './open-loop.ts';

const PROGRESS_MS = 1_000;

interface Range {
  first: number;
  end: number;
}

let source: UserSource | null = null;
const talkers = new Map<number, Talker>();

function within({ first, end }: Range): Talker[] {
  return [...talkers.values()].filter(({ number }) => number >= first && number < end);
}

async function use(module: string, url: string, options: Readonly<Record<string, string | number>>): Promise<void> {
  const loaded: { createUsers?: CreateUsers } = await import(module);
  if (!loaded.createUsers) throw new Error(`${module} has no createUsers.`);
  source = loaded.createUsers(url, options);
}

async function connect({ first, end, atOnce }: Range & { atOnce: number }) {
  if (!source) throw new Error('Nobody said yet what users these are.');
  const from = source;
  const tookMs: number[] = [];
  let next = first;
  let failed = 0;
  let problem: string | null = null;
  const connectOne = async (number: number): Promise<void> => {
    const startedAt = performance.now();
    try {
      const user: LoadUser = await from.connect(number);
      talkers.set(number, { number, user, sent: 0 });
      tookMs.push(performance.now() - startedAt);
    } catch (error) {
      failed += 1;
      problem ??= reasonOf(error);
    }
  };
  const work = async (): Promise<void> => {
    while (next < end) {
      const number = next;
      next += 1;
      await connectOne(number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, end - first) }, work));
  return { connected: tookMs.length, failed, problem, ms: Float64Array.from(tookMs) };
}

function state() {
  const users = [...talkers.values()].map(({ user }) => user);
  const sum = (of: (user: LoadUser) => number): number => users.reduce((total, user) => total + of(user), 0);
  return {
    users: users.length,
    live: sum(({ live }) => (live ? 1 : 0)),
    connects: sum(({ connects }) => connects),
    frames: sum(({ received }) => received.frames),
    characters: sum(({ received }) => received.characters),
    pongs: sum(({ pongs }) => pongs),
  };
}

function outages() {
  const all = [...talkers.values()].flatMap(({ number, user }) => {
    return (user.takeOutages?.() ?? []).map((outage) => ({ number, ...outage }));
  });
  return {
    user: Float64Array.from(all, ({ number }) => number),
    lostAt: Float64Array.from(all, ({ lostAt }) => lostAt),
    liveAt: Float64Array.from(all, ({ liveAt }) => liveAt),
  };
}

function close(range: Range): void {
  for (const { number, user } of within(range)) {
    user.close();
    talkers.delete(number);
  }
}

serve(GENERATOR_CALLS, {
  use: async ({ module, url, options }) => {
    await use(module, url, options);
    return {};
  },
  connect,
  talk: async ({ first, end, ...plan }) => {
    const talk = new Talk(within({ first, end }), plan);
    const timer = setInterval(() => tell(talk.progress()), PROGRESS_MS);
    try {
      return await talk.run();
    } finally {
      clearInterval(timer);
    }
  },
  state: async () => state(),
  outages: async () => outages(),
  setReading: async ({ isReading, ...range }) => {
    for (const { user } of within(range)) user.setReading(isReading);
    return {};
  },
  compare: async ({ sessions }) => ({ different: (await source?.compare?.(sessions)) ?? 0 }),
  check: async (request) => (await source?.check?.(request)) ?? null,
  close: async (range) => {
    close(range);
    return {};
  },
});
