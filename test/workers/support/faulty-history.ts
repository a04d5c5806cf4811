/**
 * The Worker with a database that fails when it is told to: the real one behind a switch at
 * `POST /test/d1?state=...`. For tests only; nothing of the product knows it.
 */
import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types';
import type { Bindings } from '../../../src/env.ts';
import worker, {
  Bot as RealBot,
  ChatSession as RealChatSession,
  HistoryWriter as RealHistoryWriter,
} from '../../../src/worker.ts';

/**
 * - `up`: as it is
 * - `down`: every call fails, nothing is written
 * - `lost`: every call is carried out, and then fails: the answer is lost on its way
 * - `silent`: nothing is ever answered
 */
type State = 'up' | 'down' | 'lost' | 'silent';

/** One isolate runs the Worker and its objects, so one variable reaches both. */
let state: State = 'up';
let failures = 0;

async function through<T>(call: () => Promise<T>): Promise<T> {
  if (state === 'up') return call();
  failures += 1;
  if (state === 'silent') return new Promise<never>(() => {});
  if (state === 'lost') await call();
  throw new Error('D1_ERROR: the database is not there');
}

function faultyStatement(statement: D1PreparedStatement): D1PreparedStatement {
  return new Proxy(statement, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...values: unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(value, target, values);
        return name === 'bind' ? faultyStatement(target.bind(...values)) : through(async () => call());
      };
    },
  });
}

/** Statements of a batch have to be the real ones; they are kept beside those that fail by themselves. */
function faulty(db: D1Database): D1Database {
  const real = new WeakMap<object, D1PreparedStatement>();
  const known = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = new Proxy(faultyStatement(statement), {
      get(target, name) {
        if (name === 'bind') return (...values: unknown[]) => known(statement.bind(...values));
        return Reflect.get(target, name, target);
      },
    });
    real.set(wrapped, statement);
    return wrapped;
  };
  return new Proxy(db, {
    get(target, name) {
      if (name === 'prepare') return (query: string) => known(target.prepare(query));
      if (name === 'batch') {
        return (statements: D1PreparedStatement[]) =>
          through(() => target.batch(statements.map((statement) => real.get(statement) ?? statement)));
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const faultyBindings = new WeakMap<Bindings, Bindings>();

function withFaults(env: Bindings): Bindings {
  const known = faultyBindings.get(env) ?? { ...env, DB: faulty(env.DB) };
  faultyBindings.set(env, known);
  return known;
}

export class ChatSession extends RealChatSession {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, withFaults(env));
  }
}

export class Bot extends RealBot {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, withFaults(env));
  }
}

export class HistoryWriter extends RealHistoryWriter {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, withFaults(env));
  }
}

function isState(text: string | null): text is State {
  return text === 'up' || text === 'down' || text === 'lost' || text === 'silent';
}

export default {
  async fetch(request, env, context) {
    const url = new URL(request.url);
    if (url.pathname !== '/test/d1') return worker.fetch(request, withFaults(env), context);
    const wanted = url.searchParams.get('state');
    if (isState(wanted)) state = wanted;
    return Response.json({ state, failures });
  },
} satisfies ExportedHandler<Bindings>;
