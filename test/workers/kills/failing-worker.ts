/**
 * The shipped Worker with places at which its process can end. Nothing of the product is changed:
 * what it calls of the platform is wrapped, and only the place that this process is to end at does
 * anything.
 */
import shipped, { ChatSession as Shipped } from '../../../src/worker.ts';
import type { Bindings } from '../../../src/env.ts';
import { ALARM_PUT_OFF, type Failpoint, type Statement } from '../../kills/failpoints.ts';
import { arm, isArmed, reach } from './failpoint.ts';

export { Bot, HistoryWriter } from '../../../src/worker.ts';

interface KillBindings extends Bindings {
  FAILPOINT?: string | null;
}

/** Lets what was just sent leave the process before it ends. */
const LEAVE_MS = 1;

/** What `wrapSockets` is for. */
const AT_SOCKETS: readonly Failpoint[] = ['ack.withheld', 'ack.sent', 'welcome.sent', 'delta.first', 'delta.later'];

/** The storage that was written to last: the one whose commit an acknowledgement waits for. */
let written: DurableObjectStorage | null = null;
/** Once in a process. */
let wrapped = false;

export class ChatSession extends Shipped {
  readonly #alarm: AlarmWatch;

  constructor(ctx: DurableObjectState, env: KillBindings) {
    arm(env.FAILPOINT ?? null);
    reach('object.open');
    if (!wrapped) {
      wrapped = true;
      wrapDatabase(env.DB);
      wrapSockets();
      wrapModel();
    }
    const alarm = new AlarmWatch(ctx.storage);
    wrapStorage(ctx.storage);
    super(ctx, env);
    this.#alarm = alarm;
  }

  override async alarm(): Promise<void> {
    this.#alarm.cleared();
    reach('alarm.start');
    await super.alarm();
  }
}

export default {
  fetch: (request, env, context) => shipped.fetch(request, env, context),
} satisfies ExportedHandler<KillBindings>;

/**
 * Says when an alarm that is due is moved to later: a turn that a crash cut off waits for it, and if every
 * start moved it nobody would begin that turn again. One that was taken back, its work being over, is not due any
 * more, though the runtime, which hears of that later, may still let it go off and log that it was cancelled.
 */
class AlarmWatch {
  /** When the alarm is due (ms since 1970); null when none is set. In the order of the calls. */
  #dueAt: Promise<number | null>;

  constructor(storage: DurableObjectStorage) {
    this.#dueAt = storage.getAlarm();
    const setAlarm = storage.setAlarm.bind(storage);
    replace(storage, 'setAlarm', (at: number) => {
      const now = Date.now();
      this.#dueAt = this.#dueAt.then((dueAt) => {
        if (dueAt !== null && dueAt <= now && at > dueAt) console.log(`${ALARM_PUT_OFF} by ${at - dueAt} ms`);
        return at;
      });
      return setAlarm(at);
    });
    const deleteAll = storage.deleteAll.bind(storage);
    replace(storage, 'deleteAll', async () => {
      this.cleared();
      await deleteAll();
    });
    const deleteAlarm = storage.deleteAlarm.bind(storage);
    replace(storage, 'deleteAlarm', () => {
      this.cleared();
      return deleteAlarm();
    });
  }

  /** The alarm goes off, or was taken back: none is set. */
  cleared(): void {
    this.#dueAt = this.#dueAt.then(() => null);
  }
}

/** Which of the statements worth dying at this is. */
function statementOf(query: string, bindings: readonly unknown[]): Statement | null {
  if (query.startsWith('INSERT INTO log')) {
    const [, , kind] = bindings;
    return kind === 'created' || kind === 'message' || kind === 'restarted' || kind === 'reply' ? kind : null;
  }
  if (query.startsWith('UPDATE session SET delivered')) return 'delivered';
  return query.startsWith('UPDATE session SET removed') ? 'removed' : null;
}

function wrapStorage(storage: DurableObjectStorage): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  replace(sql, 'exec', (query: string, ...bindings: unknown[]) => {
    const statement = statementOf(query, bindings);
    if (statement === null) return exec(query, ...bindings);
    reach(`${statement}.before`);
    const cursor = exec(query, ...bindings);
    written = storage;
    reach(`${statement}.written`);
    if (isArmed(`${statement}.committed`)) void storage.sync().then(() => reach(`${statement}.committed`));
    return cursor;
  });
  const setAlarm = storage.setAlarm.bind(storage);
  replace(storage, 'setAlarm', (at: number) => {
    const set = setAlarm(at);
    reach('alarm.set');
    return set;
  });
  const deleteAlarm = storage.deleteAlarm.bind(storage);
  replace(storage, 'deleteAlarm', () => {
    const cleared = deleteAlarm();
    reach('alarm.cleared');
    return cleared;
  });
  const deleteAll = storage.deleteAll.bind(storage);
  replace(storage, 'deleteAll', async () => {
    reach('destroy.before');
    await deleteAll();
    reach('destroy.done');
  });
}

function wrapDatabase(db: D1Database): void {
  let next: 'delivery' | 'forget' = 'delivery';
  const prepare = db.prepare.bind(db);
  const batch = db.batch.bind(db);
  replace(db, 'prepare', (query: string) => {
    if (query.includes('INTO removed_sessions')) next = 'forget';
    return prepare(query);
  });
  replace(db, 'batch', async (statements: D1PreparedStatement[]) => {
    const what = next;
    next = 'delivery';
    reach(`${what}.before`);
    const results = await batch(statements);
    reach(`${what}.applied`);
    return results;
  });
}

function wrapSockets(): void {
  // To look into every frame is a good part of the work of sending it.
  if (!AT_SOCKETS.some(isArmed)) return;
  const send = WebSocket.prototype.send;
  replace(WebSocket.prototype, 'send', function (this: WebSocket, data: string) {
    const frame: unknown = JSON.parse(data);
    const type = typeof frame === 'object' && frame !== null && 'type' in frame ? frame.type : '';
    if (type === 'ack' && isArmed('ack.withheld')) {
      void written?.sync().then(() => reach('ack.withheld'));
      return;
    }
    send.call(this, data);
    if (type === 'ack' && isArmed('ack.sent')) {
      void written?.sync().then(() => setTimeout(() => reach('ack.sent'), LEAVE_MS));
    }
    if (type === 'welcome') setTimeout(() => reach('welcome.sent'), LEAVE_MS);
    if (type !== 'delta') return;
    const isFirst = typeof frame === 'object' && frame !== null && 'offset' in frame && frame.offset === 0;
    setTimeout(() => reach(isFirst ? 'delta.first' : 'delta.later'), LEAVE_MS);
  });
}

function wrapModel(): void {
  const ask = globalThis.fetch;
  replace(globalThis, 'fetch', async (...call: Parameters<typeof fetch>) => {
    if (isArmed('model.before')) {
      // The acknowledgement leaves, the question does not.
      await written?.sync();
      await new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
      reach('model.before');
    }
    const response = await ask(...call);
    reach('model.answered');
    return response;
  });
}

function replace(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}
