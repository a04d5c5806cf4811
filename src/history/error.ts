import type { RequestErrorCode } from '../protocol/codes.ts';

/**
 * - `bad_request`: the caller's cursor is not one of ours
 * - `unavailable`: somebody else wrote the same rows meanwhile; doing it once more settles it
 * - `internal`: the input breaks a bound that the rest of the house is to keep
 */
export type HistoryErrorCode = Extract<RequestErrorCode, 'bad_request' | 'unavailable' | 'internal'>;

/** What history itself refuses. Errors of D1 are thrown as they come: the caller retries those. */
export class HistoryError extends Error {
  readonly code: HistoryErrorCode;

  constructor(code: HistoryErrorCode, message: string) {
    super(message);
    this.name = 'HistoryError';
    this.code = code;
  }
}
