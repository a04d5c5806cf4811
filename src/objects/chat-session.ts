/**
 * The Durable Object of one chat session: a shell that hands the platform's sockets, storage,
 * alarm and bindings to the runtime, and its calls to whoever may make them.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Bindings } from '../env.ts';
import { SessionLog } from '../log/session-log.ts';
import { CLOSE } from '../protocol/codes.ts';
import { MAX_TABS } from '../protocol/limits.ts';
import { PING_TEXT, PONG_TEXT, type WireError } from '../protocol/server-frames.ts';
import { textProblem } from '../protocol/text.ts';
import type { BotRef } from '../protocol/values.ts';
import { ObjectPorts } from './object-ports.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import {
  UNTIL_HEADER,
  USER_HEADER,
  type Accepted,
  type MessagePage,
  type Result,
  type SessionPatch,
  type SessionRpc,
  type SessionSummary,
  type SharedPage,
  type ShareRow,
} from './session-rpc.ts';
import { SessionRuntime } from './session-runtime.ts';
import { Shares } from './shares.ts';
import { receive, sendMessage } from './socket-frames.ts';
import type { BotMessage } from '../protocol/transcript.ts';

/** The code that answers a close whose own code only a runtime may use. */
const NORMAL_CLOSE = 1000;
/** From here on close codes are an application's. */
const FIRST_APPLICATION_CLOSE = 3000;
const NOT_FOUND: WireError = { code: 'session_not_found', message: 'There is no such session.', retryable: false };

export class ChatSession extends DurableObject<Bindings> implements SessionRpc {
  #runtime: SessionRuntime<WebSocket> | null = null;
  readonly #ports = new ObjectPorts(this.ctx, this.env, () => (this.#runtime = null));
  readonly #shares = new Shares(this.#ports);

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING_TEXT, PONG_TEXT));
    const log = SessionLog.open(this.#ports);
    if (!log) return;
    // An alarm that is due is delivered as soon as the object is built. Setting it anew here would
    // put it off, and after some ends of the process in a row nobody would begin the turn again.
    void ctx.blockConcurrencyWhile(async () => {
      this.#runtime = this.#start(log, await ctx.storage.getAlarm());
    });
  }

  #start(log: SessionLog, alarmAt: number | null): SessionRuntime<WebSocket> {
    return new SessionRuntime(log, this.#ports, this.ctx.getWebSockets(), crypto.randomUUID(), alarmAt);
  }

  /** The runtime on behalf of `user`, or null where to this user there is no session. */
  #for(user: string): SessionRuntime<WebSocket> | null {
    const runtime = this.#runtime;
    return runtime && !runtime.removed && runtime.owner === user ? runtime : null;
  }

  async create(user: string, id: string, settings: { bot: BotRef; title: string }): Promise<Result<SessionSummary>> {
    this.#runtime ??= this.#start(SessionLog.create(this.#ports, id, user), null);
    const runtime = this.#for(user);
    if (!runtime) return { ok: false, error: NOT_FOUND };
    runtime.dispatch({ type: 'create', ...settings });
    return this.#settled(runtime);
  }

  async describe(user: string): Promise<Result<SessionSummary>> {
    const runtime = this.#for(user);
    return runtime ? { ok: true, value: runtime.summary() } : { ok: false, error: NOT_FOUND };
  }

  async update(user: string, patch: SessionPatch): Promise<Result<SessionSummary>> {
    const runtime = this.#for(user);
    if (!runtime) return { ok: false, error: NOT_FOUND };
    const error = runtime.dispatch({ type: 'update', ...patch });
    return error ? { ok: false, error } : this.#settled(runtime);
  }

  /** Lists are read from D1: who changes what they show should find it there, if D1 answers in time. */
  async #settled(runtime: SessionRuntime<WebSocket>): Promise<Result<SessionSummary>> {
    await runtime.deliverNow();
    return { ok: true, value: runtime.summary() };
  }

  async remove(user: string): Promise<Result<null>> {
    const runtime = this.#for(user);
    if (!runtime) return { ok: false, error: NOT_FOUND };
    runtime.remove(CLOSE.sessionNotFound);
    await runtime.deliverNow();
    return { ok: true, value: null };
  }

  async send(
    user: string,
    message: { id: string; text: string; priority?: number },
    waitMs: number,
  ): Promise<Result<Accepted & { reply: BotMessage | null }>> {
    const runtime = this.#for(user);
    if (!runtime) return { ok: false, error: NOT_FOUND };
    const { id, text, priority = 0 } = message;
    const error = textProblem(text, id) ?? sendMessage(runtime, { id, text, priority });
    if (error) return { ok: false, error };
    const accepted = runtime.accepted(id);
    if (!accepted) return { ok: false, error: NOT_FOUND };
    const reply = waitMs > 0 ? await runtime.outcome(accepted.seq, waitMs) : null;
    return { ok: true, value: { ...accepted, reply } };
  }

  /** See `SessionRpc`. */
  async wake(): Promise<void> {
    this.#runtime?.wake();
  }

  /** See `SessionRpc`. */
  async retire(bot: string, before: number): Promise<'erased' | 'kept' | 'unknown'> {
    const runtime = this.#runtime;
    if (!runtime) return 'unknown';
    // Begun already; its alarm goes on with it.
    if (runtime.removed) return 'erased';
    const { running, waiting } = runtime.state;
    const { bot: own, createdAt } = runtime.summary();
    const lastAt = runtime.page(Number.MAX_SAFE_INTEGER, 1).messages.at(-1)?.at ?? createdAt;
    if (own.id !== bot || running !== null || waiting.length > 0 || lastAt >= before) return 'kept';
    runtime.remove(CLOSE.sessionNotFound);
    await runtime.deliverNow();
    return 'erased';
  }

  async messages(user: string, page: { before?: number; limit: number }): Promise<Result<MessagePage>> {
    const runtime = this.#for(user);
    if (!runtime) return { ok: false, error: NOT_FOUND };
    return { ok: true, value: runtime.page(page.before ?? Number.MAX_SAFE_INTEGER, page.limit) };
  }

  async share(user: string, share: { id: string; digest: string; expiresAt: number }): Promise<Result<ShareRow>> {
    return this.#for(user) ? this.#shares.add(share, Date.now()) : { ok: false, error: NOT_FOUND };
  }

  async shares(user: string): Promise<Result<ShareRow[]>> {
    return this.#for(user) ? { ok: true, value: this.#shares.list(Date.now()) } : { ok: false, error: NOT_FOUND };
  }

  async unshare(user: string, id: string): Promise<Result<boolean>> {
    return this.#for(user) ? { ok: true, value: this.#shares.revoke(id) } : { ok: false, error: NOT_FOUND };
  }

  async shared(digest: string, page: { before?: number; limit: number }): Promise<Result<SharedPage>> {
    const runtime = this.#runtime;
    const share = runtime && !runtime.removed ? this.#shares.find(digest, Date.now()) : null;
    if (!runtime || !share) return { ok: false, error: NOT_FOUND };
    const { title, bot } = runtime.summary();
    const { messages, nextBefore } = runtime.page(page.before ?? Number.MAX_SAFE_INTEGER, page.limit);
    return { ok: true, value: { title, bot, messages, nextBefore, expiresAt: share.expiresAt } };
  }

  /** A WebSocket upgrade; the server has checked where it comes from and for whom. */
  override async fetch(request: Request): Promise<Response> {
    const user = request.headers.get(USER_HEADER) ?? '';
    const until = Number(request.headers.get(UNTIL_HEADER));
    const runtime = this.#for(user);
    if (!runtime) return refuseUpgrade(NOT_FOUND, CLOSE.sessionNotFound);
    runtime.sweep();
    if (runtime.tabs.size >= MAX_TABS) {
      const message = `This session has ${MAX_TABS} connections already.`;
      return refuseUpgrade({ code: 'too_many_tabs', message, retryable: false }, CLOSE.tooManyTabs);
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    runtime.join(server);
    runtime.tabs.get(server)?.vouch({ user, until });
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const tab = this.#runtime?.tabs.get(socket);
    if (!this.#runtime || !tab) return socket.close(CLOSE.goingAway, 'Please connect again.');
    receive(this.#runtime, tab, data);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#runtime?.leave(socket);
    // Unanswered, the client would wait for its close to end, and then call it broken.
    socket.close(code >= FIRST_APPLICATION_CLOSE ? code : NORMAL_CLOSE);
  }

  override webSocketError(socket: WebSocket): void {
    this.#runtime?.leave(socket);
  }

  override async alarm(): Promise<void> {
    await this.#runtime?.alarm();
  }
}
