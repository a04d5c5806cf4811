/** The unacknowledged messages of one session, in memory and in the store, kept in step. */
import { ClientError } from './errors.ts';
import { createStoreLine } from './store-line.ts';
import type { Clock, OutboxStore, Pending } from './types.ts';

export interface Entry {
  message: Pending;
  /** `new`: not in the store yet, not shown; `editing`: its new text is not. Only `ready` is sent. */
  state: 'new' | 'editing' | 'ready';
  /** It may have reached the server: on an earlier connection, from an earlier page, from another tab. */
  maybeSent: boolean;
  /** The person changed it after that. */
  edited: boolean;
  /** Its place in the log, once acknowledged; shown until its record arrives. */
  ackedSeq: number | null;
  /** Came from the store: if it vanishes there, another tab has dealt with it. */
  readonly adopted: boolean;
  /** Refusals in a row that would pass. */
  refusals: number;
}

export interface ShelfPorts {
  session: string;
  store: OutboxStore;
  clock: Clock;
  changed(): void;
}

export class Shelf {
  readonly #ports: ShelfPorts;
  readonly #line = createStoreLine();
  /** In the order of sending. */
  #entries: Entry[] = [];
  #shown: readonly Pending[] | null = [];
  #lastAt = 0;
  /** Loads that run, and what left the outbox since they began: their result still has it. */
  #loads = 0;
  readonly #left = new Set<string>();

  constructor(ports: ShelfPorts) {
    this.#ports = ports;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get loading(): boolean {
    return this.#loads > 0;
  }

  /** What the person still has to see as unsent; the same array until it changes. */
  pending(): readonly Pending[] {
    this.#shown ??= this.#entries.filter((entry) => entry.state !== 'new').map((entry) => entry.message);
    return this.#shown;
  }

  changed(): void {
    this.#shown = null;
    this.#ports.changed();
  }

  find(id: string): Entry | undefined {
    return this.#entries.find((entry) => entry.message.id === id);
  }

  mustFind(id: string): Entry {
    const entry = this.find(id);
    if (!entry) throw new ClientError('not_queued', 'That message does not wait any more.');
    return entry;
  }

  /** Stores a new message at the end of the line. */
  async add(id: string, text: string, priority: number): Promise<void> {
    // Strictly rising, so that the order survives the store.
    this.#lastAt = Math.max(this.#ports.clock.now(), this.#lastAt + 1);
    const entry = newEntry({ id, text, priority, at: this.#lastAt, refused: null }, false);
    this.#entries.push(entry);
    try {
      await this.put(entry.message);
      // An edit that came meanwhile makes it ready itself.
      if (entry.state === 'new') entry.state = 'ready';
      this.changed();
    } catch (error) {
      this.forget(entry);
      throw error;
    }
  }

  /** Gives the entry another content; the old one comes back if it cannot be stored. */
  async replace(entry: Entry, message: Pending, edited: boolean): Promise<void> {
    const before = { message: entry.message, edited: entry.edited };
    Object.assign(entry, { message, edited, state: 'editing' });
    this.changed();
    // Where another edit came meanwhile, the rest is that one's.
    const isLast = (): boolean => entry.message === message;
    try {
      await this.put(message);
      if (before.message.id !== message.id) this.erase(before.message.id);
      if (isLast()) entry.state = 'ready';
    } catch (error) {
      if (isLast()) Object.assign(entry, before, { state: 'ready' });
      throw error;
    } finally {
      this.changed();
    }
  }

  /** Resolves when everything asked of the store so far is done. */
  async settled(): Promise<void> {
    await this.#line(() => Promise.resolve());
  }

  async put(message: Pending): Promise<void> {
    const { store, session } = this.#ports;
    try {
      await this.#line(() => store.put(session, message));
    } catch (cause) {
      throw new ClientError('outbox', 'The message could not be stored.', { cause });
    }
  }

  async remove(id: string): Promise<void> {
    const { store, session } = this.#ports;
    if (this.#loads > 0) this.#left.add(id);
    try {
      await this.#line(() => store.remove(session, id));
    } catch (cause) {
      throw new ClientError('outbox', 'The message could not be removed from the store.', { cause });
    }
  }

  /** Removes what the server has. A store that fails keeps it: it is sent again some day, which is harmless. */
  erase(id: string): void {
    this.remove(id).catch(() => {});
  }

  /** Takes the entry out of memory; the store is another matter. */
  forget(entry: Entry): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.changed();
  }

  /** Reads what earlier pages and other tabs left behind; `isDone` says what the server has or must not get. */
  async load(isDone: (id: string) => boolean): Promise<void> {
    const { store, session } = this.#ports;
    this.#loads += 1;
    try {
      this.#merge(await this.#line(() => store.load(session)), isDone);
    } catch {
      // An unreadable store cannot be helped from here; what this tab knows is still sent.
    } finally {
      this.#loads -= 1;
      if (this.#loads === 0) this.#left.clear();
    }
  }

  /** What the store said, put together with what this tab did since it was asked. */
  #merge(stored: readonly Pending[], isDone: (id: string) => boolean): void {
    const found = new Set(stored.map((message) => message.id));
    this.#entries = this.#entries.filter(
      (entry) => !entry.adopted || entry.ackedSeq !== null || found.has(entry.message.id),
    );
    for (const message of stored) {
      const known = this.find(message.id);
      if (known) {
        if (known.adopted && known.state === 'ready' && !known.edited) known.message = message;
      } else if (isDone(message.id)) {
        this.erase(message.id);
      } else if (!this.#left.has(message.id)) {
        this.#entries.push(newEntry(message, true));
      }
    }
    this.#entries.sort((one, other) => one.message.at - other.message.at);
    this.#lastAt = Math.max(this.#lastAt, this.#entries.at(-1)?.message.at ?? 0);
    this.changed();
  }
}

function newEntry(message: Pending, adopted: boolean): Entry {
  const state = adopted ? 'ready' : 'new';
  return { message, state, maybeSent: adopted, edited: false, ackedSeq: null, adopted, refusals: 0 };
}
