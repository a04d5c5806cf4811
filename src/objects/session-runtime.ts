/**
 * A session at work: commands in, records committed, frames out, answers generated, history
 * delivered. Knows nothing of Cloudflare: the Durable Object hands it the ports, and so do tests.
 *
 * Order within every step: decide (pure), commit, then act; only a turn's bot is asked for leave while the message is
 * committed. An acknowledgement therefore speaks of something durable. Deltas are sent as they come and are not stored:
 * an attempt that dies with its process is begun again under a new number, and readers follow.
 */
import { messagePage } from '../log/conversation.ts';
import { RecentTurns } from '../log/recent-turns.ts';
import type { SessionLog } from '../log/session-log.ts';
import { encodeServerFrame } from '../protocol/codec.ts';
import type { LogRecord } from '../protocol/records.ts';
import type { QueueView, WireError } from '../protocol/server-frames.ts';
import { messageOf, type BotMessage, type Message } from '../protocol/transcript.ts';
import type { Command, Partial } from '../session/command.ts';
import { EMPTY_STATE, positionOf, queueView, type SessionState } from '../session/state.ts';
import { decodeState, encodeState } from '../session/stored-state.ts';
import { MAX_RESTARTS, transition, type Effect } from '../session/transition.ts';
import type { CallFacts } from './bot-calls.ts';
import { Delivery } from './delivery.ts';
import { D1_SILENT, inTime } from './in-time.ts';
import type { SessionPorts } from './ports.ts';
import { QueueTeller } from './queue-teller.ts';
import type { Accepted, MessagePage, SessionSummary } from './session-rpc.ts';
import type { Tab, TabSocket } from './tab.ts';
import { Tabs } from './tabs.ts';
import { TurnRunner } from './turn-runner.ts';
import { WorkAlarm } from './work-alarm.ts';

/** Records and characters read from the log at once for a tab that lacks many. */
const REPLAY_RECORDS = 64;
const REPLAY_LENGTH = 256 * 1024;
/** How long a change of a session's settings waits for D1 to have it. */
const DELIVER_NOW_MS = 1_000;

export class SessionRuntime<Socket extends TabSocket> {
  readonly tabs: Tabs<Socket>;
  readonly epoch: string;
  readonly #log: SessionLog;
  readonly #ports: SessionPorts<Socket>;
  readonly #delivery: Delivery;
  readonly #turns: RecentTurns;
  readonly #alarm: WorkAlarm;
  readonly #queueTeller: QueueTeller;
  #state: SessionState;
  readonly #runner: TurnRunner;
  #restarts = 0;
  #silentCloses = 0;
  /** Called after the next commit; each takes itself out. */
  readonly #onCommit = new Set<() => void>();

  /** `alarmAt`: when the alarm that the process before has left is due (ms since 1970). */
  constructor(
    log: SessionLog,
    ports: SessionPorts<Socket>,
    sockets: readonly Socket[],
    epoch: string,
    alarmAt: number | null = null,
  ) {
    this.#log = log;
    this.#ports = ports;
    this.epoch = epoch;
    this.#turns = new RecentTurns(log);
    this.#queueTeller = new QueueTeller(ports, () => this.#tellQueue());
    this.#state = decodeState(log.lastState(), (turns) => log.messageIds(turns));
    const isQuiet = alarmAt === null && this.#state.running === null;
    this.#delivery = new Delivery(log, ports, () => this.#tellBotSoon(), isQuiet ? this.#state.seq : 0);
    this.#runner = new TurnRunner(
      {
        session: this.#delivery.session.id,
        state: () => this.#state,
        turns: this.#turns,
        facts: (bot) => this.#facts(bot),
        dispatch: (command) => void this.dispatch(command),
        onProgress: () => this.tabs.pumpAll(),
        onWait: () => this.#tellQueue(),
        onAwake: () => this.#alarm.keep(),
        onExcess: (connections) => this.#connectionsChanged(this.tabs.closeNewest(connections)),
      },
      ports,
    );
    this.tabs = new Tabs<Socket>({
      head: () => this.#state.seq,
      recordsAfter: (seq) => log.after(seq, REPLAY_RECORDS, REPLAY_LENGTH),
      running: () => this.#runner.answer,
      queue: () => this.queue(),
    });
    // The tabs of a session that is being erased were closed; those whose client has not heard of it may still send.
    this.tabs.restore(this.removed ? [] : sockets, ports.now());
    const work = {
      head: () => this.#state.seq,
      busy: () => this.#state.running !== null,
      idleUntil: () => this.#runner.idleUntil,
      askAgain: () => this.#runner.askAgain(),
      removed: () => this.removed,
      destroy: () => ports.destroy(),
      sweep: () => this.sweep(),
    };
    this.#alarm = new WorkAlarm(work, this.#delivery, ports, alarmAt);
    this.#goOn();
  }

  /** A turn that another process left running goes on, or is given up. */
  #goOn(): void {
    const { running } = this.#state;
    if (!running) return this.#alarm.keep();
    if (running.restarts >= MAX_RESTARTS) return void this.dispatch({ type: 'recover' });
    void this.#runner.resume(running.turn, running.attempt);
    this.#alarm.keep();
  }

  #facts(bot: string): ReturnType<CallFacts> {
    const { id, owner } = this.#delivery.session;
    const counts = { restarts: this.#restarts, silentCloses: this.#silentCloses };
    this.#restarts = 0;
    this.#silentCloses = 0;
    return {
      session: id,
      user: owner,
      // A bot that was only named in a message would never hear that they went.
      connections: bot === this.#state.bot.id ? this.tabs.size : 0,
      undeliveredMs: this.#delivery.lagMs(this.#state.seq, this.now()),
      rowsWritten: this.#ports.takeRowsWritten(),
      ...counts,
    };
  }

  now(): number {
    return this.#ports.now();
  }

  get state(): SessionState {
    return this.#state;
  }

  get owner(): string {
    return this.#delivery.session.owner;
  }

  /** The session is being erased: to everyone but the alarm it does not exist. */
  get removed(): boolean {
    return this.#delivery.session.removed;
  }

  /** Carries out a command; `from` is the tab that gets the acknowledgement. Returns why it was refused, or null. */
  dispatch(command: Command, from?: Tab): WireError | null {
    const before = this.#state;
    const at = this.#ports.now();
    const result = transition(before, command, at);
    if (!result.ok) return result.error;
    if (result.records.length > 0) this.#commit(result.state, result.records, at);
    for (const effect of result.effects) this.#perform(effect, from);
    this.tabs.pumpAll();
    this.#queueMayHaveChanged(before);
    return null;
  }

  #commit(state: SessionState, records: LogRecord[], at: number): void {
    this.#runner.askWhile(records, state, () => this.#log.append(records, encodeState(state)));
    const { bot } = this.#state;
    this.#state = state;
    if (bot.id !== state.bot.id && bot.id !== EMPTY_STATE.bot.id) this.#runner.botChanged(bot);
    this.#delivery.appended(at);
    this.tabs.remember(records);
    for (const record of records) {
      this.#turns.appended(record);
      if (record.kind === 'restarted') this.#restarts += 1;
    }
    this.#alarm.keep();
    for (const listener of this.#onCommit) listener();
  }

  #perform(effect: Effect, from: Tab | undefined): void {
    switch (effect.type) {
      case 'ack':
        from?.send(encodeServerFrame(effect));
        return;
      case 'abort':
        this.#runner.abort(effect.turn, effect.attempt);
        return;
      case 'generate':
        void this.#runner.run(effect.turn, effect.attempt);
    }
  }

  #queueMayHaveChanged(before: SessionState): void {
    const { running, waiting } = this.#state;
    if (before.waiting.length === 0 && waiting.length === 0) return;
    if (running !== before.running || waiting !== before.waiting) this.#queueTeller.changed(waiting.length);
  }

  #tellQueue(): void {
    this.tabs.broadcast({ type: 'queue', ...this.queue() });
  }

  /** The queue as clients see it. */
  queue(): QueueView {
    const view = queueView(this.#state);
    const wait = this.#runner.waiting;
    return view.running && wait ? { ...view, running: { ...view.running, wait } } : view;
  }

  /** What the running answer has so far, for a stop. */
  partial(turn: number): Partial {
    return this.#runner.partial(turn);
  }

  /** Accepts a message; the same id and text again changes nothing. Returns why it was refused, or null. */
  send(message: { id: string; text: string; priority: number }, from?: Tab): WireError | null {
    return this.dispatch({ type: 'send', ...message, prior: this.#log.findMessage(message.id) }, from);
  }

  /** Where an accepted message stands; null where there is none with this id. */
  accepted(id: string): Accepted | null {
    const message = this.#log.findMessage(id);
    return message && { id, seq: message.seq, position: positionOf(this.#state, message.seq) };
  }

  /** A socket was accepted; it says hello next. */
  join(socket: Socket): void {
    this.tabs.accept(socket, this.#ports.now());
    this.#tellBotSoon();
  }

  /** Lets go of connections that only look open; they come back by themselves if they live. */
  sweep(): void {
    const gone = this.tabs.closeSilent(this.#ports.now(), (socket) => this.#ports.pingedAt(socket));
    this.#silentCloses += gone;
    this.#connectionsChanged(gone);
  }

  /** What it counts has changed: it hears soon, of what is then. A session that was deleted has no bot any more. */
  #tellBotSoon(): void {
    if (!this.removed) this.#runner.reportSoon();
  }

  #connectionsChanged(gone: number): void {
    if (gone === 0) return;
    this.#tellBotSoon();
    this.tabs.broadcast({ type: 'presence', tabs: this.tabs.size });
  }

  /** A socket is gone. */
  leave(socket: Socket): void {
    if (this.tabs.remove(socket)) this.#connectionsChanged(1);
  }

  summary(): SessionSummary {
    const { bot, title, archived, folder, createdAt } = this.#state;
    return { id: this.#delivery.session.id, bot, title, archived, folder, createdAt };
  }

  page(before: number, limit: number): MessagePage {
    const { messages, nextBefore } = messagePage(this.#log, before, limit);
    return { messages: messages.map((message) => this.#live(message)), nextBefore };
  }

  /** A person's message is also queued or being answered; the log does not say that, the state does. */
  #live(message: Message): Message {
    if (message.role !== 'user') return message;
    if (this.#state.running?.turn === message.turn) return { ...message, status: 'answering' };
    return positionOf(this.#state, message.turn) > 0 ? { ...message, status: 'queued' } : message;
  }

  /** How `turn` ended, waiting up to `waitMs` for it; null when it has not, or without an answer. */
  async outcome(turn: number, waitMs: number): Promise<BotMessage | null> {
    const until = this.#ports.now() + waitMs;
    while (this.#pending(turn) && this.#ports.now() < until) await this.#change(until - this.#ports.now());
    // A session that was deleted meanwhile has no log to look into.
    if (this.removed || this.#pending(turn)) return null;
    const record = this.#log.outcomeOf(turn);
    const message = record && messageOf(record);
    return message?.role === 'bot' ? message : null;
  }

  #pending(turn: number): boolean {
    return this.#state.running?.turn === turn || positionOf(this.#state, turn) > 0;
  }

  /** Resolves after the next commit, or after `ms`. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#onCommit.delete(end);
        resolve();
      };
      const cancel = this.#ports.setTimer(end, Math.max(0, ms));
      this.#onCommit.add(end);
    });
  }

  /** Brings D1 up to now for callers that are about to read from it; gives up waiting soon, never fails. */
  async deliverNow(): Promise<void> {
    const work = this.removed ? this.#delivery.forget() : this.#delivery.deliverUpTo(this.#state.seq);
    await inTime<unknown>(this.#ports, work, DELIVER_NOW_MS, D1_SILENT).catch(() => undefined);
  }

  /** The bot has news for the turn that waits. */
  wake(): void {
    this.#runner.askAgain();
  }

  /** The platform's alarm: whatever is left to do without anybody asking. */
  alarm(): Promise<void> {
    return this.#alarm.run();
  }

  /** Ends everything that runs, erases the log, and has the alarm erase the history. */
  remove(closeCode: number): void {
    this.#runner.end();
    this.#tellBotSoon();
    this.#log.erase();
    this.#delivery.session.removed = true;
    this.#state = EMPTY_STATE;
    this.tabs.closeAll(closeCode, 'The session was deleted.');
    this.#alarm.keep();
  }
}
