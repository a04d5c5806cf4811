/** Bots for tests of the server: the real runtimes over SQLite in memory, and what they wrote to D1. */
import { readBotsOf } from '../support/bot-rows.ts';
import { define } from '../../src/bots/definition.ts';
import { apiKeyFor, ConfigError, type Config } from '../../src/env.ts';
import type { StoredAction, StoredBot } from '../../src/history/bots.ts';
import type { BotRpc, SessionCall } from '../../src/objects/bot-rpc.ts';
import { BotRuntime } from '../../src/objects/bot-runtime.ts';
import { BotStore } from '../../src/objects/bot-store.ts';
import { TurnFailure } from '../../src/responders/port.ts';
import { nodeSql } from '../support/node-sql.ts';

export function botObjects(config: Config, variables: Readonly<Record<string, string>> = {}) {
  const rows = new Map<string, StoredBot>();
  const entries: StoredAction[] = [];
  const runtimes = new Map<string, BotRuntime>();
  const sqls = new Map<string, ReturnType<typeof nodeSql>>();
  const world = { endpointUp: true, d1Up: true, objectsUp: true, probes: [] as string[] };

  function runtimeOf(id: string): BotRuntime {
    if (!world.objectsUp) throw new Error('the object broke');
    const known = runtimes.get(id);
    if (known) return known;
    const sql = nodeSql();
    sqls.set(id, sql);
    const runtime = new BotRuntime(
      new BotStore(sql),
      {
        config,
        now: () => Date.now(),
        setTimer(callback, delayMs) {
          const timer = setTimeout(callback, delayMs).unref();
          return () => clearTimeout(timer);
        },
        setAlarm: () => void setTimeout(() => void runtime.alarm()).unref(),
        clearAlarm: () => undefined,
        define(spec) {
          const key = apiKeyFor(variables, spec, config);
          return key instanceof ConfigError ? null : define(spec, key, config);
        },
        probe: async ({ baseUrl }) => {
          world.probes.push(baseUrl);
          if (!world.endpointUp) throw new TurnFailure('endpoint_error', 'The endpoint says: a private sentence.');
        },
        preload: () => Promise.resolve(),
        wake: () => Promise.resolve(),
        publish: async (row, actions) => {
          if (!world.d1Up) throw new Error('D1 is down');
          rows.set(row.id, row);
          const known = new Set(entries.map(({ bot, seq }) => `${bot} ${seq}`));
          entries.push(...actions.filter(({ bot, seq }) => !known.has(`${bot} ${seq}`)));
        },
        recordAlerts: () => Promise.resolve(),
        deliverAlert: null,
        endLeave: () => undefined,
        startAnew: () => void runtimes.delete(id),
        report: () => undefined,
        note: () => undefined,
      },
      null,
    );
    runtimes.set(id, runtime);
    return runtime;
  }

  /** As calls to an object are: answered later, and failing where the object does. */
  const control = (id: string): BotRpc => ({
    attend: async (call: SessionCall) => runtimeOf(id).attend(call),
    view: async (ref) => runtimeOf(id).view(ref),
    create: async (actor, spec) => settled(runtimeOf(id), runtimeOf(id).create(actor, spec)),
    update: async (actor, ref, patch, revision) =>
      settled(runtimeOf(id), runtimeOf(id).update(actor, ref, patch, revision)),
    act: async (actor, ref, action) => settled(runtimeOf(id), runtimeOf(id).act(actor, ref, action)),
    remove: async (actor, ref) => settled(runtimeOf(id), runtimeOf(id).remove(actor, ref)),
    verify: async () => runtimeOf(id).verify(),
  });

  const alive = () => {
    if (!world.d1Up) throw new Error('D1 is down');
    const listed = [...rows.values()].filter(({ deleted }) => !deleted).sort((a, b) => (a.id < b.id ? -1 : 1));
    return listed.map((row) => ({ ...row, hasSpec: row.spec !== null }));
  };

  return {
    world,
    rows,
    entries,
    runtimes,
    control,
    /** The storage of a bot's object. */
    sqlOf: (id: string) => sqls.get(id),
    stored: async (id: string) => alive().find((row) => row.id === id) ?? null,
    reads: {
      readBots: readBotsOf(alive),
      listDefinitions: async () => alive().flatMap(({ spec }) => spec ?? []),
      listAudit: async ({ bot, limit }: { bot?: string; limit: number }) => ({
        entries: entries
          .filter((entry) => bot === undefined || entry.bot === bot)
          .slice(-limit)
          .toReversed(),
        nextCursor: null,
      }),
      auditHeads: async (after: string, limit: number) =>
        heads()
          .filter(({ bot }) => bot > after)
          .slice(0, limit),
      auditHead: async (bot: string) => heads().filter((head) => head.bot === bot),
    },
  };

  function heads(): { bot: string; seq: number; hash: string }[] {
    const last = new Map(entries.map((entry) => [entry.bot, entry]));
    return [...last.values()]
      .map(({ bot, seq, hash }) => ({ bot, seq, hash }))
      .sort((a, b) => (a.bot < b.bot ? -1 : 1));
  }
}

async function settled<T>(runtime: BotRuntime, result: T): Promise<T> {
  await runtime.settled(100);
  return result;
}
