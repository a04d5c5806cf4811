/**
 * The headless client of one session: one connection at a time, one outbox, one picture. The page,
 * the load scripts and the drills all use this, so that what is tested is what ships.
 */
import type { ClientFrameOf } from '../protocol/client-frames.ts';
import { PROTOCOL_VERSION } from '../protocol/limits.ts';
import type { EventFrame } from '../protocol/records.ts';
import type { ServerFrame, ServerFrameOf } from '../protocol/server-frames.ts';
import { textProblem } from '../protocol/text.ts';
import { createChanges } from './changes.ts';
import { randomId, systemClock } from './clock.ts';
import { Connection, type ConnectionDeadline, type ConnectionError } from './connection.ts';
import { createDeadlines } from './deadlines.ts';
import { ClientError } from './errors.ts';
import { createNotifier } from './notifier.ts';
import { Outbox, type OutboxDeadline } from './outbox.ts';
import { SessionPicture } from './session-picture.ts';
import type { SessionClient, SessionClientOptions, SessionView } from './types.ts';

/** "Somebody is writing" is shown this long after it was last said. */
export const TYPING_SHOWN_MS = 5_000;
/** It is said at most this often, however fast the keys are pressed. */
export const TYPING_INTERVAL_MS = 2_000;

export function createSessionClient(options: SessionClientOptions): SessionClient {
  return new Client(options);
}

class Client implements SessionClient {
  readonly #options: SessionClientOptions;
  readonly #clock;
  readonly #deadlines;
  readonly #picture = new SessionPicture();
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #changes = createChanges(
    (frame) => this.#connection.send(frame),
    (ms, run) => this.#deadlines.set('change', this.#clock.now() + ms, run),
  );
  readonly #notifier;
  #lastError: SessionView['lastError'] = null;
  #othersTyping = false;
  #typingSaidAt = -Infinity;
  /**
   * The turn whose answer the person stopped; asked for again if the connection was lost meanwhile, under whichever
   * attempt it runs by then, until its end is read.
   */
  #stopped: number | null = null;
  /** What the current connection still has to bring before anything may be sent. */
  #catchingUp = true;
  #older: Promise<void> | null = null;

  constructor(options: SessionClientOptions) {
    const { session, outbox: store, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#deadlines = createDeadlines<ConnectionDeadline | OutboxDeadline | 'typing' | 'change'>(clock);
    this.#notifier = createNotifier(() => this.#build());
    const changed = (): void => this.#notifier.changed();
    this.#outbox = new Outbox({
      session,
      store,
      clock,
      deadlines: this.#deadlines,
      newId: () => options.newId?.() ?? randomId(),
      changed,
      wire: (frame) => void this.#connection.send(frame),
      turnOf: (id) => this.#picture.turnOf(id),
      lastSeq: () => this.#picture.lastSeq,
      changeQueued: (change) => this.#changes.request(change),
      failed: (error) => this.#failed(error),
      unanswered: () => this.#connection.lose('A message was not acknowledged in time.'),
    });
    this.#connection = new Connection({
      clock,
      deadlines: this.#deadlines,
      openSocket: () => options.openSocket(),
      hello: () => this.#hello(),
      welcomed: (frame) => this.#welcomed(frame),
      received: (frame) => this.#received(frame),
      changed: (_state, error) => this.#disconnected(error),
    });
    void this.#outbox.load();
    this.#connection.connect();
  }

  get view(): SessionView {
    return this.#notifier.view();
  }

  subscribe(listener: (view: SessionView) => void): () => void {
    return this.#notifier.subscribe(listener);
  }

  async send(text: string, options: { id?: string; priority?: number } = {}): Promise<string> {
    this.#mustBeOpen();
    this.#say(null);
    return this.#outbox.add(text, options);
  }

  async edit(id: string, text: string): Promise<void> {
    this.#mustBeOpen();
    if (this.#outbox.has(id)) return this.#outbox.edit(id, text);
    const problem = textProblem(text, id);
    if (problem) throw ClientError.of(problem);
    return this.#changes.request({ id, turn: this.#mustKnow(id), text });
  }

  async cancel(id: string): Promise<void> {
    this.#mustBeOpen();
    if (this.#outbox.has(id)) return this.#outbox.cancel(id);
    return this.#changes.request({ id, turn: this.#mustKnow(id), text: null });
  }

  stop(): void {
    const { running } = this.#picture;
    if (!running) return;
    const { turn } = running;
    this.#stopped = turn;
    if (!this.#catchingUp) this.#connection.send({ type: 'stop', turn });
  }

  regenerate(): void {
    const turn = this.#picture.lastAnswered();
    if (turn === undefined) return;
    const baseSeq = this.#picture.lastSeq;
    // Never kept for later: by then the conversation may have moved on.
    const sent = !this.#catchingUp && this.#connection.send({ type: 'regenerate', turn, baseSeq });
    this.#say(sent ? null : { code: 'connection', message: 'There is no connection just now.' });
  }

  typing(): void {
    const now = this.#clock.now();
    if (now - this.#typingSaidAt < TYPING_INTERVAL_MS) return;
    if (this.#connection.send({ type: 'typing' })) this.#typingSaidAt = now;
  }

  loadOlder(): Promise<void> {
    this.#older ??= this.#loadOlder().finally(() => {
      this.#older = null;
    });
    return this.#older;
  }

  wake(): void {
    this.#connection.wake();
  }

  close(): void {
    this.#connection.close();
  }

  #build(): SessionView {
    return {
      connection: this.#connection.state,
      retryAt: this.#connection.retryAt,
      session: this.#options.session,
      ...this.#picture.part(),
      pending: this.#outbox.pending(),
      othersTyping: this.#othersTyping,
      lastError: this.#lastError,
    };
  }

  #hello(): ClientFrameOf<'hello'> {
    const { lastSeq, running } = this.#picture;
    const hello: ClientFrameOf<'hello'> = { type: 'hello', protocol: PROTOCOL_VERSION };
    if (lastSeq > 0) hello.seq = lastSeq;
    if (!running) return hello;
    const { turn, attempt, text, thinking } = running;
    return { ...hello, turn, attempt, offset: text.length, thinkingOffset: thinking.length };
  }

  #welcomed(frame: ServerFrameOf<'welcome'>): void {
    this.#picture.welcome(frame);
    this.#lastError = null;
    this.#catchingUp = true;
    // Another tab may have left messages behind, or have dealt with ours.
    void this.#outbox.load();
    this.#checkCaughtUp();
    this.#notifier.changed();
  }

  /** What is asked of the server waits until the log was read: it may show that it happened already. */
  #checkCaughtUp(): void {
    if (!this.#catchingUp || !this.#picture.caughtUp) return;
    this.#catchingUp = false;
    if (this.#picture.running?.turn === this.#stopped) this.stop();
    this.#changes.caughtUp();
    this.#outbox.caughtUp();
  }

  #disconnected(error: ConnectionError | null): void {
    this.#catchingUp = true;
    this.#outbox.disconnected();
    this.#changes.disconnected();
    this.#othersTyping = false;
    if (error) this.#lastError = error;
    if (this.#connection.state === 'closed') {
      this.#deadlines.clearAll();
      this.#changes.close();
    }
    this.#notifier.changed();
  }

  #received(frame: ServerFrame): 'ok' | 'broken' {
    this.#notifier.changed();
    switch (frame.type) {
      case 'event':
        return this.#event(frame);
      case 'delta':
        return this.#picture.delta(frame) === 'gap' ? 'broken' : 'ok';
      case 'ack':
        this.#outbox.acked(frame);
        return 'ok';
      case 'queue':
        this.#picture.queue(frame);
        return 'ok';
      case 'presence':
        this.#presence(frame);
        return 'ok';
      case 'error':
        this.#refused(frame);
        return 'ok';
      case 'welcome':
      case 'pong':
        return 'ok';
    }
  }

  #event(frame: EventFrame): 'ok' | 'broken' {
    const applied = this.#picture.event(frame);
    if (applied === 'gap') return 'broken';
    if (applied === 'ignored') return 'ok';
    // Who asks for another answer wants that one.
    if (isEnd(frame) && frame.turn === this.#stopped) this.#stopped = null;
    this.#changes.recorded(frame);
    this.#outbox.recorded(frame);
    this.#checkCaughtUp();
    return 'ok';
  }

  #presence(frame: ServerFrameOf<'presence'>): void {
    this.#picture.tabs(frame.tabs);
    if (frame.typing === undefined) return;
    this.#othersTyping = frame.typing;
    this.#deadlines.set('typing', this.#clock.now() + TYPING_SHOWN_MS, () => {
      this.#othersTyping = false;
      this.#notifier.changed();
    });
  }

  #refused(frame: ServerFrameOf<'error'>): void {
    if (this.#outbox.refused(frame) || this.#changes.refused(frame)) return;
    // The person wanted the answer to end, and it has ended.
    if (frame.code === 'not_running') return;
    this.#say({ code: frame.code, message: frame.message });
  }

  #failed(error: unknown): void {
    if (!(error instanceof ClientError) || error.code === 'closed' || error.code === 'outbox') return;
    this.#say({ code: error.code, message: error.message });
  }

  #say(error: SessionView['lastError']): void {
    if (this.#lastError === error) return;
    this.#lastError = error;
    this.#notifier.changed();
  }

  async #loadOlder(): Promise<void> {
    const before = this.#picture.olderBefore;
    if (before === null || !this.#options.loadOlder) return;
    const { messages, nextBefore } = await this.#options.loadOlder(before);
    if (this.#picture.older(before, messages, nextBefore)) this.#notifier.changed();
  }

  #mustBeOpen(): void {
    if (this.#connection.state === 'closed') throw new ClientError('closed', 'The client is closed.');
  }

  #mustKnow(id: string): number {
    const turn = this.#picture.turnOf(id);
    if (turn === undefined) throw new ClientError('not_queued', 'That message does not wait any more.');
    return turn;
  }
}

/** Whether what ran of a turn is over with this record. */
function isEnd(record: EventFrame): record is Extract<EventFrame, { attempt: number }> {
  return 'attempt' in record && record.kind !== 'restarted';
}
