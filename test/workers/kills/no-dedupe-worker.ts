/** Planted bug: a message that is posted again is taken for a new one. */
import { ChatSession as Failing } from './failing-worker.ts';

export { Bot, HistoryWriter, default } from './failing-worker.ts';

export class ChatSession extends Failing {
  override send(...call: Parameters<Failing['send']>): ReturnType<Failing['send']> {
    const { sql } = this.ctx.storage;
    // Storage would refuse it too.
    sql.exec('DROP INDEX IF EXISTS log_client_id');
    const { exec } = sql;
    Object.defineProperty(sql, 'exec', {
      configurable: true,
      writable: true,
      value(query: string, ...bindings: unknown[]) {
        if (!query.includes('WHERE client_id')) return exec.call(sql, query, ...bindings);
        // The first look, before it is accepted, finds nothing.
        sql.exec = exec;
        return exec.call(sql, `${query} AND false`, ...bindings);
      },
    });
    return super.send(...call);
  }
}
