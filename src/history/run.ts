/** Cuts what the caller delivers into runs that D1 takes as one batch each. */
import type { LogRecord } from '../protocol/records.ts';
import { byteLength } from '../protocol/text.ts';

/** Records of one batch, whatever their size. */
export const MAX_BATCH_RECORDS = 500;

/**
 * Texts of one batch, in bytes of JSON. D1 takes 2 MB as one bound value; the search terms of a
 * text are at most 4.5 times its size (words of one letter). A single record may be larger:
 * by itself it still fits, since answers and their terms have bounds of their own.
 */
export const MAX_BATCH_BYTES = 384 * 1024;

/** Consecutive runs of `records`, each within both bounds or of one record. */
export function runsOf(records: readonly LogRecord[]): LogRecord[][] {
  const runs: LogRecord[][] = [];
  let run: LogRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const weight = jsonBytes(record);
    if (run.length > 0 && (run.length === MAX_BATCH_RECORDS || bytes + weight > MAX_BATCH_BYTES)) {
      runs.push(run);
      run = [];
      bytes = 0;
    }
    run.push(record);
    bytes += weight;
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/** Measured as JSON: a control character is one byte in a text and six in what D1 is sent. */
export function jsonBytes(record: LogRecord): number {
  return byteLength(JSON.stringify(record));
}
