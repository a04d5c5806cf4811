/** Refusals as HTTP: one table of statuses, one shape (`application/problem+json`, RFC 9457). */
import type { RequestErrorCode } from '../protocol/codes.ts';
import type { WireError } from '../protocol/server-frames.ts';

/** Said with a refusal that is worth another try when it does not know better itself. */
const DEFAULT_RETRY_AFTER_MS = 1_000;

const PHRASES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;
export type ProblemStatus = keyof typeof PHRASES;

/** The status of each refusal. Codes are the contract; several share a status. */
export const STATUS: Readonly<Record<RequestErrorCode, ProblemStatus>> = {
  bad_json: 400,
  bad_frame: 400,
  binary_frame: 400,
  frame_too_large: 413,
  hello_required: 400,
  protocol_version: 400,
  text_empty: 400,
  text_too_long: 413,
  text_malformed: 400,
  id_conflict: 409,
  queue_full: 429,
  not_queued: 409,
  not_running: 409,
  stale_base: 409,
  nothing_to_regenerate: 409,
  session_not_found: 404,
  too_many_tabs: 429,
  too_many_shares: 409,
  bot_not_found: 404,
  bot_exists: 409,
  unauthorized: 401,
  origin_forbidden: 403,
  rate_limited: 429,
  not_found: 404,
  method_not_allowed: 405,
  bad_request: 400,
  body_too_large: 413,
  upgrade_required: 426,
  unavailable: 503,
  internal: 500,
};

/** Thrown by handlers; becomes a problem. Carries what the client is told, nothing else. */
export class RequestRefused extends Error {
  readonly error: WireError;
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: WireError, headers: Readonly<Record<string, string>> = {}) {
    super(error.message);
    this.name = 'RequestRefused';
    this.error = error;
    this.headers = headers;
  }
}

/** A refusal that would be the same the next time. */
export function refused(
  code: RequestErrorCode,
  message: string,
  headers?: Readonly<Record<string, string>>,
): RequestRefused {
  return new RequestRefused({ code, message, retryable: false }, headers);
}

/** A refusal that may be over after `retryAfterMs`. */
export function refusedForNow(code: RequestErrorCode, message: string, retryAfterMs: number): RequestRefused {
  return new RequestRefused({ code, message, retryable: true, retryAfterMs });
}

export function problemResponse(
  error: WireError,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const status = STATUS[error.code];
  const { code, message, retryable, id } = error;
  const retryAfterMs = error.retryAfterMs ?? (retryable ? DEFAULT_RETRY_AFTER_MS : undefined);
  const body = {
    type: 'about:blank',
    title: PHRASES[status],
    status,
    code,
    detail: message,
    requestId,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(id === undefined ? {} : { id }),
  };
  const all = new Headers({ ...headers, 'content-type': 'application/problem+json' });
  if (retryAfterMs !== undefined) all.set('retry-after', String(Math.ceil(retryAfterMs / 1_000)));
  return new Response(JSON.stringify(body), { status, headers: all });
}
