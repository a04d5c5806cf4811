/**
 * Between Worker and model: whatever the network does ends that turn only, with its own code and
 * with what had come; the next turn after it heals is answered at once, and other sessions never
 * know. What a model itself does wrong is held in test/e2e/turn-failures.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TurnErrorCode } from '../../src/protocol/codes.ts';
import { startSimulator, type Simulator } from '../../src/local/simulator/server.ts';
import { checkHistory } from '../support/history-checker.ts';
import { readLog, readPages } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import type { User } from '../support/user.ts';
import { until } from './traveller.ts';

vi.setConfig({ maxConcurrency: 40 });

/** Short, but long beside what a loaded machine takes for something harmless. */
const CONNECT_TIMEOUT_MS = 1_500;
const FIRST_TOKEN_TIMEOUT_MS = 4_000;
const IDLE_TIMEOUT_MS = 1_500;
const SLACK_MS = 900;
/** A question asked after the network is well again is answered within this, not at the next deadline. */
const RECOVERED_WITHIN_MS = 1_000;
const STORY = 'Tell me a story [[sim tokens=100 tokenMs=20]]';
const LATE = 'Think first [[sim tokens=6 firstTokenMs=300]]';

interface Case {
  name: string;
  question: string;
  /** The turn's code; null where the fault does no harm. */
  code: TurnErrorCode | null;
  /** The failure comes at this time after the fault, give or take what a loaded machine adds. */
  afterMs: number;
  /** Asking whether the endpoint is there may go over a dead connection, too: then it is not, and that is known sooner. */
  mayBeTakenForGone?: true;
  /** Before the question is asked. */
  before?: (proxy: TcpProxy) => void | Promise<void>;
  /** When some of the answer is there. */
  during?: (proxy: TcpProxy) => void | Promise<void>;
}

const CASES: Case[] = [
  {
    name: 'refuses connections',
    question: STORY,
    code: 'endpoint_unreachable',
    // Three tries, 250 and 500 ms between them, spread by half.
    afterMs: 750,
    async before(proxy) {
      await proxy.refuse();
      // Those that the Worker keeps for the next request too.
      proxy.reset();
    },
  },
  {
    name: 'takes connections and brings nothing to the model',
    question: STORY,
    code: 'connect_timeout',
    afterMs: CONNECT_TIMEOUT_MS,
    before: (proxy) => proxy.set({ blackhole: true }, 'up'),
  },
  {
    name: 'takes connections and brings nothing back',
    question: STORY,
    code: 'connect_timeout',
    afterMs: CONNECT_TIMEOUT_MS,
    before: (proxy) => proxy.set({ blackhole: true }, 'down'),
  },
  {
    name: 'falls silent before the first word, the endpoint being there otherwise',
    question: 'Think first [[sim tokens=6 firstTokenMs=1000]]',
    code: 'first_token_timeout',
    afterMs: FIRST_TOKEN_TIMEOUT_MS,
    mayBeTakenForGone: true,
    before(proxy) {
      // The question has arrived by then; its connection dies, and new ones are well.
      setTimeout(() => proxy.strand(), 150);
    },
  },
  {
    name: 'stalls in the middle of the answer',
    question: STORY,
    code: 'idle_timeout',
    afterMs: IDLE_TIMEOUT_MS,
    during: (proxy) => proxy.set({ blackhole: true }),
  },
  {
    name: 'loses the connection in the middle of the answer without a word',
    question: STORY,
    code: 'idle_timeout',
    afterMs: IDLE_TIMEOUT_MS,
    during: (proxy) => proxy.strand(),
  },
  {
    name: 'resets in the middle of the answer',
    question: STORY,
    code: 'answer_incomplete',
    afterMs: 0,
    during: (proxy) => proxy.reset(),
  },
  {
    name: 'ends the body in the middle of a line',
    question: STORY,
    code: 'answer_incomplete',
    afterMs: 0,
    during: (proxy) => proxy.set({ truncateAfterBytes: 77 }, 'down'),
  },
  {
    name: 'resets in the middle of a line',
    question: STORY,
    code: 'answer_incomplete',
    afterMs: 0,
    during: (proxy) => proxy.set({ resetAfterBytes: 77 }, 'down'),
  },
  {
    name: 'ends every response in the middle of its headers',
    question: STORY,
    code: 'endpoint_unreachable',
    afterMs: 750,
    before: (proxy) => proxy.set({ truncateAfterBytes: 40 }, 'down'),
  },
  {
    name: 'brings byte by byte',
    question: 'Say é👩‍🚀 [[sim tokens=20 fault=split-utf8]]',
    code: null,
    afterMs: 0,
    before: (proxy) => proxy.set({ pieceBytes: 1 }),
  },
  {
    name: 'has 8 KB a second',
    question: 'Say much [[sim tokens=60]]',
    code: null,
    afterMs: 0,
    before: (proxy) => proxy.set({ bytesPerSecond: 8_192 }),
  },
  {
    name: 'delays 80 ms each way',
    question: LATE,
    code: null,
    afterMs: 0,
    before: (proxy) => proxy.set({ latencyMs: 80 }),
  },
  {
    // Nothing tells this from a model that is still reading the prompt, and asking twice would cost
    // an answer twice. Connections are kept for seconds only, so it is rare.
    name: 'forgot the connection that was kept for the next request',
    question: STORY,
    code: 'first_token_timeout',
    afterMs: FIRST_TOKEN_TIMEOUT_MS,
    mayBeTakenForGone: true,
    before: (proxy) => proxy.strand(),
  },
  {
    name: 'is dead for less than the deadlines, before the first word',
    question: LATE,
    code: null,
    afterMs: 0,
    before(proxy) {
      proxy.set({ blackhole: true });
      setTimeout(() => proxy.set({ blackhole: false }), CONNECT_TIMEOUT_MS / 3);
    },
  },
  {
    name: 'is dead for less than the deadlines, in the middle',
    question: STORY,
    code: null,
    afterMs: 0,
    during(proxy) {
      proxy.set({ blackhole: true });
      setTimeout(() => proxy.set({ blackhole: false }), IDLE_TIMEOUT_MS / 3);
    },
  },
];

let model: Simulator;
let server: RealServer;
let user: User;
/** A way to the model for each case, by the name of its bot. */
const proxies: TcpProxy[] = [];

beforeAll(async () => {
  model = await startSimulator({ tokens: 6 });
  for (const _ of CASES) proxies.push(await TcpProxy.start(model.url));
  const standard = await TcpProxy.start(model.url);
  proxies.push(standard);
  const bots = CASES.map(({ name }, index) => ({ id: `bot-${index}`, name, endpoint: proxies[index]?.url }));
  bots.push({ id: 'direct', name: 'Direct', endpoint: model.url });
  server = await RealServer.start({
    variables: {
      OLLAMA_BASE_URL: standard.url,
      CONNECT_TIMEOUT_MS: `${CONNECT_TIMEOUT_MS}`,
      FIRST_TOKEN_TIMEOUT_MS: `${FIRST_TOKEN_TIMEOUT_MS}`,
      IDLE_TIMEOUT_MS: `${IDLE_TIMEOUT_MS}`,
      BOTS: JSON.stringify(bots),
    },
  });
  user = server.user();
  await user.session();
});
afterAll(async () => {
  await server.close();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await model.close();
});

describe.concurrent('a network that', () => {
  test.for(CASES)('$name', async (tested) => {
    const { question, code, before, during } = tested;
    const index = CASES.indexOf(tested);
    const proxy = proxies[index];
    if (!proxy) throw new Error('no proxy');
    const session = await user.session({ bot: `bot-${index}` });
    const wire = await user.join(session);
    await wire.outcome((await wire.ask('warm-up', 'All is well')).seq);

    await before?.(proxy);
    let faultAt = performance.now();
    const { seq } = await wire.ask('in-trouble', question);
    if (during) {
      await until('some of the answer', () => wire.joined(seq, 1).length > 20);
      await during(proxy);
      faultAt = performance.now();
    }
    const read = wire.joined(seq, 1);
    const outcome = await wire.outcome(seq);
    expectOutcome(tested, outcome, performance.now() - faultAt);
    // What had come is kept, and it is what was shown.
    expect(outcome.text).toBe(wire.joined(seq, 1));
    expect(outcome.text.startsWith(read)).toBe(true);

    await proxy.heal();
    const healedAt = performance.now();
    const after = await wire.ask('after', 'And now?');
    expect(await wire.outcome(after.seq)).toMatchObject({ kind: 'reply' });
    expect(performance.now() - healedAt).toBeLessThan(RECOVERED_WITHIN_MS);
    const log = await readLog(user, session);
    expect(log.filter(({ kind }) => kind === 'failed')).toHaveLength(code === null ? 0 : 1);
    const pages = await readPages(user, session);
    expect(checkHistory({ session, log, clients: [wire.recording], atRest: true, rows: null, pages })).toEqual([]);
    wire.close();
  });
});

function expectOutcome(tested: Case, outcome: { kind: string; text: string; code?: string }, tookMs: number): void {
  const isTakenForGone = tested.mayBeTakenForGone === true && outcome.code === 'connect_timeout';
  const { code, afterMs } = isTakenForGone
    ? { code: 'connect_timeout', afterMs: CONNECT_TIMEOUT_MS }
    : { code: tested.code, afterMs: tested.afterMs };
  if (code === null) {
    expect(outcome).toMatchObject({ kind: 'reply', finish: 'stop' });
    return;
  }
  expect(outcome).toMatchObject({ kind: 'failed', code });
  // Its own deadline and no other; tries are spread by half.
  expect(tookMs).toBeGreaterThan(afterMs * 0.5 - 50);
  expect(tookMs).toBeLessThan(afterMs * 1.5 + SLACK_MS);
  expect(outcome.text === '').toBe(tested.during === undefined);
}

test.concurrent('S4, other sessions: with the default endpoint gone, messages are accepted and other bots answer as ever', async () => {
  const standard = proxies.at(-1);
  const session = await user.session();
  const other = await user.join(await user.session({ bot: 'direct' }));
  const wire = await user.join(session);
  await standard?.refuse();
  standard?.reset();
  const acks = await Promise.all(['a', 'b', 'c'].map((id) => wire.ask(id, `Question ${id}`)));
  const { seq } = await other.ask('x', 'Are you there?');
  expect(await other.outcome(seq)).toMatchObject({ kind: 'reply' });
  expect(await wire.outcome(acks[0]?.seq ?? 0)).toMatchObject({ code: 'endpoint_unreachable' });
  await standard?.heal();
  // Tried before it was known that nothing is there, the second may fail, too; what waits is answered.
  await wire.outcome(acks[1]?.seq ?? 0);
  await wire.outcome(acks[2]?.seq ?? 0);
  const last = await wire.ask('d', 'And now?');
  expect(await wire.outcome(last.seq)).toMatchObject({ kind: 'reply' });
  const log = await readLog(user, session);
  expect(checkHistory({ session, log, clients: [wire.recording], atRest: true, rows: null, pages: null })).toEqual([]);
  wire.close();
  other.close();
});
