/** Errors before the first byte: an HTTP status and Ollama's text for it. */

export class ApiError extends Error {
  readonly code = 'api_error';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Two blanks after the full stop: that is how Ollama writes it. */
export const QUEUE_FULL = 'server busy, please try again.  maximum pending requests exceeded';

/** What Ollama says under these statuses when nothing more specific is known. */
const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'model is required',
  401: 'unauthorized',
  // The check of the Host header answers with no body at all.
  403: '',
  404: "model 'simulator' not found",
  429: 'too many requests',
  499: 'request canceled',
  502: 'bad gateway',
  503: QUEUE_FULL,
};

export function statusText(status: number): string {
  return STATUS_TEXTS[status] ?? 'simulated failure of the server';
}

export function notFound(model: string): ApiError {
  return new ApiError(404, `model '${model}' not found`);
}

/** The error body of `/v1`. */
export function openAiError(status: number, message: string): object {
  const type = status === 400 ? 'invalid_request_error' : status === 404 ? 'not_found_error' : 'api_error';
  return { error: { message, type, param: null, code: null } };
}

/** The error body of `/api`. The sign-in address comes with 401 only. */
export function nativeError(status: number, message: string): object {
  if (status !== 401) return { error: message };
  return { error: message, signin_url: 'https://ollama.com/connect?name=simulator&key=none' };
}
