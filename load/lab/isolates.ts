/**
 * The isolates of a runtime, through its inspector: the Worker's own and those of the runtime itself, the local D1's
 * among them. What a process takes is in part garbage that each of them will collect some time; what it takes soon
 * after they were asked to collect is in use.
 */
import type { WebSocket } from 'ws';
import * as z from 'zod/mini';
import { openSocket } from '../socket-user.ts';

const targets = z.array(z.object({ webSocketDebuggerUrl: z.string() }));
/** One that refuses has no `result`: it has not collected. */
const collected = z.object({ id: z.number(), result: z.record(z.string(), z.unknown()) });

interface Isolate {
  socket: WebSocket;
  /** Of the request that it has not answered; null: none. */
  asked: number | null;
}

export class Isolates {
  readonly #isolates: readonly Isolate[];
  #requests = 0;

  private constructor(sockets: readonly WebSocket[]) {
    this.#isolates = sockets.map((socket) => {
      const isolate: Isolate = { socket, asked: null };
      socket.onmessage = ({ data }) => {
        if (typeof data !== 'string') return;
        const { data: answer } = collected.safeParse(JSON.parse(data));
        if (answer && answer.id === isolate.asked) isolate.asked = null;
      };
      return isolate;
    });
  }

  /** @param inspector the runtime's, see Miniflare's `getInspectorURL` */
  static async connect(inspector: URL): Promise<Isolates> {
    const list = new URL('/json', inspector);
    list.protocol = 'http:';
    const found = targets.parse(await (await fetch(list)).json());
    return new Isolates(await Promise.all(found.map(({ webSocketDebuggerUrl }) => openSocket(webSocketDebuggerUrl))));
  }

  /** How many have not collected yet since they were asked. */
  get waiting(): number {
    return this.#isolates.filter(({ asked }) => asked !== null).length;
  }

  /** Asks all to collect. Each does when it runs next; one that does not run makes no garbage either. */
  collect(): void {
    for (const isolate of this.#isolates) {
      if (isolate.asked !== null) continue;
      this.#requests += 1;
      isolate.asked = this.#requests;
      isolate.socket.send(JSON.stringify({ id: isolate.asked, method: 'HeapProfiler.collectGarbage' }));
    }
  }

  async stop(): Promise<void> {
    for (const { socket } of this.#isolates) socket.terminate();
  }
}
