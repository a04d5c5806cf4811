/** How soon a session is to call its bot again: often enough to learn what changed, rarely enough that many are served. Pure. */

/** Between two calls of a busy session: so soon it learns of a stop. Slower when there are many. */
const CALL_AGAIN_MS = 1_000;
const SLOWEST_RUNNING_CALL_MS = 1_500;
const RUNNING_CALLS_PER_SECOND = 500;
/** Waiting turns poll, too, lest a wake was lost: the longer the line, the more rarely. */
const WAITING_CALLS_PER_SECOND = 200;
const SLOWEST_WAITING_CALL_MS = 30_000;
/** While an operator keeps the bot closed; sessions are woken when it opens. */
const CLOSED_CALL_MS = 30_000;

/** For one of `running` sessions with a turn under way; ms. */
export function runningCallMs(running: number): number {
  const fair = (running * 1_000) / RUNNING_CALLS_PER_SECOND;
  return Math.ceil(Math.max(CALL_AGAIN_MS, Math.min(SLOWEST_RUNNING_CALL_MS, fair)));
}

/** For one of `waiting` turns; ms. `isClosed`: by a person, which may last. */
export function waitingCallMs(waiting: number, isClosed: boolean): number {
  if (isClosed) return CLOSED_CALL_MS;
  const fair = (waiting * 1_000) / WAITING_CALLS_PER_SECOND;
  return Math.ceil(Math.max(CALL_AGAIN_MS, Math.min(SLOWEST_WAITING_CALL_MS, fair)));
}
