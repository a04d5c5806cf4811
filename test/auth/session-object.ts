/** The Durable Object of a session outside of workerd: its platform is played by `node:sqlite` and stand-ins for sockets. */
import { ChatSession } from 'switchboard:chat-session';
import { UNTIL_HEADER, USER_HEADER } from '../../src/objects/session-rpc.ts';
import { encodeClientFrame } from '../../src/protocol/codec.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import { FakeSocket } from '../support/fake-world.ts';
import { nodeSql } from '../support/node-sql.ts';

/** What workerd has and Node does not; a pair of texts is kept, not looked at. `made` holds the server's end of each pair of sockets. */
const made: FakeSocket[] = [];

class Pair {
  readonly 0 = new FakeSocket();
  readonly 1 = Object.assign(new FakeSocket(), { accept: () => {} });
  constructor() {
    made.push(this[1]);
  }
}

Object.assign(globalThis, { WebSocketPair: Pair, WebSocketRequestResponsePair: Array });

/** The id that the object goes by. */
export const SESSION = `s_${'0'.repeat(32)}`;

const nothing = (): void => {};

export class SessionObject {
  readonly object: ChatSession;
  /** Sockets that the object took over. */
  readonly accepted: FakeSocket[] = [];
  readonly #sql: ReturnType<typeof nodeSql>;

  /** `sockets` outlived an earlier object on the same storage. */
  constructor(sql = nodeSql(), sockets: readonly FakeSocket[] = []) {
    this.#sql = sql;
    const context = {
      id: { name: SESSION },
      storage: {
        sql: { exec: sql.exec.bind(sql) },
        transactionSync: sql.transaction.bind(sql),
        setAlarm: nothing,
        getAlarm: () => Promise.resolve(null),
        deleteAll: () => Promise.resolve(),
      },
      setWebSocketAutoResponse: nothing,
      getWebSocketAutoResponseTimestamp: () => new Date(),
      getWebSockets: () => sockets,
      acceptWebSocket: (socket: FakeSocket) => void this.accepted.push(socket),
      blockConcurrencyWhile: (body: () => Promise<void>) => body(),
    };
    const nobodyThere = { getByName: () => ({ attend: () => new Promise(nothing) }) };
    this.object = new ChatSession(context, {
      SESSION_SECRET: 'a-secret-for-tests-0123456789-012345',
      CONTROL: nobodyThere,
    });
  }

  /** A new object on the same storage, with the sockets of this one. */
  async hibernated(): Promise<SessionObject> {
    const next = new SessionObject(this.#sql, this.accepted);
    await Promise.resolve();
    return next;
  }

  /** A socket for `user`: the object's end of it. What only workerd can answer is not looked at. */
  async connect(user: string, until: number | null): Promise<FakeSocket> {
    const before = made.length;
    const headers = new Headers({ upgrade: 'websocket', [USER_HEADER]: user });
    if (until !== null) headers.set(UNTIL_HEADER, String(until));
    // Node makes no response with status 101.
    await this.object.fetch(new Request('http://session/connect', { headers })).catch(nothing);
    const socket = made[before];
    if (!socket) throw new Error('no socket was made');
    return socket;
  }

  say(socket: FakeSocket, frame: ClientFrame): void {
    this.object.webSocketMessage(socket, encodeClientFrame(frame));
  }
}
