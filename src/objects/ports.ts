/** What a session's runtime needs of the world. The Durable Object provides the real things, tests their own. */
import type { BotSpec } from '../bots/spec.ts';
import type { PastTurn } from '../log/conversation.ts';
import type { SessionRow } from '../log/session-log.ts';
import type { LogEvent } from '../metrics/log.ts';
import type { LogRecord } from '../protocol/records.ts';
import type { BotRef } from '../protocol/values.ts';
import type { AnswerStream } from '../responders/port.ts';
import type { SessionAnswer, SessionCall } from './bot-rpc.ts';
import type { SharedLeaves } from './shared-leave.ts';
import type { SharedReports } from './shared-reports.ts';

export interface Question {
  bot: BotRef;
  /** The bot's definition; null: as configuration defines it, or else the model that `bot` names. */
  spec: BotSpec | null;
  text: string;
  /** Earlier turns, newest first; read only as far back as the prompt has room. */
  history: Iterable<PastTurn>;
}

/** A bot's word that a turn may begin, and what to begin it with. */
export interface Permit {
  bot: BotRef;
  spec: BotSpec | null;
  revision: number;
  /** ms */
  waitedMs: number;
}

export interface SessionPorts<Socket> {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `delayMs`; returns what cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
  /** Runs `SessionRuntime.alarm` at or after `at` (ms since 1970), at least once, also in a new process. Replaces an earlier one. */
  setAlarm(at: number): void;
  /** Takes back the alarm that is set; one that is running already goes on. */
  clearAlarm(): void;
  /** When the platform last answered a ping of this socket (ms since 1970); 0 if never. */
  pingedAt(socket: Socket): number;
  /** A call to the object of the bot with this id. */
  attend(bot: string, call: SessionCall): Promise<SessionAnswer>;
  /** Leave that bots gave to everybody; every session of a process has the same. */
  leaves: SharedLeaves;
  /** What sessions of the process have to tell bots; the same for all of them. */
  sharedReports: SharedReports;
  /** The bot with this id, or null where there is none, or none that can be found just now. */
  findBot(id: string): Promise<BotRef | null>;
  /** Rows written in the object since this was asked last. */
  takeRowsWritten(): number;
  /** Asks the bot. Aborting the signal closes the connection to the model. */
  answer(question: Question, signal: AbortSignal): AnswerStream;
  /** Brings records into the history; the same ones again are harmless. */
  deliver(session: SessionRow, records: LogRecord[]): Promise<void>;
  /** Erases the session from the history; again is harmless. */
  forget(session: SessionRow): Promise<void>;
  /** Erases what is left of the object's own storage. */
  destroy(): Promise<void>;
  /** A line in the log for a fault, and for what happens all the time; see metrics/log.ts. */
  report: LogEvent;
  note: LogEvent;
}
