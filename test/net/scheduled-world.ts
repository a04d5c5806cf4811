/**
 * A session's world in which every answer from outside, of the model and of D1, comes when the
 * scheduler says so: in any order between each other and between what people do.
 */
import { PROTOCOL_VERSION } from '../../src/protocol/limits.ts';
import type fc from 'fast-check';
import type { Question, SessionPorts } from '../../src/objects/ports.ts';
import { SessionRuntime } from '../../src/objects/session-runtime.ts';
import { receive } from '../../src/objects/socket-frames.ts';
import type { TabSocket } from '../../src/objects/tab.ts';
import { SessionLog } from '../../src/log/session-log.ts';
import { encodeClientFrame } from '../../src/protocol/codec.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import type { LogRecord } from '../../src/protocol/records.ts';
import { TurnFailure, type AnswerStream } from '../../src/responders/port.ts';
import { nodeSql } from '../support/node-sql.ts';
import {
  newConnection,
  recordReceived,
  recordSent,
  type ClientRecording,
  type Connection,
} from '../support/recording.ts';
import { freeBot } from '../support/free-bot.ts';
import { SharedLeaves } from '../../src/objects/shared-leave.ts';
import { SharedReports } from '../../src/objects/shared-reports.ts';

/** What comes of a call to D1: done and told so, not done, done without being told so. */
export type Fate = 'done' | 'lost' | 'unanswered';
/** How a model ends; a deaf one goes on after its connection was closed. */
export type Ending = 'end' | 'failure' | 'fault' | 'deaf';

const MAX_HEAL_STEPS = 400;
/** The session looks after a turn this soon, should its process end. */
const WAKE_WITHIN_MS = 2_000;
/** A call to D1 that takes longer is given up; another one may then be under way beside it. */
const D1_CALL_MS = 40_000;

export class RecordedSocket implements TabSocket {
  readonly connection: Connection;
  closedWith: number | null = null;
  #attachment: unknown;

  constructor(recording: ClientRecording) {
    this.connection = newConnection(recording);
  }

  send(text: string): void {
    recordReceived(this.connection, text);
  }
  close(code: number): void {
    this.closedWith = code;
  }
  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }
  deserializeAttachment(): unknown {
    return this.#attachment;
  }
}

export class ScheduledWorld {
  time = 1_000_000;
  readonly sql = nodeSql();
  readonly runtime: SessionRuntime<RecordedSocket>;
  readonly recordings: ClientRecording[] = [];
  readonly sockets: RecordedSocket[] = [];
  /** What D1 has, by `seq`; a tombstone keeps late deliveries from bringing it back. */
  readonly d1 = new Map<number, LogRecord>();
  buried = false;
  destroyed = false;
  readonly reports: string[] = [];
  /** What must never happen, as it happens. */
  readonly wrong: string[] = [];
  alarmAt: number | null = null;
  alarming = false;
  /** Connections to the model that nobody closed. */
  readonly #listening = new Set<AbortSignal>();
  /** When the deliveries that are under way began. */
  readonly #delivering = new Set<{ since: number }>();
  readonly #scheduler: fc.Scheduler;
  #fates: Fate[];
  #timers: { at: number; callback: () => void }[] = [];

  constructor(scheduler: fc.Scheduler, fates: readonly Fate[]) {
    this.#scheduler = scheduler;
    this.#fates = [...fates];
    const log = SessionLog.create(this.sql, 's_test', 'u_owner');
    this.runtime = new SessionRuntime(log, this.#ports(), [], 'epoch');
    this.runtime.dispatch({ type: 'create', bot: { id: 'b', name: 'B', model: 'm' }, title: 'Test' });
  }

  #ports(): SessionPorts<RecordedSocket> {
    return {
      now: () => this.time,
      setTimer: (callback, delayMs) => {
        const timer = { at: this.time + delayMs, callback };
        this.#timers.push(timer);
        return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
      },
      setAlarm: (at) => void (this.alarmAt = at),
      clearAlarm: () => void (this.alarmAt = null),
      pingedAt: () => Infinity,
      ...freeBot,
      leaves: new SharedLeaves(),
      sharedReports: new SharedReports(),
      answer: (question, signal) => this.#answer(question, signal),
      deliver: (_, records) => this.#deliver(records),
      forget: () => this.#callD1(() => this.#bury()),
      destroy: async () => {
        if (!this.buried) this.wrong.push('destroyed before D1 forgot the session');
        this.destroyed = true;
      },
      report: (event) => void this.reports.push(event),
      note: () => {},
    };
  }

  async #callD1(apply: () => void): Promise<void> {
    await this.#moment('a call reaches D1');
    const fate = this.#fates.shift() ?? 'done';
    if (fate === 'lost') throw new Error('D1 is down');
    apply();
    await this.#moment('D1 answers');
    if (fate === 'unanswered') throw new Error('the answer was lost');
  }

  async #deliver(records: readonly LogRecord[]): Promise<void> {
    const call = { since: this.time };
    for (const { since } of this.#delivering) {
      if (this.time - since < D1_CALL_MS) this.wrong.push('S19: two deliveries at once');
    }
    this.#delivering.add(call);
    await this.#callD1(() => this.#store(records)).finally(() => this.#delivering.delete(call));
  }

  #store(records: readonly LogRecord[]): void {
    if (this.buried) return;
    for (const record of records) {
      if (record.seq > 1 && !this.d1.has(record.seq - 1)) this.wrong.push(`S19: D1 got ${record.seq} too early`);
      this.d1.set(record.seq, record);
    }
  }

  #bury(): void {
    this.buried = true;
    this.d1.clear();
  }

  async *#answer(question: Question, signal: AbortSignal): AnswerStream {
    this.#listening.add(signal);
    signal.addEventListener('abort', () => this.#listening.delete(signal), { once: true });
    try {
      return yield* this.#speak(question, signal);
    } finally {
      this.#listening.delete(signal);
    }
  }

  /** `text`: a name, the number of pieces, and how it ends. */
  async *#speak({ text }: Question, signal: AbortSignal): AnswerStream {
    const [, count, ending] = text.split(' ');
    for (let index = 0; index < Number(count); index += 1) {
      await this.#modelMoment(ending, signal);
      yield { text: `${index}é👩‍🚀`, thinking: index === 0 ? 'hm' : '' };
    }
    await this.#modelMoment(ending, signal);
    if (ending === 'failure') throw new TurnFailure('model_error', 'The model failed.');
    if (ending === 'fault') throw new TypeError('a fault of ours');
    return { finish: 'stop', model: 'm', promptTokens: 1, answerTokens: 1, modelMs: null, writingMs: null };
  }

  async #modelMoment(ending: string | undefined, signal: AbortSignal): Promise<void> {
    const moment = this.#moment('the model speaks');
    if (ending === 'deaf') return moment;
    const closed = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    await Promise.race([moment, closed]);
  }

  async #moment(label: string): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), label);
    this.look();
  }

  /** S18: while there is work an alarm is set or running. S9, S12: nobody listens to a model whose turn is over. */
  look(): void {
    const { running, seq } = this.runtime.state;
    const hasWork = this.runtime.removed ? !this.destroyed : running !== null || !this.d1.has(seq);
    if (hasWork && this.alarmAt === null && !this.alarming) this.wrong.push('S18: there is work and no alarm');
    if (running && !this.alarming && (this.alarmAt ?? 0) > this.time + WAKE_WITHIN_MS) this.wrong.push('S18: too late');
    if (this.#listening.size > (running ? 1 : 0)) this.wrong.push('S12: a model is listened to whose turn is over');
  }

  /** A new tab that has said hello; it knows the log up to `seq`. */
  join(seq?: number): void {
    const recording: ClientRecording = { name: `tab ${this.recordings.length}`, connections: [] };
    const socket = new RecordedSocket(recording);
    this.recordings.push(recording);
    this.sockets.push(socket);
    this.runtime.join(socket);
    this.say(socket, { type: 'hello', protocol: PROTOCOL_VERSION, ...(seq === undefined ? {} : { seq }) });
  }

  say(socket: RecordedSocket, frame: ClientFrame): void {
    const tab = this.runtime.tabs.get(socket);
    if (!tab) return;
    const text = encodeClientFrame(frame);
    recordSent(socket.connection, text);
    receive(this.runtime, tab, text);
  }

  leave(socket: RecordedSocket): void {
    this.sockets.splice(this.sockets.indexOf(socket), 1);
    this.runtime.leave(socket);
  }

  /** Moves time on, with the timers and the alarm that are due; what they wait for is the scheduler's. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      const [timer] = this.#timers.toSorted((one, other) => one.at - other.at);
      const alarmAt = this.alarming ? null : this.alarmAt;
      const at = Math.min(timer?.at ?? Infinity, alarmAt ?? Infinity);
      if (at > until) break;
      this.time = Math.max(this.time, at);
      if (alarmAt === at) void this.#alarm();
      else if (timer) {
        this.#timers = this.#timers.filter((other) => other !== timer);
        timer.callback();
      }
      for (let round = 0; round < 20; round += 1) await Promise.resolve();
    }
    this.time = until;
  }

  async #alarm(): Promise<void> {
    this.alarmAt = null;
    this.alarming = true;
    await this.runtime.alarm();
    this.alarming = false;
    this.look();
  }

  /** From here on D1 is well; resolves when nothing is left to do. */
  async rest(): Promise<void> {
    this.#fates = [];
    for (let step = 0; step < MAX_HEAL_STEPS; step += 1) {
      await this.#scheduler.waitIdle();
      if (!this.alarming && this.alarmAt === null) return;
      await this.advance(1_000);
    }
    this.wrong.push('it does not come to rest');
  }

  log(): SessionLog {
    const log = SessionLog.open(this.sql);
    if (!log) throw new Error('the log is gone');
    return log;
  }
}
