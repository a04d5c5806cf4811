/** A session's world under the test's control: time, sockets, the model and D1. */
import { PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import { SessionRuntime } from '../../src/objects/session-runtime.ts';
import { SharedLeaves } from '../../src/objects/shared-leave.ts';
import { SharedReports } from '../../src/objects/shared-reports.ts';
import { receive } from '../../src/objects/socket-frames.ts';
import type { SessionAnswer, SessionCall } from '../../src/objects/bot-rpc.ts';
import type { Question, SessionPorts } from '../../src/objects/ports.ts';
import type { TabSocket } from '../../src/objects/tab.ts';
import { SessionLog } from '../../src/log/session-log.ts';
import { decodeServerFrame, encodeClientFrame } from '../../src/protocol/codec.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import type { ServerFrame } from '../../src/protocol/server-frames.ts';
import type { AnswerEnd, AnswerStream } from '../../src/responders/port.ts';
import { nodeSql } from './node-sql.ts';
import type { BotRef } from '../../src/protocol/values.ts';
import { freeBot, GO } from './free-bot.ts';

export class FakeSocket implements TabSocket {
  readonly frames: ServerFrame[] = [];
  /** When its last ping was answered; a live one pings all the time. */
  pingedAt = Infinity;
  closed: { code: number; reason: string } | null = null;
  #attachment: unknown;

  send(text: string): void {
    const decoded = decodeServerFrame(text);
    if (!decoded.ok) throw new Error(`the server sent a frame that clients refuse: ${decoded.error.message}`);
    this.frames.push(decoded.frame);
  }
  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }
  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }
  deserializeAttachment(): unknown {
    return this.#attachment;
  }
  /** Frames of one type, and forgets nothing. */
  of<T extends ServerFrame['type']>(type: T): Extract<ServerFrame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<ServerFrame, { type: T }> => frame.type === type);
  }
}

/** A model that says what the test tells it to say, when it is told. */
export class FakeModel {
  readonly questions: { question: Question; history: { user: string; bot: string }[]; aborted: boolean }[] = [];
  #steps: ((step: Step) => void)[] = [];

  answer(question: Question, signal: AbortSignal): AnswerStream {
    const asked = { question, history: [...question.history], aborted: false };
    signal.addEventListener('abort', () => {
      asked.aborted = true;
    });
    this.questions.push(asked);
    return this.#stream(signal);
  }

  async *#stream(signal: AbortSignal): AnswerStream {
    for (;;) {
      const step = await new Promise<Step>((resolve, reject) => {
        this.#steps.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      if ('end' in step) return step.end;
      if ('error' in step) throw step.error;
      yield { text: step.text ?? '', thinking: step.thinking ?? '' };
    }
  }

  async step(step: Step): Promise<void> {
    const next = this.#steps.shift();
    if (!next) throw new Error('nobody reads from the model');
    next(step);
    await settle();
  }
  say = (text: string): Promise<void> => this.step({ text });
  think = (thinking: string): Promise<void> => this.step({ thinking });
  fail = (error: Error): Promise<void> => this.step({ error });
  end = (): Promise<void> =>
    this.step({
      end: { finish: 'stop', model: 'm', promptTokens: 1, answerTokens: 1, modelMs: null, writingMs: null },
    });
  /** The process died: what it was reading from is gone. */
  forgetReaders(): void {
    this.#steps = [];
  }
}

type Step = { text?: string; thinking?: string } | { end: AnswerEnd } | { error: Error };

/** Lets everything that waits on resolved promises run. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 30; round += 1) await Promise.resolve();
}

export class FakeWorld {
  time = 1_000_000;
  /** How much the clock is ahead of time, in ms: timers know nothing of it. */
  clockAheadMs = 0;
  readonly sql = nodeSql();
  readonly model = new FakeModel();
  readonly delivered: LogRecord[] = [];
  deliveries = 0;
  readonly reports: string[] = [];
  readonly notes: Record<string, unknown>[] = [];
  /** What sessions asked of their bots, and what they are told. */
  readonly calls: { bot: string; call: SessionCall }[] = [];
  bot: (call: SessionCall) => SessionAnswer | Promise<SessionAnswer> = () => GO;
  readonly bots = new Map<string, BotRef>();
  /** What other sessions of the process were told, too. */
  readonly leaves: SharedLeaves;
  readonly sharedReports: SharedReports;
  d1Down = false;
  /** D1 takes calls and never answers them. */
  d1Silent = false;
  destroyed = false;
  forgotten = 0;
  alarmAt: number | null = null;
  alarmsSet = 0;
  alarmsFired = 0;
  runtime: SessionRuntime<FakeSocket>;
  /** Timers that were taken back, also those that had gone off. */
  timersCancelled = 0;
  #timers: { at: number; callback: () => void }[] = [];
  #boots = 0;
  /** The alarm handler that is under way, if any. */
  alarming: Promise<void> | null = null;

  constructor(leaves = new SharedLeaves(), sharedReports = new SharedReports()) {
    this.leaves = leaves;
    this.sharedReports = sharedReports;
    const log = SessionLog.create(this.sql, 's_test', 'u_owner');
    this.runtime = this.#boot(log, [], null);
    this.runtime.dispatch({ type: 'create', bot: { id: 'b', name: 'B', model: 'm' }, title: 'Test' });
  }

  #boot(log: SessionLog, sockets: readonly FakeSocket[], alarmAt: number | null): SessionRuntime<FakeSocket> {
    this.#boots += 1;
    return new SessionRuntime(log, this.#ports(), sockets, `epoch-${this.#boots}`, alarmAt);
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.length;
  }

  #ports(): SessionPorts<FakeSocket> {
    const boot = this.#boots;
    // A process that was replaced must not reach the world any more.
    const alive = () => boot === this.#boots;
    return {
      now: () => this.time + this.clockAheadMs,
      setTimer: (callback, delayMs) => {
        const timer = { at: this.time + delayMs, callback };
        if (alive()) this.#timers.push(timer);
        return () => {
          this.timersCancelled += 1;
          this.#timers = this.#timers.filter((other) => other !== timer);
        };
      },
      setAlarm: (at) => {
        this.alarmAt = at;
        this.alarmsSet += 1;
      },
      clearAlarm: () => {
        this.alarmAt = null;
      },
      pingedAt: (socket) => socket.pingedAt,
      ...freeBot,
      leaves: this.leaves,
      sharedReports: this.sharedReports,
      attend: async (bot, call) => {
        this.calls.push({ bot, call });
        return this.bot(call);
      },
      findBot: async (id) => this.bots.get(id) ?? null,
      answer: (question, signal) => this.model.answer(question, signal),
      deliver: async (_, records) => {
        await (this.d1Silent ? new Promise<never>(() => {}) : Promise.resolve());
        if (this.d1Down) throw new Error('D1 is down');
        this.deliveries += 1;
        this.delivered.push(...records);
      },
      forget: async () => {
        await (this.d1Silent ? new Promise<never>(() => {}) : Promise.resolve());
        if (this.d1Down) throw new Error('D1 is down');
        this.forgotten += 1;
      },
      destroy: async () => void (this.destroyed = true),
      report: (event) => void this.reports.push(event),
      note: (event, fields) => void this.notes.push({ event, ...fields }),
    };
  }

  /** The process ends without a word and a new one takes over; `sockets` are those that outlive it (hibernation). */
  async restart(sockets: readonly FakeSocket[] = []): Promise<void> {
    this.#timers = [];
    this.model.forgetReaders();
    const interrupted = this.alarming !== null;
    this.alarming = null;
    const log = SessionLog.open(this.sql);
    if (!log) throw new Error('the log is gone');
    this.runtime = this.#boot(log, sockets, interrupted ? this.time : this.alarmAt);
    // An alarm that its process did not finish runs again at once.
    if (interrupted) this.#fireAlarm();
    await settle();
  }

  #fireAlarm(): void {
    this.alarmAt = null;
    this.alarmsFired += 1;
    const running = this.runtime.alarm().finally(() => {
      if (this.alarming === running) this.alarming = null;
    });
    this.alarming = running;
  }

  /** Moves time on, firing timers and the alarm in their order. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      const timer = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      const alarmAt = this.alarming ? null : this.alarmAt;
      const at = Math.min(timer?.at ?? Infinity, alarmAt ?? Infinity);
      if (at > until) break;
      this.time = Math.max(this.time, at);
      if (alarmAt === at) this.#fireAlarm();
      else if (timer) {
        this.#timers = this.#timers.filter((other) => other !== timer);
        timer.callback();
      }
      await settle();
    }
    this.time = until;
    await settle();
  }

  /** A tab that has said hello. */
  async join(known: { seq?: number; turn?: number; attempt?: number; offset?: number } = {}): Promise<FakeSocket> {
    const socket = new FakeSocket();
    this.runtime.join(socket);
    await this.say(socket, { type: 'hello', protocol: PROTOCOL_VERSION, ...known });
    return socket;
  }

  async say(socket: FakeSocket, frame: ClientFrame): Promise<void> {
    await this.sayRaw(socket, encodeClientFrame(frame));
  }

  async sayRaw(socket: FakeSocket, data: string | ArrayBuffer): Promise<void> {
    const tab = this.runtime.tabs.get(socket);
    if (!tab) throw new Error('the socket is not connected');
    receive(this.runtime, tab, data);
    await settle();
  }

  records(): LogRecord[] {
    return SessionLog.open(this.sql)?.after(0, 10_000, Number.MAX_SAFE_INTEGER) ?? [];
  }
}

/** What a reader shows of an answer, by the one rule there is. */
export function joined(frames: readonly ServerFrame[], turn: number, attempt: number, before = ''): string {
  return frames.reduce((text, frame) => {
    if (frame.type !== 'delta' || frame.turn !== turn || frame.attempt !== attempt || frame.channel !== 'text')
      return text;
    return text.slice(0, frame.offset) + frame.text;
  }, before);
}

/** A world whose session has done what its beginning left to do. */
export async function quietWorld(): Promise<FakeWorld> {
  const fake = new FakeWorld();
  await fake.advance(5_000);
  return fake;
}

/** What a person writes. */
export const send = (id: string, text = 'hi') => ({ type: 'send' as const, id, text });
