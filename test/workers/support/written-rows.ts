/** Rows written as D1 counts and bills them. */
export interface WrittenRows {
  /** In the tables, secondary indexes included. */
  rows: number;
  /** In the search index. */
  indexRows: number;
}

/** What a batch of `statements` wrote. */
export function rowsWritten(statements: readonly D1PreparedStatement[], results: readonly D1Result[]): WrittenRows {
  return sumOfRows(
    results.map(({ meta }, index) =>
      isOfIndex(statements[index])
        ? { rows: 0, indexRows: meta.rows_written }
        : { rows: meta.rows_written, indexRows: 0 },
    ),
  );
}

export function sumOfRows(written: readonly WrittenRows[]): WrittenRows {
  const sum = { rows: 0, indexRows: 0 };
  for (const { rows, indexRows } of written) {
    sum.rows += rows;
    sum.indexRows += indexRows;
  }
  return sum;
}

/** A statement keeps its text, which its type does not show. */
function isOfIndex(statement: D1PreparedStatement | undefined): boolean {
  return statement !== undefined && String(Reflect.get(statement, 'statement')).includes('INTO messages_fts');
}
