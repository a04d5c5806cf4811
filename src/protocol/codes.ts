/**
 * Error and close codes: stable names that clients may switch on. Sentences meant for people
 * travel beside them and may change at any time.
 */

/** Why a frame or request was refused. Nothing was changed by a refused frame. */
export const REQUEST_ERRORS = [
  'bad_json',
  'bad_frame',
  'binary_frame',
  'frame_too_large',
  'hello_required',
  'protocol_version',
  'text_empty',
  'text_too_long',
  'text_malformed',
  'id_conflict',
  'queue_full',
  'not_queued',
  'not_running',
  'stale_base',
  'nothing_to_regenerate',
  'session_not_found',
  'too_many_tabs',
  'too_many_shares',
  'bot_not_found',
  'bot_exists',
  'unauthorized',
  'origin_forbidden',
  'rate_limited',
  'not_found',
  'method_not_allowed',
  'bad_request',
  'body_too_large',
  'upgrade_required',
  'unavailable',
  'internal',
] as const;

/** Why a turn ended without an answer. The session goes on with the next message. */
export const TURN_ERRORS = [
  'connect_timeout',
  'first_token_timeout',
  'idle_timeout',
  'total_timeout',
  'endpoint_unreachable',
  'endpoint_redirected',
  'endpoint_not_json',
  'endpoint_unauthorized',
  'endpoint_busy',
  'endpoint_error',
  'model_not_found',
  'model_error',
  'answer_incomplete',
  'answer_malformed',
  'line_too_long',
  'bot_unavailable',
  'bot_stopped',
  'line_full',
  'line_timeout',
  'budget_exhausted',
  'interrupted',
] as const;

export type RequestErrorCode = (typeof REQUEST_ERRORS)[number];
export type TurnErrorCode = (typeof TURN_ERRORS)[number];

/**
 * Close codes. 4100-4199: connect again, nothing is wrong with the session. 4400-4499: do not,
 * the same attempt would end the same way. Everything else (1001, 1006, 1011, ...) is the
 * network's or the platform's: connect again.
 */
export const CLOSE = {
  /** The server restarts or the session moves. */
  goingAway: 4100,
  /** Nothing was heard of the client for too long. */
  silent: 4101,
  /** `hello` did not come in time. */
  helloTimeout: 4102,
  /** Far more was sent than the client has credited: it asks on without reading. */
  notReading: 4103,
  /** Too many frames that could not be read. */
  badFrames: 4400,
  /** What proved who this is has expired, or was taken back. */
  unauthorized: 4401,
  /** Unknown session, or not yours; or it was deleted while connected. */
  sessionNotFound: 4404,
  /** The client's protocol version is not served. */
  protocolVersion: 4409,
  /** More tabs than one session serves. */
  tooManyTabs: 4429,
} as const;

/** Whether a client that was closed with `code` should connect again. */
export function shouldReconnect(code: number): boolean {
  return code < 4400 || code > 4499;
}
