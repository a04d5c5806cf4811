/**
 * The product with counters at the platform's doors: what a deployment would be billed for. The
 * counting adds well under a microsecond to a call; nothing of the product knows it. For the load lab.
 */
import type { D1Database, D1Result } from '@cloudflare/workers-types';
import type { Bindings } from '../../../src/env.ts';
import worker, {
  Bot as RealBot,
  ChatSession as RealChatSession,
  HistoryWriter as RealHistoryWriter,
} from '../../../src/worker.ts';
import { heldMs, Hold } from './hold.ts';

const PATH = '/load/counters';
/** Not requests, or counted by themselves. */
const UNCOUNTED = new Set(['constructor', 'attend', 'alarm', 'webSocketMessage', 'webSocketClose', 'webSocketError']);
/** A session that works sets its alarm for no later than this, in case its process ends; one that sleeps for later. */
const AWAKE_ALARM_MS = 5_000;

/** One isolate runs the Worker and its objects, so these reach both. */
const counters = {
  /** Requests to the Worker. */
  workerRequests: 0,
  /** Requests to objects: calls, upgrades and alarms; frames are counted apart, they cost a twentieth. */
  objectRequests: 0,
  frames: 0,
  alarms: 0,
  /** Sessions built: made, or woken. Not bots, which wake by their own clock. */
  built: 0,
  objectRowsWritten: 0,
  objectRowsRead: 0,
  historyRowsWritten: 0,
  historyRowsRead: 0,
};

/** Of sessions. Objects of which there is one for all, a bot's own and the one that writes to D1, are not held against an answer. */
const holds = new WeakMap<object, Hold>();

/** A session's alarm is set when its work begins, and taken back when it is over. */
function holdWhileAlarmed({ storage }: DurableObjectState, hold: Hold): void {
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = (time, options) => {
    hold.working(Number(time) - Date.now() <= AWAKE_ALARM_MS);
    return setAlarm(time, options);
  };
  const deleteAlarm = storage.deleteAlarm.bind(storage);
  storage.deleteAlarm = (options) => {
    hold.working(false);
    return deleteAlarm(options);
  };
}

function countStorage({ storage }: DurableObjectState): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  let before: { rowsRead: number } | null = null;
  sql.exec = <T extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]) => {
    // What a cursor has read is known when its rows were taken: at the latest when the next one is asked for.
    counters.objectRowsRead += before?.rowsRead ?? 0;
    const cursor = exec<T>(query, ...bindings);
    counters.objectRowsWritten += cursor.rowsWritten;
    before = cursor;
    return cursor;
  };
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = (time, options) => {
    counters.objectRowsWritten += 1;
    return setAlarm(time, options);
  };
}

function countHistory(db: D1Database): D1Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === 'batch') {
        return async (statements: Parameters<D1Database['batch']>[0]) => {
          const results: D1Result[] = await target.batch(statements);
          for (const { meta } of results) {
            counters.historyRowsWritten += meta.rows_written;
            counters.historyRowsRead += meta.rows_read;
          }
          return results;
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const countedBindings = new WeakMap<Bindings, Bindings>();

/** The same object for the same bindings: the product keeps what it has parsed of them. */
function counted(env: Bindings): Bindings {
  const known = countedBindings.get(env) ?? { ...env, DB: countHistory(env.DB) };
  countedBindings.set(env, known);
  return known;
}

/** Counts every call of the platform's doors to objects of a class, whatever they are called: none can be forgotten. */
function countCalls(product: { prototype: object }, counting: { prototype: object }): void {
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(product.prototype))) {
    if (typeof value !== 'function' || UNCOUNTED.has(name)) continue;
    Object.defineProperty(counting.prototype, name, {
      configurable: true,
      value(this: object, ...args: unknown[]): unknown {
        counters.objectRequests += 1;
        const call = (): unknown => Reflect.apply(value, this, args);
        const hold = holds.get(this);
        return hold ? hold.during(call) : call();
      },
    });
  }
}

function countAlarm(): void {
  counters.objectRequests += 1;
  counters.alarms += 1;
}

export class ChatSession extends RealChatSession {
  readonly #hold: Hold;

  constructor(ctx: DurableObjectState, env: Bindings) {
    counters.built += 1;
    countStorage(ctx);
    const hold = new Hold();
    holdWhileAlarmed(ctx, hold);
    super(ctx, counted(env));
    this.#hold = hold;
    holds.set(this, hold);
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    counters.frames += 1;
    super.webSocketMessage(socket, data);
  }

  override alarm(): Promise<void> {
    countAlarm();
    // It went off: from here on its handler looks after the work.
    this.#hold.working(false);
    return this.#hold.during(() => super.alarm());
  }
}

export class Bot extends RealBot {
  constructor(ctx: DurableObjectState, env: Bindings) {
    countStorage(ctx);
    super(ctx, counted(env));
  }

  override attend(...args: Parameters<RealBot['attend']>): ReturnType<RealBot['attend']> {
    counters.objectRequests += 1;
    return super.attend(...args);
  }

  override alarm(): Promise<void> {
    countAlarm();
    return super.alarm();
  }
}

export class HistoryWriter extends RealHistoryWriter {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, counted(env));
  }
}

countCalls(RealChatSession, ChatSession);
countCalls(RealBot, Bot);
countCalls(RealHistoryWriter, HistoryWriter);

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === PATH) return Response.json({ ...counters, heldMs: heldMs() });
    counters.workerRequests += 1;
    return worker.fetch(request, counted(env), context);
  },
  scheduled: worker.scheduled,
} satisfies ExportedHandler<Bindings>;
