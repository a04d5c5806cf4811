/// <reference types="@cloudflare/vitest-plugin/types" />
/** The object through which sessions write to D1, with a D1 that says nothing, on virtual time. */
import { applyD1Migrations, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Bindings } from '../../../src/env.ts';
import { HistoryWriter } from '../../../src/objects/history-writer.ts';
import type { LogRecord } from '../../../src/protocol/records.ts';

declare global {
  namespace Cloudflare {
    interface Env {
      HISTORY: DurableObjectNamespace<HistoryWriter>;
      ASSETS: Bindings['ASSETS'];
    }
  }
}

/** Sessions give a call up after this long (objects/delivery.ts), and bring the same again. */
const SESSION_GIVES_UP_MS = 40_000;
/** With so much from each of as many sessions hardly anything more fits under the writer's bound of 8 MB. */
const LONG = 500_000;
const SESSIONS = 16;

let isSilent: boolean;

beforeEach(async () => {
  isSilent = true;
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
  vi.useFakeTimers();
  vi.spyOn(console, 'log').mockReturnValue();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** The real one, which does not answer a batch while it is silent. */
function silenced(db: D1Database): D1Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === 'batch' && isSilent) return () => new Promise<never>(() => {});
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const said = (length: number): LogRecord[] => [
  { kind: 'message', id: 'm1', text: 'x'.repeat(length), priority: 0, seq: 1, at: 1 },
];

test('what a silent D1 never answers is given up before its sessions do, and is in nobody’s way then', async () => {
  await runInDurableObject(env.HISTORY.getByName('silent'), async (_, state) => {
    const writer = new HistoryWriter(state, { ...env, DB: silenced(env.DB) });
    const write = (id: string, length: number): Promise<void> => writer.write({ id, user: 'u_ada' }, said(length));
    const outcomes: unknown[] = [];
    const given = [
      write('short', 10),
      ...Array.from({ length: SESSIONS }, (__, index) => write(`long-${index}`, LONG)),
    ].map((call) => call.catch((error: unknown) => outcomes.push(error)));
    await expect(write('refused', LONG)).rejects.toMatchObject({ code: 'unavailable' });

    await vi.advanceTimersByTimeAsync(SESSION_GIVES_UP_MS - 1);
    expect(outcomes).toHaveLength(SESSIONS + 1);
    expect(new Set(outcomes.map(String))).toEqual(new Set(['Error: D1_TIMEOUT: no answer came']));
    await Promise.all(given);

    isSilent = false;
    await write('refused', LONG);
  });
});

test('a D1 that answers leaves no timer behind, which would keep the object awake', async () => {
  isSilent = false;
  await runInDurableObject(env.HISTORY.getByName('well'), async (_, state) => {
    const writer = new HistoryWriter(state, { ...env, DB: silenced(env.DB) });
    await writer.write({ id: 'long', user: 'u_ada' }, said(LONG));
    expect(vi.getTimerCount()).toBe(0);
  });
});
