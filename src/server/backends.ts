/** Calls to what may be down for a while: session objects and D1. */
import { HistoryError } from '../history/error.ts';
import type { Result } from '../objects/session-rpc.ts';
import { describeError } from '../metrics/describe-error.ts';
import type { ServerDeps } from './deps.ts';
import { RequestRefused, refused, refusedForNow } from './problem.ts';

/** An object that crashed is back within milliseconds, one that is overloaded after about a second. */
const OBJECT_RETRY_MS = 1_000;
const DATABASE_RETRY_MS = 5_000;

/**
 * What the session's object answers.
 * @throws RequestRefused with the object's own refusal, or `unavailable` when it could not answer
 */
export async function askSession<T>(deps: ServerDeps, requestId: string, call: () => Promise<Result<T>>): Promise<T> {
  return valueOf(await guardSession(deps, requestId, call));
}

/** The same of the bot's object. */
export async function askBot<T>(deps: ServerDeps, requestId: string, call: () => Promise<Result<T>>): Promise<T> {
  return valueOf(await guard('bot', deps, requestId, call));
}

/** @throws RequestRefused `unavailable` when the session's object threw */
export function guardSession<T>(deps: ServerDeps, requestId: string, call: () => Promise<T>): Promise<T> {
  return guard('session', deps, requestId, call);
}

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new RequestRefused(result.error);
  return result.value;
}

/** An object that throws crashed, is overloaded, or is being replaced. */
async function guard<T>(
  whose: 'session' | 'bot',
  deps: ServerDeps,
  requestId: string,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    deps.report(`${whose}_call_failed`, { requestId, ...describeError(error) });
    throw refusedForNow('unavailable', `The ${whose} does not answer just now.`, OBJECT_RETRY_MS);
  }
}

/** @throws RequestRefused `bad_request` for a cursor that is not ours, `unavailable` when D1 is down */
export async function askHistory<T>(deps: ServerDeps, requestId: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof HistoryError && error.code === 'bad_request') throw refused('bad_request', error.message);
    deps.report('history_read_failed', { requestId, ...describeError(error) });
    const message = 'Lists, search and metrics are not available just now; conversations go on.';
    throw refusedForNow('unavailable', message, DATABASE_RETRY_MS);
  }
}
