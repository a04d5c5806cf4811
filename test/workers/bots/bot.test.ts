/// <reference types="@cloudflare/vitest-plugin/types" />
/** The Bot object in the real runtime: real storage, alarms and D1; rules of src/bots/SPEC.md are quoted as B1, B2, ... */
import { applyD1Migrations, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bot } from '../../../src/objects/bot.ts';
import type { BotView, SessionCall, TurnClaim } from '../../../src/objects/bot-rpc.ts';
import type { Result } from '../../../src/objects/session-rpc.ts';

declare global {
  namespace Cloudflare {
    interface Env {
      CONTROL: DurableObjectNamespace<Bot>;
    }
  }
}

const REF = { id: 'default', name: 'Assistant', model: 'llama3.2' };

/** An endpoint that is there until a test says otherwise. */
const endpoint = { up: true, calls: [] as string[] };
let made = 0;

beforeEach(async () => {
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
  endpoint.up = true;
  endpoint.calls = [];
  vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
    endpoint.calls.push(`${init?.method ?? 'GET'} ${new URL(url).pathname}`);
    if (!endpoint.up) throw new TypeError('connection refused');
    return Response.json(url.endsWith('/api/version') ? { version: '0.12.0' } : { model: 'm', done: true });
  });
});
afterEach(() => vi.unstubAllGlobals());

function newBot(): { id: string; stub: DurableObjectStub<Bot> } {
  made += 1;
  const id = `bot-${made}`;
  return { id, stub: env.CONTROL.getByName(id) };
}

async function launched(fields: Record<string, unknown> = {}): Promise<{ id: string; stub: DurableObjectStub<Bot> }> {
  const bot = newBot();
  await bot.stub.create('token', { id: bot.id, name: 'Bot', kind: 'ollama', options: {}, ...fields });
  await bot.stub.act('token', null, 'launch');
  await vi.waitFor(async () => expect(valueOf(await bot.stub.view(null)).state).toBe('running'));
  return bot;
}

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.code);
  return result.value;
}

function callOf(session: string, claim: Partial<TurnClaim> | null, more: Partial<SessionCall> = {}): SessionCall {
  return {
    session,
    user: `u_${session}`,
    bot: REF,
    claim: claim && { turn: 1, attempt: 1, priority: 0, phase: 'waiting', progressed: false, ...claim },
    ended: [],
    connections: 0,
    rowsWritten: 0,
    undeliveredMs: 0,
    restarts: 0,
    silentCloses: 0,
    revision: -1,
    ...more,
  };
}

describe('a bot in the real runtime', () => {
  it('B1: a configured bot runs from the start, and looking at it writes nothing', async () => {
    const stub = env.CONTROL.getByName('default');
    const view: BotView = valueOf(await stub.view(REF));
    expect(view).toMatchObject({ id: 'default', state: 'running', revision: 0, spec: null });
    const tables = await runInDurableObject(stub, (_, { storage }) =>
      storage.sql.exec(`SELECT name FROM sqlite_master WHERE name = 'bot'`).toArray(),
    );
    expect(tables).toEqual([]);
    expect(await stub.attend(callOf('s1', {}))).toMatchObject({ do: 'go', revision: 0, spec: null, leaseMs: null });
  });

  it('B2: a bot that is made is stopped; a launch asks its endpoint, loads its model, and it runs', async () => {
    const { stub } = await launched();
    await vi.waitFor(() => expect(endpoint.calls).toContain('POST /api/chat'));
    expect(endpoint.calls[0]).toBe('GET /api/version');
    const stored = env.DB.prepare('SELECT state FROM bots WHERE id = ?').bind('bot-1');
    await vi.waitFor(async () => expect((await stored.all()).results.length).toBe(1));
    expect((await stub.verify()).brokenAt).toBeNull();
  });

  it('B6: 1,000 launches at once are one entry in the log', async () => {
    const { stub } = await launched();
    await Promise.all(Array.from({ length: 1_000 }, () => stub.act('token', null, 'launch')));
    expect((await stub.verify()).entries).toBe(2);
  });

  it('B10: never more turns than slots, also after the object left memory', async () => {
    const { stub } = await launched({ concurrency: 2 });
    const answers = [];
    for (const session of ['a', 'b', 'c', 'd']) answers.push((await stub.attend(callOf(session, {}))).do);
    expect(answers).toEqual(['go', 'go', 'wait', 'wait']);
    await evictDurableObject(stub);
    expect(await stub.attend(callOf('c', {}))).toMatchObject({ do: 'wait', reason: 'line', place: 1 });
    expect(await stub.attend(callOf('a', { phase: 'running' }))).toMatchObject({ do: 'go' });
  });
});
