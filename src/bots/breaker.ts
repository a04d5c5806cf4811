/**
 * Keeps turns from an endpoint that fails them. Pure: plain data, every change is a new value.
 *
 *            5 turns failed in a row, or 2 probes
 *    closed ------------------------------------> open
 *      ^  ^        a probe after a deaf spell      | a probe answered, and the pause is over
 *      |  +----------------------------------------+
 *      |     the turn on trial gets somewhere      v
 *      +--------------------------------------- half-open (one turn at a time; its failure opens again)
 *
 * Two kinds of failing need two ways back. An endpoint that did not answer probes ("deaf") is well once
 * it answers one: that is exactly what it could not do. One that answers probes and still fails turns is
 * only known to be well when a turn gets through.
 */
import type { TurnErrorCode } from '../protocol/codes.ts';

export const TURN_FAILURES_TO_OPEN = 5;
export const PROBE_FAILURES_TO_OPEN = 2;
/** How long the breaker stays open before a turn is tried: doubles while trials fail. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;
/** A turn on trial of which nothing is heard for so long was lost with its process. */
const TRIAL_TIMEOUT_MS = 5_000;

/** What a session says of progress is up to a second old: younger than this, it may be from before the end. */
const PROGRESS_AGE_MS = 1_200;

/** Failures that speak against the endpoint, and not against the model, the prompt or us. */
const ENDPOINT_FAILURES: ReadonlySet<TurnErrorCode> = new Set<TurnErrorCode>([
  'connect_timeout',
  'first_token_timeout',
  'idle_timeout',
  'endpoint_unreachable',
  'endpoint_redirected',
  'endpoint_not_json',
  'endpoint_unauthorized',
  'endpoint_busy',
  'endpoint_error',
  'answer_incomplete',
]);

export interface Breaker {
  state: 'closed' | 'open' | 'half-open';
  /** In a row. */
  turnFailures: number;
  probeFailures: number;
  /** When a turn may be tried (ms since 1970); only while open. */
  retryAt: number;
  /** ms since 1970; only while open. */
  openedAt: number;
  /** Openings since it was last closed. */
  openings: number;
  /** A probe failed since it opened: the next one that is answered closes it. */
  deaf: boolean;
  /** The session whose turn is on trial, and when it was heard of last. */
  trial: { session: string; seenAt: number } | null;
}

export type BreakerEvent =
  | { type: 'turn_failed'; code: TurnErrorCode; session: string }
  | { type: 'turn_succeeded' }
  /** Something came of an answer: whatever a probe says, the endpoint lives. */
  | { type: 'turn_progressed'; session: string }
  | { type: 'turn_begun'; session: string }
  /** The session's turn ended or went away without telling anything about the endpoint. */
  | { type: 'turn_left'; session: string }
  | { type: 'probe_answered' }
  | { type: 'probe_failed' };

export const CLOSED: Breaker = {
  state: 'closed',
  turnFailures: 0,
  probeFailures: 0,
  retryAt: 0,
  openedAt: 0,
  openings: 0,
  deaf: false,
  trial: null,
};

export function isEndpointFailure(code: TurnErrorCode): boolean {
  return ENDPOINT_FAILURES.has(code);
}

/** Whether a turn of `session` may begin. */
export function mayBegin({ state, trial }: Breaker, session: string, now: number): boolean {
  if (state === 'closed') return true;
  if (state === 'open') return false;
  return trial === null || trial.session === session || now - trial.seenAt > TRIAL_TIMEOUT_MS;
}

/** The breaker after `event`; the same value when nothing changed. `now`: ms since 1970. */
export function breakerAfter(breaker: Breaker, event: BreakerEvent, now: number): Breaker {
  switch (event.type) {
    case 'turn_succeeded':
      return isPristine(breaker) ? breaker : CLOSED;
    case 'turn_progressed':
      return afterProgress(breaker, event.session, now);
    case 'turn_failed':
      return isEndpointFailure(event.code) ? afterFailure(breaker, now) : withoutTrial(breaker, event.session);
    case 'turn_begun':
      return breaker.state === 'half-open' ? { ...breaker, trial: { session: event.session, seenAt: now } } : breaker;
    case 'turn_left':
      return withoutTrial(breaker, event.session);
    case 'probe_answered':
      return afterAnswer(breaker, now);
    case 'probe_failed':
      return afterSilence(breaker, now);
  }
}

function isPristine({ state, turnFailures, probeFailures, openings }: Breaker): boolean {
  return state === 'closed' && turnFailures === 0 && probeFailures === 0 && openings === 0;
}

function afterProgress(breaker: Breaker, session: string, now: number): Breaker {
  if (breaker.state === 'closed') return breaker;
  if (breaker.trial?.session === session) return CLOSED;
  // An old answer that still flows says nothing about an endpoint that refuses new ones.
  return breaker.deaf && now - breaker.openedAt > PROGRESS_AGE_MS ? CLOSED : breaker;
}

function afterFailure(breaker: Breaker, now: number): Breaker {
  if (breaker.state === 'open') return breaker;
  const turnFailures = breaker.turnFailures + 1;
  if (breaker.state === 'closed' && turnFailures < TURN_FAILURES_TO_OPEN) return { ...breaker, turnFailures };
  return opened({ ...breaker, turnFailures }, now, false);
}

function withoutTrial(breaker: Breaker, session: string): Breaker {
  return breaker.trial?.session === session ? { ...breaker, trial: null } : breaker;
}

function afterAnswer(breaker: Breaker, now: number): Breaker {
  if (breaker.state === 'open') {
    if (breaker.deaf) return CLOSED;
    return now >= breaker.retryAt ? { ...breaker, state: 'half-open', probeFailures: 0, trial: null } : breaker;
  }
  return breaker.probeFailures === 0 ? breaker : { ...breaker, probeFailures: 0 };
}

function afterSilence(breaker: Breaker, now: number): Breaker {
  if (breaker.state === 'open') return breaker.deaf ? breaker : { ...breaker, deaf: true };
  const probeFailures = breaker.probeFailures + 1;
  if (probeFailures < PROBE_FAILURES_TO_OPEN) return { ...breaker, probeFailures };
  return opened({ ...breaker, probeFailures }, now, true);
}

function opened(breaker: Breaker, now: number, deaf: boolean): Breaker {
  const pauseMs = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** breaker.openings);
  return {
    ...breaker,
    state: 'open',
    openedAt: now,
    retryAt: now + pauseMs,
    openings: breaker.openings + 1,
    deaf,
    trial: null,
  };
}
