/** SQLite for tests outside workerd: the same statements on `node:sqlite`. */
import { DatabaseSync } from 'node:sqlite';
import type { SqlPort, SqlValue } from '../../src/log/sql.ts';

type Stored = string | number | bigint | null | Uint8Array;

/** @param path of a database; default: one in memory */
export function nodeSql(path = ':memory:'): SqlPort & { close(): void } {
  const db = new DatabaseSync(path);
  return {
    exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]) {
      const statement = db.prepare(query);
      const values = bindings.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
      const reads = statement.columns().length > 0;
      const rows = reads ? statement.all(...values).map((row) => fromNode(row) as Row) : [];
      if (!reads) statement.run(...values);
      return { toArray: () => rows };
    },
    transaction<T>(body: () => T): T {
      db.exec('SAVEPOINT body');
      try {
        const result = body();
        db.exec('RELEASE body');
        return result;
      } catch (error) {
        db.exec('ROLLBACK TO body');
        db.exec('RELEASE body');
        throw error;
      }
    },
    close: () => db.close(),
  };
}

function fromNode(row: Record<string, Stored>): Record<string, SqlValue> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value instanceof Uint8Array) return [name, new Uint8Array(value).buffer];
      return [name, typeof value === 'bigint' ? Number(value) : value];
    }),
  );
}
