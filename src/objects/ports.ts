/** What a session's runtime needs of the world. The Durable Object provides the real things, tests their own. */
import type { PastTurn } from '../log/conversation.ts';
import type { SessionRow } from '../log/session-log.ts';
import type { LogRecord } from '../protocol/records.ts';
import type { BotRef } from '../protocol/values.ts';
import type { AnswerStream } from '../responders/port.ts';

export interface Question {
  bot: BotRef;
  text: string;
  /** Earlier turns, newest first; read only as far back as the prompt has room. */
  history: Iterable<PastTurn>;
}

export interface SessionPorts<Socket> {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `delayMs`; returns what cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
  /** Runs `SessionRuntime.alarm` at or after `at` (ms since 1970), at least once, also in a new process. Replaces an earlier one. */
  setAlarm(at: number): void;
  /** When the platform last answered a ping of this socket (ms since 1970); 0 if never. */
  pingedAt(socket: Socket): number;
  /** Asks the bot. Aborting the signal closes the connection to the model. */
  answer(question: Question, signal: AbortSignal): AnswerStream;
  /** Brings records into the history; the same ones again are harmless. */
  deliver(session: SessionRow, records: LogRecord[]): Promise<void>;
  /** Erases the session from the history; again is harmless. */
  forget(session: SessionRow): Promise<void>;
  /** Erases what is left of the object's own storage. */
  destroy(): Promise<void>;
  /** One structured line for operators; never message text. */
  report(event: string, fields: Record<string, string | number | boolean>): void;
}
