/**
 * The Durable Object through which sessions write to D1: one for all, so that what they bring at about the same
 * time becomes one transaction. Keeps nothing: a session that hears of no success brings its records again.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Bindings } from '../env.ts';
import { Gathering } from '../history/gathering.ts';
import { projectRecords, projectTogether } from '../history/project-records.ts';
import type { SessionKey } from '../history/statements.ts';
import { describeError } from '../metrics/describe-error.ts';
import type { LogRecord } from '../protocol/records.ts';
import type { HistoryRpc } from './history-rpc.ts';
import { D1_SILENT, inTime } from './in-time.ts';
import { objectLog } from './object-log.ts';
import { setTimer } from './set-timer.ts';

/** Its name. */
export const HISTORY_WRITER = 'history';
/**
 * D1 gives a batch up after 30 s, sessions give the call up after 40 and bring the same again. What D1 never answers
 * must be over by then: it counts as under way, and would in the end leave room for nobody.
 */
const WRITE_TIMEOUT_MS = 35_000;

export class HistoryWriter extends DurableObject<Bindings> implements HistoryRpc {
  readonly #gathering = new Gathering({
    now: () => Date.now(),
    setTimer,
    writeTogether: (deliveries) => this.#told(deliveries.length, projectTogether(this.env.DB, deliveries)),
    writeAlone: ({ session, records }) => this.#told(1, projectRecords(this.env.DB, session, records)),
  });

  write(session: SessionKey, records: LogRecord[]): Promise<void> {
    return this.#gathering.add({ session, records });
  }

  /** Waits for `work` in time. What a fault was is known here: its callers learn little more than that there was one. */
  async #told<T>(sessions: number, work: Promise<T>): Promise<T> {
    try {
      return await inTime({ setTimer }, work, WRITE_TIMEOUT_MS, D1_SILENT);
    } catch (error) {
      objectLog(this.env).error('history_write_failed', { sessions, ...describeError(error) });
      throw error;
    }
  }
}
