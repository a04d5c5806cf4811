/** What the headless client rejects with. */
import type { RequestErrorCode } from '../protocol/codes.ts';

/**
 * - a code of the wire: the server said it, or would have said it
 * - `closed`: the client was closed before it was done
 * - `outbox`: the message could not be stored, so it was not sent either
 */
type ClientErrorCode = RequestErrorCode | 'closed' | 'outbox';

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** A refusal as it came over the wire. */
  static of(error: { code: RequestErrorCode; message: string }): ClientError {
    return new ClientError(error.code, error.message);
  }
}
