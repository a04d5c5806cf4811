/** The part of SQLite that the log needs. Durable Objects provide it; tests bring `node:sqlite`. */
export type SqlValue = string | number | null | ArrayBuffer;

export interface SqlCursor<Row> {
  toArray(): Row[];
}

export interface SqlPort {
  exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]): SqlCursor<Row>;
  /** Runs `body` so that all of its writes become durable, or none. */
  transaction<T>(body: () => T): T;
}
