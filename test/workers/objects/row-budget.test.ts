/// <reference types="@cloudflare/vitest-plugin/types" />
/** What a turn costs in rows written: in the object, where SPEC.md says four, and in D1. Rows are what a deployment pays for. */
import { applyD1Migrations, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ChatSession } from '../../../src/objects/chat-session.ts';
import { UNTIL_HEADER, USER_HEADER } from '../../../src/objects/session-rpc.ts';
import { PROTOCOL_VERSION } from '../../../src/protocol/limits.ts';
import { rowsWritten, sumOfRows } from '../support/written-rows.ts';

declare global {
  namespace Cloudflare {
    interface Env {
      SESSIONS: DurableObjectNamespace<ChatSession>;
    }
  }
}

const OWNER = 'u_owner';
const BOT = { id: 'default', name: 'Assistant', model: 'm' };
const ANSWER_TOKENS = 200;
const TOKEN_MS = 2;
/** Longer than an alarm takes to come, or to find that nothing is left to do. */
const QUIET_MS = 1_500;
const DELIVERED_WITHIN = { timeout: 10_000 };

beforeEach(async () => {
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
  vi.stubGlobal('fetch', () => Promise.resolve(streamedAnswer()));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** What Ollama says: so many tokens, one after the other. */
function streamedAnswer(): Response {
  const encoder = new TextEncoder();
  let sent = 0;
  const body = new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, TOKEN_MS));
      const done = sent === ANSWER_TOKENS;
      const message = { role: 'assistant', content: done ? '' : ` token ${sent}` };
      const end = done ? { done_reason: 'stop', prompt_eval_count: 1, eval_count: ANSWER_TOKENS } : {};
      controller.enqueue(encoder.encode(`${JSON.stringify({ model: 'm', message, done, ...end })}\n`));
      sent += 1;
      if (done) controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
}

interface Counted {
  /** In the object; an alarm that is set counts as one. */
  rows: number;
  /** In D1, and in its search index. */
  historyRows: number;
  indexRows: number;
}

/** Counts what the object writes from now on, at the doors to the platform's storage and to D1. */
async function countWrites(stub: DurableObjectStub<ChatSession>): Promise<() => Counted> {
  let rows = 0;
  await runInDurableObject(stub, (_, { storage }) => {
    const { sql } = storage;
    const exec = sql.exec.bind(sql);
    vi.spyOn(sql, 'exec').mockImplementation((query, ...bindings) => {
      const cursor = exec(query, ...bindings);
      rows += cursor.rowsWritten;
      return cursor;
    });
    const setAlarm = storage.setAlarm.bind(storage);
    vi.spyOn(storage, 'setAlarm').mockImplementation((time, options) => {
      rows += 1;
      return setAlarm(time, options);
    });
  });
  const { mock } = vi.spyOn(env.DB, 'batch');
  return () => {
    const written = mock.calls.map(([statements], call) => {
      const settled = mock.settledResults[call];
      return rowsWritten(statements, settled?.type === 'fulfilled' ? settled.value : []);
    });
    const { rows: historyRows, indexRows } = sumOfRows(written);
    return { rows, historyRows, indexRows };
  };
}

async function quietSession(name: string): Promise<DurableObjectStub<ChatSession>> {
  const stub = env.SESSIONS.getByName(name);
  await stub.create(OWNER, name, { bot: BOT, title: 'A title of its own' });
  await pause(QUIET_MS);
  return stub;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('a turn of 200 tokens: 4 rows in the object, 2 in D1 and 2 in its index, with a tab that reads along', async () => {
  const stub = await quietSession('s_turn');
  const tab = await connect(stub);
  const counted = await countWrites(stub);
  const result = await stub.send(OWNER, { id: 'a', text: 'Hello' }, 20_000);
  expect(result).toMatchObject({ ok: true, value: { reply: { status: 'complete' } } });
  await vi.waitFor(() => expect(counted().indexRows).toBeGreaterThan(0), DELIVERED_WITHIN);
  await pause(QUIET_MS);
  expect(tab.frames.filter((frame) => frame.includes('"delta"')).length).toBeGreaterThan(10);
  expect(counted()).toEqual({ rows: 4, historyRows: 2, indexRows: 2 });
  // A row written is $1 a million, in the object and in D1 alike.
  const { rows, historyRows, indexRows } = counted();
  console.log(
    `rows of a turn: object ${rows}, D1 ${historyRows}, search index ${indexRows}; $${rows + historyRows + indexRows} per million turns`,
  );
});

test('a second turn queued behind the first shares its alarm: 7 rows for both', async () => {
  const stub = await quietSession('s_two');
  const counted = await countWrites(stub);
  await Promise.all(['a', 'b'].map((id) => stub.send(OWNER, { id, text: `Hello ${id}` }, 20_000)));
  await vi.waitFor(() => expect(counted().indexRows).toBe(4), DELIVERED_WITHIN);
  await pause(QUIET_MS);
  expect(counted()).toEqual({ rows: 7, historyRows: 4, indexRows: 4 });
});

test('of four turns, one notes what D1 has: 17 rows', async () => {
  const stub = await quietSession('s_four');
  const counted = await countWrites(stub);
  for (const id of ['a', 'b', 'c', 'd']) {
    await stub.send(OWNER, { id, text: `Hello ${id}` }, 20_000);
    await pause(QUIET_MS);
  }
  expect(counted()).toEqual({ rows: 17, historyRows: 8, indexRows: 8 });
});

test('S2: the same message again writes nothing; a refused one neither', async () => {
  const stub = await quietSession('s_again');
  const before = await countWrites(stub);
  await stub.send(OWNER, { id: 'a', text: 'Hello' }, 20_000);
  await vi.waitFor(() => expect(before().indexRows).toBe(2), DELIVERED_WITHIN);
  await pause(QUIET_MS);
  const known = before();
  expect(await stub.send(OWNER, { id: 'a', text: 'Hello' }, 1_000)).toMatchObject({ ok: true });
  expect(await stub.send(OWNER, { id: 'a', text: 'Other' }, 0)).toMatchObject({ ok: false });
  expect(await stub.send(OWNER, { id: 'b', text: '' }, 0)).toMatchObject({ ok: false });
  await stub.messages(OWNER, { limit: 10 });
  await pause(QUIET_MS);
  expect(before()).toEqual(known);
});

test('S18: connected tabs that do nothing cost no rows and no wake-up', async () => {
  const stub = await quietSession('s_idle');
  const counted = await countWrites(stub);
  const tabs = [await connect(stub), await connect(stub)];
  tabs[0]?.socket.send('{"type":"ping"}');
  tabs[1]?.socket.send('{"type":"typing"}');
  await pause(QUIET_MS);
  tabs[0]?.socket.close(1000);
  await pause(100);
  expect(counted()).toEqual({ rows: 0, historyRows: 0, indexRows: 0 });
  expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).toBeNull();
});

async function connect(stub: DurableObjectStub<ChatSession>): Promise<{ socket: WebSocket; frames: string[] }> {
  const headers = { upgrade: 'websocket', [USER_HEADER]: OWNER, [UNTIL_HEADER]: String(Date.now() + 60_000) };
  const { webSocket: socket } = await stub.fetch('http://object/', { headers });
  if (!socket) throw new Error('the object accepted no socket');
  const frames: string[] = [];
  socket.addEventListener('message', ({ data }) => void frames.push(String(data)));
  socket.accept();
  socket.send(JSON.stringify({ type: 'hello', protocol: PROTOCOL_VERSION }));
  await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0));
  return { socket, frames };
}
