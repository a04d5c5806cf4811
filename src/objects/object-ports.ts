/**
 * What a session needs of the platform: its object's storage, clock and alarm, the bindings. Methods, not a function
 * for each need: those would be made for every session anew, and a process keeps a thousand.
 */
import { createBotDirectory } from '../bots/directory.ts';
import { parseConfig, type Bindings } from '../env.ts';
import { findStoredBot } from '../history/bots.ts';
import { removeSession } from '../history/remove.ts';
import type { SessionRow } from '../log/session-log.ts';
import type { SqlCursor, SqlPort, SqlValue } from '../log/sql.ts';
import type { Log, LogFields } from '../metrics/log.ts';
import type { LogRecord } from '../protocol/records.ts';
import type { BotRef } from '../protocol/values.ts';
import { listModels } from '../responders/discovery.ts';
import type { AnswerStream } from '../responders/port.ts';
import { answerQuestion } from './answer-question.ts';
import type { SessionAnswer, SessionCall } from './bot-rpc.ts';
import { HISTORY_WRITER } from './history-writer.ts';
import { objectLog } from './object-log.ts';
import type { Question, SessionPorts } from './ports.ts';
import { setTimer } from './set-timer.ts';
import { sharedLeaves } from './shared-leave.ts';
import { sharedReports } from './shared-reports.ts';

export class ObjectPorts implements SessionPorts<WebSocket>, SqlPort {
  readonly leaves = sharedLeaves;
  readonly sharedReports = sharedReports;
  readonly #ctx: DurableObjectState;
  readonly #env: Bindings;
  readonly #log: Log;
  readonly #onDestroyed: () => void;
  /** In the object since a bot was told last. */
  #rowsWritten = 0;

  constructor(ctx: DurableObjectState, env: Bindings, onDestroyed: () => void) {
    this.#ctx = ctx;
    this.#env = env;
    this.#log = objectLog(env);
    this.#onDestroyed = onDestroyed;
  }

  exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]): SqlCursor<Row> {
    const cursor = this.#ctx.storage.sql.exec<Row>(query, ...bindings);
    // What writes has written by now: cursors only go on reading.
    this.#rowsWritten += cursor.rowsWritten;
    return cursor;
  }

  transaction<T>(body: () => T): T {
    return this.#ctx.storage.transactionSync(body);
  }

  takeRowsWritten(): number {
    const rows = this.#rowsWritten;
    this.#rowsWritten = 0;
    return rows;
  }

  now(): number {
    return Date.now();
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    return setTimer(callback, delayMs);
  }

  setAlarm(at: number): void {
    this.#rowsWritten += 1;
    void this.#ctx.storage.setAlarm(at);
  }

  clearAlarm(): void {
    void this.#ctx.storage.deleteAlarm();
  }

  pingedAt(socket: WebSocket): number {
    return this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
  }

  attend(bot: string, call: SessionCall): Promise<SessionAnswer> {
    return this.#env.CONTROL.getByName(bot).attend(call);
  }

  async findBot(id: string): Promise<BotRef | null> {
    const { DB } = this.#env;
    const ports = { listModels, stored: (bot: string) => findStoredBot(DB, bot), now: () => Date.now() };
    const found = await createBotDirectory(parseConfig(this.#env), ports).find(id);
    return found.ok ? found.value : null;
  }

  answer(question: Question, signal: AbortSignal): AnswerStream {
    return answerQuestion(parseConfig(this.#env), this.#env, question, signal);
  }

  async deliver({ id, owner }: SessionRow, records: LogRecord[]): Promise<void> {
    await this.#env.HISTORY.getByName(HISTORY_WRITER).write({ id, user: owner }, records);
  }

  async forget({ id, owner }: SessionRow): Promise<void> {
    await removeSession(this.#env.DB, { id, user: owner }, this.now());
  }

  async destroy(): Promise<void> {
    await this.#ctx.storage.deleteAll();
    this.#onDestroyed();
  }

  report(event: string, fields: LogFields): void {
    const { name: session } = this.#ctx.id;
    // What a fault deep inside does not know of is known here.
    this.#log.error(event, { ...(session === undefined ? {} : { session }), ...fields });
  }

  note(event: string, fields: LogFields): void {
    this.#log.info(event, fields);
  }
}
