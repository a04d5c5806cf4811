/** What sessions ask of the object that writes to D1 for all of them. Types only. */
import type { SessionKey } from '../history/statements.ts';
import type { LogRecord } from '../protocol/records.ts';

export interface HistoryRpc {
  /** Resolves when D1 has `records`, a run of the session's log. @throws what D1 throws; again is harmless */
  write(session: SessionKey, records: LogRecord[]): Promise<void>;
}
