/** The peers' users against their servers, and what is counted after a crash: an accusation has to be true. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Told } from '../../load/check.ts';
import type { Exchange } from '../../load/driver.ts';
import { startModel, type StartedModel } from '../../load/lab/servers.ts';
import { AiChatServer } from '../../load/peers/ai-chat-server.ts';
import { countCrash } from '../../load/peers/crash.ts';
import { PEERS } from '../../load/peers/install.ts';
import type { PeerServer } from '../../load/peers/peer.ts';
import type { SocketUser } from '../../load/socket-user.ts';
import { PlainServer } from '../../load/peers/plain-server.ts';
import { AI_CHAT_KIND, PLAIN_KIND, type PeerKind } from '../../load/peers/subjects.ts';

const TOKENS = 5;
/** They are not installed with the product: the comparison does it when it is run. */
const isInstalled = existsSync(join(PEERS, 'node_modules/agents'));

async function ask(
  user: SocketUser,
  id: string,
  text: string,
): Promise<{ reply: string; tokens: number; acks: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let [tokens, acks] = [0, 0];
  user.listen({
    acknowledged: () => void (acks += 1),
    firstToken: () => void (tokens += 1),
    replied: (_, reply, problem) => (problem === null ? resolve(reply) : reject(new Error(problem))),
    gone: (problem) => reject(new Error(problem)),
  });
  user.send(id, text);
  return { reply: await promise, tokens, acks };
}

let model: StartedModel;
beforeAll(async () => {
  model = await startModel({ tokens: TOKENS, tokensPerWrite: 1 });
}, 30_000);
afterAll(() => model.stop());

async function keepsOverKill(server: PeerServer, { connect, history }: PeerKind, acks: number): Promise<void> {
  try {
    const user = await connect(server.url, 'one');
    const first = await ask(user, '0.0', '#0.0 one');
    const second = await ask(user, '0.1', '#0.1 two');
    expect(first).toMatchObject({ tokens: 1, acks });
    await server.kill();
    await server.restart();
    const told = await history(server.url, 'one');
    expect(told.map(({ role, text }) => [role, text])).toEqual([
      ['user', '#0.0 one'],
      ['bot', first.reply],
      ['user', '#0.1 two'],
      ['bot', second.reply],
    ]);
    expect(told.map(({ turn }) => turn)).toEqual([told[0]?.seq, told[0]?.seq, told[2]?.seq, told[2]?.seq]);
    expect(await history(server.url, 'another')).toEqual([]);
  } finally {
    await server.stop();
  }
}

test('plain Node: acknowledges, answers, and has it all after SIGKILL', { timeout: 30_000 }, async () => {
  await keepsOverKill(await PlainServer.start(model.url, tmpdir()), PLAIN_KIND, 1);
});

test.runIf(isInstalled)('AIChatAgent: answers, and has it all after SIGKILL', { timeout: 60_000 }, async () => {
  await keepsOverKill(await AiChatServer.start(model.url, tmpdir()), AI_CHAT_KIND, 0);
});

describe('what a crash left', () => {
  const WHOLE = 'one two three';
  const exchange = (id: string, more: Partial<Exchange> = {}): Exchange => {
    return { id, text: id, ackMs: null, firstMs: null, replyMs: null, reply: null, problem: null, ...more };
  };
  const asked = (seq: number, id: string): Told => ({ seq, turn: seq, role: 'user', id, text: id, status: 'accepted' });
  const answer = (seq: number, turn: number, text: string): Told => {
    return { seq, turn, role: 'bot', id: '', text, status: 'complete' };
  };
  const done = exchange('a', { ackMs: 1, replyMs: 2, reply: WHOLE });
  const base = [asked(1, 'a'), answer(2, 1, WHOLE)];
  const count = (open: Exchange, history: Told[]) => countCrash([[done, open]], [[...base, ...history]]);
  const none = { sent: 2, acknowledgedLost: 0, missing: 0, unanswered: 0, repliesLost: 0, doubled: 0 };

  test('nothing is lost where everything stands', () => {
    expect(count(exchange('b'), [asked(3, 'b'), answer(4, 3, WHOLE)])).toEqual(none);
  });
  test('a message that is nowhere is missing; acknowledged, it is a broken promise', () => {
    expect(count(exchange('b'), [])).toEqual({ ...none, missing: 1 });
    expect(count(exchange('b', { ackMs: 1 }), [])).toEqual({ ...none, missing: 1, acknowledgedLost: 1 });
  });
  test('a piece of an answer is none', () => {
    expect(count(exchange('b'), [asked(3, 'b'), answer(4, 3, 'one')])).toEqual({ ...none, unanswered: 1 });
  });
  test('an answer that was seen and is another one is lost', () => {
    const seen = exchange('b', { replyMs: 2, reply: 'x y z' });
    expect(count(seen, [asked(3, 'b'), answer(4, 3, WHOLE)])).toEqual({ ...none, repliesLost: 1 });
  });
  test('two answers to one message are one too many', () => {
    const history = [asked(3, 'b'), answer(4, 3, WHOLE), answer(5, 3, WHOLE)];
    expect(count(exchange('b'), history)).toEqual({ ...none, doubled: 1 });
  });
});
