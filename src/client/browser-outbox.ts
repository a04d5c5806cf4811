/**
 * The outbox of a browser, in IndexedDB: shared by all tabs, and asked for strict durability, so
 * that a message which `send` accepted is on the disk. (localStorage returns before anything is.)
 * One row per message, so that tabs never write over each other's.
 */
import * as z from 'zod/mini';
import { REQUEST_ERRORS } from '../protocol/codes.ts';
import { memoryOutbox } from './memory-outbox.ts';
import type { OutboxStore, Pending } from './types.ts';

const DATABASE_VERSION = 1;
const STORE = 'pending';
/** Some browsers leave the first open of a page unanswered; a person must not wait for that to send. */
export const OPEN_TIMEOUT_MS = 3_000;

/** What another version of the page may have stored is looked at as anything from outside. */
const row = z.object({
  session: z.string(),
  id: z.string(),
  text: z.string(),
  priority: z.number(),
  at: z.number(),
  refused: z.nullable(z.object({ code: z.enum(REQUEST_ERRORS), message: z.string() })),
});

interface BrowserOutboxOptions {
  /** Name of the database; one per origin is enough. */
  name?: string;
  /** Told once if the browser refuses storage: messages are then kept as long as the page lives. */
  onUnavailable?(error: unknown): void;
}

export function browserOutbox(options: BrowserOutboxOptions = {}): OutboxStore {
  const { name = 'switchboard' } = options;
  let backend: Promise<OutboxStore> | null = null;

  function store(): Promise<OutboxStore> {
    const lost = (): void => {
      backend = null;
    };
    backend ??= openDatabase(name, lost).then(databaseOutbox, (error: unknown) => {
      options.onUnavailable?.(error);
      return memoryOutbox();
    });
    return backend;
  }

  return {
    load: async (session) => (await store()).load(session),
    put: async (session, message) => (await store()).put(session, message),
    remove: async (session, id) => (await store()).remove(session, id),
    clear: async (session) => (await store()).clear(session),
  };
}

/** Opens or makes the database; `lost` is called if the browser takes it away, the next use opens it again. */
function openDatabase(name: string, lost: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, DATABASE_VERSION);
    const timer = setTimeout(() => reject(new Error('The browser did not open its storage.')), OPEN_TIMEOUT_MS);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: ['session', 'id'] });
    };
    request.onerror = () => {
      clearTimeout(timer);
      reject(request.error ?? new Error('The browser refused storage.'));
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      const database = request.result;
      database.onclose = lost;
      // A newer page wants another version, or the site's data is deleted: holding on would block that.
      database.onversionchange = () => {
        database.close();
        lost();
      };
      resolve(database);
    };
  });
}

function databaseOutbox(database: IDBDatabase): OutboxStore {
  /** Resolves when the transaction is complete, which is later than its request's success. */
  function transact<T>(mode: IDBTransactionMode, operate: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode, { durability: 'strict' });
      const request = operate(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('The browser did not store the message.'));
    });
  }

  return {
    async load(session) {
      const rows = await transact<unknown[]>('readonly', (store) => store.getAll(idsOf(session)));
      return rows.flatMap(pendingOf).toSorted((one, other) => one.at - other.at);
    },
    async put(session, message) {
      await transact('readwrite', (store) => store.put({ ...message, session }));
    },
    async remove(session, id) {
      await transact('readwrite', (store) => store.delete([session, id]));
    },
    async clear(session) {
      await transact('readwrite', (store) => store.delete(idsOf(session)));
    },
  };
}

/** All ids of the session: every string sorts before an array. */
function idsOf(session: string): IDBKeyRange {
  return IDBKeyRange.bound([session], [session, []]);
}

function pendingOf(value: unknown): Pending[] {
  const parsed = row.safeParse(value);
  if (!parsed.success) return [];
  const { session: _, ...message } = parsed.data;
  return [message];
}
