/** Somebody whose client reaches the real server through a network that the test breaks, and a tab beside it that does not. */
import { expect, type TestContext } from 'vitest';
import type { SessionClient, SessionView } from '../../src/client/types.ts';
import { PING_INTERVAL_MS } from '../../src/protocol/limits.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { PING_TEXT } from '../../src/protocol/server-frames.ts';
import { checkHistory, type SessionHistory } from '../support/history-checker.ts';
import { eventually, readLog, readPages } from '../support/observe.ts';
import type { RealServer } from '../support/real-server.ts';
import type { ClientRecording } from '../support/recording.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { User } from '../support/user.ts';
import type { Wire } from '../support/wire.ts';

const REST_TIMEOUT_MS = 15_000;

type Reply = Extract<LogRecord, { kind: 'reply' }>;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves with the time (performance.now) at which it held. */
export async function until(what: string, holds: () => boolean, timeoutMs = REST_TIMEOUT_MS): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never ${what}`);
    await pause(5);
  }
  return performance.now();
}

export class Traveller {
  readonly proxy: TcpProxy;
  readonly client: SessionClient;
  /** Straight to the server; pings as clients do. */
  readonly watcher: Wire;
  /** Ids in the order of sending. */
  readonly sent: string[] = [];
  readonly #user: User;
  readonly #session: string;
  readonly #recording: ClientRecording;

  private constructor(user: User, session: string, proxy: TcpProxy, watcher: Wire) {
    const through = new User(() => proxy.url);
    through.cookie = user.cookie;
    const { client, recording } = through.client(session, 'client');
    this.#user = user;
    this.#session = session;
    this.proxy = proxy;
    this.watcher = watcher;
    this.client = client;
    this.#recording = recording;
  }

  /**
   * Connected and welcomed, through a network that is as `prepare` makes it. Gone at the end of the
   * test: the one that the context names, since several run at once.
   */
  static async start(
    server: RealServer,
    { onTestFinished }: TestContext,
    prepare: (proxy: TcpProxy) => void = () => {},
  ): Promise<Traveller> {
    const user = server.user();
    const session = await user.session();
    const proxy = await TcpProxy.start(server.baseUrl);
    prepare(proxy);
    const watcher = await user.join(session);
    const pings = setInterval(() => watcher.raw(PING_TEXT), PING_INTERVAL_MS);
    const traveller = new Traveller(user, session, proxy, watcher);
    onTestFinished(async () => {
      clearInterval(pings);
      traveller.client.close();
      watcher.drop();
      await proxy.close();
    });
    await until('welcomed', () => traveller.view.connection === 'live');
    return traveller;
  }

  get view(): SessionView {
    return this.client.view;
  }

  get connections(): number {
    return this.#recording.connections.length;
  }

  async send(text: string): Promise<void> {
    this.sent.push(await this.client.send(text));
  }

  /** Asks for an answer that takes so long, and waits until some of it is read. */
  async listen(tokens: number, tokenMs: number): Promise<void> {
    // Characters of two to four bytes, cut by the model between its writes.
    await this.send(`Tell 👩‍🚀 a long story é [[sim tokens=${tokens} tokenMs=${tokenMs} fault=split-utf8]]`);
    await until('answering', () => (this.view.running?.text.length ?? 0) > 10);
  }

  /** The client as all of its connections together joined a turn's pieces, by the one rule. */
  joined(turn: number): string {
    let text = '';
    for (const { frame } of this.#recording.connections.flatMap(({ frames }) => frames)) {
      if (frame.type !== 'delta' || frame.turn !== turn || frame.channel !== 'text') continue;
      text = text.slice(0, frame.offset) + frame.text;
    }
    return text;
  }

  get atRest(): boolean {
    const { connection, pending, queue, messages } = this.view;
    const isIdle = connection === 'live' && pending.length === 0 && !queue.running && queue.waiting.length === 0;
    return isIdle && messages.length >= 2 * this.sent.length;
  }

  /** What a failed test says. */
  get state(): string {
    const { connection, retryAt, lastError, pending, queue, messages } = this.view;
    const waits = `${pending.length} pending, ${queue.waiting.length} wait, ${queue.running ? 'one runs' : 'none runs'}`;
    const network = `${this.proxy.acceptedAt.length} connections, ${this.proxy.open} open`;
    const error = JSON.stringify(lastError);
    return `${connection} (retry at ${retryAt}, ${error}), ${waits}, ${messages.length} messages, ${network}`;
  }

  /** For the checker, once everything is at rest. */
  async history(): Promise<SessionHistory> {
    const log = await readLog(this.#user, this.#session);
    const lastSeq = log.at(-1)?.seq ?? 0;
    await this.watcher.frame('event', ({ seq }) => seq === lastSeq);
    const pages = await readPages(this.#user, this.#session);
    const { messages, olderBefore } = this.view;
    const views = [{ name: 'client', messages, olderBefore }];
    const clients = [this.#recording, this.watcher.recording];
    return { session: this.#session, log, clients, atRest: true, rows: null, pages, views };
  }

  /** How many connections the watcher is told of, once it is told of so many. */
  async toldOfTabs(count: number, timeoutMs: number): Promise<number> {
    const read = async (): Promise<number> => {
      const told = this.watcher.received.findLast((frame) => frame.type === 'presence');
      return told?.type === 'presence' ? told.tabs : 0;
    };
    return eventually(read, (tabs) => tabs === count, timeoutMs);
  }
}

/**
 * What every fault has to leave behind: each message once, in its order (S1, S2), answered (S8);
 * what is shown is the log (S15); pieces add up to the reply, here and for the other tab (S16).
 */
export async function expectNothingLost(traveller: Traveller): Promise<Reply[]> {
  await until('at rest', () => traveller.atRest).catch(() => expect(traveller.state).toBe('at rest'));
  const history = await traveller.history();
  const ids = history.log.flatMap((record) => (record.kind === 'message' ? [record.id] : []));
  expect(ids).toEqual(traveller.sent);
  const replies = history.log.filter((record) => record.kind === 'reply');
  expect(replies).toHaveLength(ids.length);
  for (const { turn, attempt, text } of replies) expect(traveller.watcher.joined(turn, attempt)).toBe(text);
  expect(checkHistory(history)).toEqual([]);
  return replies;
}
