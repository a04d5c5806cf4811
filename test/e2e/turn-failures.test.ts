/** Whatever a model's endpoint does wrong ends that turn with its own code, and nothing else. */
import net from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TurnErrorCode } from '../../src/protocol/codes.ts';
import { checkHistory } from '../support/history-checker.ts';
import { readLog, readPages } from '../support/observe.ts';
import { RealServer } from '../support/real-server.ts';
import type { User } from '../support/user.ts';

/** Long enough for a loaded machine's model to begin, short enough to wait for. */
const DEADLINES = {
  CONNECT_TIMEOUT_MS: '600',
  FIRST_TOKEN_TIMEOUT_MS: '3000',
  IDLE_TIMEOUT_MS: '700',
  TOTAL_TIMEOUT_MS: '4000',
};

let server: RealServer;
let user: User;
/** Accepts connections and never says a word. */
const silent = net.createServer(() => {});

beforeAll(async () => {
  const silentPort = await new Promise<number>((resolve) => {
    silent.listen(0, '127.0.0.1', () => {
      const address = silent.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const bots = [
    { id: 'nowhere', name: 'Nowhere', endpoint: 'http://127.0.0.1:1' },
    { id: 'silent', name: 'Silent', endpoint: `http://127.0.0.1:${silentPort}` },
    { id: 'unknown-model', name: 'Unknown', model: 'no-such-model' },
    { id: 'no-ai', name: 'No AI here', kind: 'workers-ai', model: '@cf/x' },
  ];
  server = await RealServer.start({
    simulator: { tokens: 6 },
    variables: { ...DEADLINES, BOTS: JSON.stringify(bots) },
  });
  user = server.user();
  await user.session();
});
afterAll(async () => {
  silent.close();
  await server.close();
});

/** Asks twice: what goes wrong, then what is all right. */
async function failThenGoOn(session: string, question: string, after: string): Promise<{ code: string; text: string }> {
  const wire = await user.join(session);
  const bad = await wire.ask('bad', question);
  const outcome = await wire.outcome(bad.seq);
  if (after !== '') await user.request(`/api/sessions/${session}`, { method: 'PATCH', body: { bot: after } });
  const good = await wire.ask('good', 'And now? [[sim tokens=6]]');
  expect(await wire.outcome(good.seq)).toMatchObject({ kind: 'reply' });
  const ends = wire.events().filter(({ kind }) => kind === 'failed' || kind === 'reply');
  expect(ends).toHaveLength(2);
  const log = await readLog(user, session);
  const pages = await readPages(user, session);
  expect(checkHistory({ session, log, clients: [wire.recording], atRest: true, rows: null, pages })).toEqual([]);
  wire.close();
  if (outcome.kind !== 'failed') throw new Error(`the turn ended with ${outcome.kind}`);
  // A person reads this: one sentence, without addresses or stacks.
  expect(outcome.message).toMatch(/^[A-Z][^\n]{10,300}$/);
  return { code: outcome.code, text: outcome.text };
}

const answers = (code: TurnErrorCode): { code: TurnErrorCode; text: unknown } => ({ code, text: '' });
const breaksOff = (code: TurnErrorCode) => ({ code, text: expect.stringMatching(/^\*\*Simulated/) });

test.concurrent.each<[string, { code: TurnErrorCode; text: unknown }]>([
  ['status:401', answers('endpoint_unauthorized')],
  ['status:403', answers('endpoint_unauthorized')],
  ['status:404:model gone not found', answers('model_not_found')],
  ['status:500', answers('endpoint_error')],
  ['status:503', answers('endpoint_busy')],
  ['redirect', answers('endpoint_redirected')],
  ['html', answers('endpoint_not_json')],
  ['content-type', answers('endpoint_not_json')],
  ['empty', answers('answer_incomplete')],
  ['no-headers', answers('first_token_timeout')],
  ['stall', answers('first_token_timeout')],
  ['stall@3', breaksOff('idle_timeout')],
  ['cut@3', breaksOff('answer_incomplete')],
  ['cut-line@3', breaksOff('answer_incomplete')],
  ['reset@3', breaksOff('answer_incomplete')],
  ['error@3:the runner died', breaksOff('model_error')],
  ['garbage@3', breaksOff('answer_malformed')],
  ['huge@3:10000000', breaksOff('line_too_long')],
])('a model that does %s', async (fault, expected) => {
  const session = await user.session();
  const result = await failThenGoOn(session, `Fail [[sim tokens=8 tokenMs=20 fault="${fault}"]]`, '');
  expect(result).toEqual(expected);
});

test.concurrent('an answer that takes too long in all', async () => {
  const session = await user.session();
  const question = 'Slowly [[sim tokens=1000 tokenMs=100]]';
  expect(await failThenGoOn(session, question, '')).toEqual(breaksOff('total_timeout'));
});

test.concurrent.each<[string, TurnErrorCode]>([
  ['nowhere', 'endpoint_unreachable'],
  ['silent', 'connect_timeout'],
  ['unknown-model', 'model_not_found'],
  ['no-ai', 'bot_unavailable'],
])('the bot "%s" fails with %s, and the session goes on with another bot', async (bot, code) => {
  const session = await user.session({ bot });
  expect(await failThenGoOn(session, 'Hello?', 'default')).toEqual(answers(code));
});

test.concurrent('a refusal that passes is tried again before the first token', async () => {
  const wire = await user.join(await user.session());
  const { seq } = await wire.ask('a', 'Try again [[sim fault=status:503 faultTimes=1]]');
  expect(await wire.outcome(seq)).toMatchObject({ kind: 'reply', attempt: 1 });
  wire.close();
});

test('an endpoint that redirects is not followed', async () => {
  const response = await fetch(`${server.simulator.url}/simulator/requests?last=50`);
  const seen = await response.text();
  expect(seen).toContain('/api/chat');
  expect(seen).not.toContain('"path":"/simulator/elsewhere"');
});
