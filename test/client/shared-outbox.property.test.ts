import fc, { type Scheduler } from 'fast-check';
import { expect, test } from 'vitest';
import { memoryOutbox } from '../../src/client/memory-outbox.ts';
import type { OutboxStore } from '../../src/client/types.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import { FakeSocket, Harness, message, welcome } from './support/fake-server.ts';
import { settle } from './support/virtual-clock.ts';

/** A store shared by tabs, whose every operation takes effect when the scheduler says so. */
function slowStore(scheduler: Scheduler, shared: OutboxStore): OutboxStore {
  const later = async (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
  return {
    load: (session) => later('load').then(() => shared.load(session)),
    put: (session, pending) => later(`put ${pending.id}`).then(() => shared.put(session, pending)),
    remove: (session, id) => later(`remove ${id}`).then(() => shared.remove(session, id)),
    clear: (session) => later('clear').then(() => shared.clear(session)),
  };
}

/** A server that accepts everything once and tells every tab. */
class Server {
  readonly log: string[] = [];
  readonly #read = new Map<FakeSocket, number>();

  greet(socket: FakeSocket, known: number): void {
    this.#read.set(socket, 0);
    socket.say(welcome({ seq: this.log.length, from: known, reset: known === 0 }));
    this.log.slice(known).forEach((id, index) => socket.record(known + index + 1, message(id)));
  }

  /** Reads what the sockets have said since. */
  serve(sockets: readonly FakeSocket[]): void {
    for (const socket of sockets) {
      const read = this.#read.get(socket);
      if (read === undefined) continue;
      this.#read.set(socket, socket.sent.length);
      for (const frame of socket.sent.slice(read)) this.#take(socket, frame);
    }
  }

  forget(socket: FakeSocket): void {
    this.#read.delete(socket);
  }

  #take(socket: FakeSocket, frame: ClientFrame): void {
    if (frame.type !== 'send') return;
    const isNew = !this.log.includes(frame.id);
    if (isNew) this.log.push(frame.id);
    const seq = this.log.indexOf(frame.id) + 1;
    socket.say({ type: 'ack', id: frame.id, seq, position: 0 });
    if (isNew) for (const other of this.#read.keys()) other.record(seq, message(frame.id));
  }
}

class Tab {
  readonly harness: Harness;
  readonly #server: Server;
  #greeted: FakeSocket | null = null;

  constructor(server: Server, store: OutboxStore) {
    this.#server = server;
    this.harness = new Harness({}, store);
  }

  async connect(): Promise<void> {
    if (this.harness.view.connection === 'waiting') this.harness.client.wake();
    const { socket } = this.harness;
    if (this.#greeted === socket) return;
    this.#greeted = socket;
    socket.onopen?.();
    this.#server.greet(socket, socket.of('hello')[0]?.seq ?? 0);
    await settle();
  }

  cut(): void {
    if (!this.#greeted) return;
    this.#server.forget(this.#greeted);
    this.#greeted.shut(1006);
    this.#greeted = null;
  }

  close(): void {
    if (this.#greeted) this.#server.forget(this.#greeted);
    this.harness.client.close();
  }
}

const action = fc.record({
  tab: fc.nat(1),
  do: fc.constantFrom('send', 'send', 'connect', 'connect', 'serve', 'serve', 'cut', 'reopen'),
  steps: fc.nat(3),
});

test('whatever the order in which a shared store works: every stored message is sent, is in the log once, and leaves the store', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(action, { minLength: 10, maxLength: 50, size: 'max' }),
      async (scheduler, actions) => {
        const shared = memoryOutbox();
        const store = (): OutboxStore => slowStore(scheduler, shared);
        const server = new Server();
        const tabs = [new Tab(server, store()), new Tab(server, store())];
        const stored: string[] = [];
        const sockets = (): FakeSocket[] => tabs.flatMap(({ harness }) => harness.sockets);
        let ids = 0;
        for (const { tab: index, do: what, steps } of actions) {
          const tab = tabs[index];
          if (!tab) continue;
          if (what === 'send') {
            const id = `t${index}.${(ids += 1)}`;
            // A tab that closes before the promise resolves has promised nothing.
            void tab.harness.client.send(id, { id }).then(() => stored.push(id));
          } else if (what === 'connect') await tab.connect();
          else if (what === 'serve') server.serve(sockets());
          else if (what === 'cut') tab.cut();
          else {
            tab.close();
            tabs[index] = new Tab(server, store());
          }
          await settle();
          await scheduler.waitNext(Math.min(steps, scheduler.count()));
          await settle();
        }
        await rest(scheduler, server, tabs, sockets);
        const leftBehind = new Tab(server, store());
        tabs.push(leftBehind);
        await rest(scheduler, server, tabs, sockets);
        expect(new Set(server.log).size, 'once').toBe(server.log.length);
        expect(server.log).toEqual(expect.arrayContaining(stored));
        expect(await shared.load('s')).toEqual([]);
        for (const { harness } of tabs) {
          expect(harness.view.pending).toEqual([]);
          expect(harness.view.messages.map(({ id }) => id)).toEqual(server.log);
          harness.client.close();
        }
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);

async function rest(
  scheduler: Scheduler,
  server: Server,
  tabs: readonly Tab[],
  sockets: () => FakeSocket[],
): Promise<void> {
  for (let round = 0; round < 60; round += 1) {
    for (const tab of tabs) await tab.connect();
    server.serve(sockets());
    await settle();
    await scheduler.waitNext(scheduler.count());
    await settle();
  }
}

test('a message that another tab cancelled in the store is not sent by the one that had read it', async () => {
  const shared = memoryOutbox();
  await shared.put('s', { id: 'x', text: 'x', priority: 0, at: 1, refused: null });
  const one = new Harness({}, shared);
  const other = new Harness({}, shared);
  await settle();
  expect(other.view.pending).toHaveLength(1);
  await one.client.cancel('x');
  const socket = await other.live();
  expect(socket.of('send')).toEqual([]);
  expect(other.view.pending).toEqual([]);
});

test('a reload finds what was not acknowledged, in the order in which it was written', async () => {
  const shared = memoryOutbox();
  const before = new Harness({}, shared);
  for (const id of ['c', 'a', 'b']) await before.client.send(id, { id });
  before.client.close();
  const after = new Harness({}, shared);
  await settle();
  expect(after.view.pending.map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  await after.client.send('d', { id: 'd' });
  const socket = await after.live();
  for (const [index, id] of ['c', 'a', 'b', 'd'].entries()) {
    expect(socket.of('send').at(-1)?.id).toBe(id);
    socket.record(index + 1, message(id));
  }
});

test('what was cancelled while the store was being read does not come back with what was read', async () => {
  const shared = memoryOutbox();
  let gate = Promise.resolve();
  const harness = new Harness(
    {},
    {
      ...shared,
      load: async (session) => {
        const found = await shared.load(session);
        await gate;
        return found;
      },
    },
  );
  await harness.client.send('a', { id: 'a' });
  const held = Promise.withResolvers<void>();
  gate = held.promise;
  const socket = await harness.live();
  const cancelled = harness.client.cancel('a');
  held.resolve();
  await cancelled;
  await settle();
  expect(harness.view.pending).toEqual([]);
  expect(socket.of('send')).toEqual([]);
});

test('messages of several tabs go in the order in which they were written, whatever the order of the store', async () => {
  const found = [3, 1, 4].map((at) => ({ id: `x${at}`, text: 'x', priority: 0, at, refused: null }));
  const harness = new Harness({}, { ...memoryOutbox(), load: () => Promise.resolve(found) });
  harness.clock.time = 2;
  await harness.client.send('mine', { id: 'mine' });
  await settle();
  expect(harness.view.pending.map(({ id }) => id)).toEqual(['x1', 'mine', 'x3', 'x4']);
});
