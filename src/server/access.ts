/** Who may do what, as the handlers ask it. */
import { randomBytes } from 'node:crypto';
import { identify, isOperator, type Identity } from '../auth/identity.ts';
import type { Config } from '../env.ts';
import { refused } from './problem.ts';

const SESSION_ID_BYTES = 16;
const SESSION_ID_PATTERN = /^s_[0-9a-f]{32}$/;

/** An id for a new session: 128 random bits, so that a guess never meets an object. */
export function newSessionId(): string {
  return `s_${randomBytes(SESSION_ID_BYTES).toString('hex')}`;
}

/** Asked before an object is touched: any other name would bring an object into being. */
export function isSessionId(id: string): boolean {
  return SESSION_ID_PATTERN.test(id);
}

/** @throws RequestRefused `session_not_found` for what cannot be a session's id */
export function checkSessionId(id: string): string {
  if (!isSessionId(id)) throw refused('session_not_found', 'There is no such session.');
  return id;
}

/** @throws RequestRefused `unauthorized` */
export function requireUser(request: Request, config: Config): Identity {
  const identity = identify(request, config);
  if (identity === null) throw refused('unauthorized', 'The request carries no valid cookie of a user.');
  return identity;
}

/** @throws RequestRefused `unauthorized` */
export function requireOperator(request: Request, config: Config): void {
  if (isOperator(request, config)) return;
  const message =
    config.operatorToken === null
      ? 'This is for operators, and no OPERATOR_TOKEN is set.'
      : 'This is for operators: send the operator token as "Authorization: Bearer ...".';
  throw refused('unauthorized', message, { 'www-authenticate': 'Bearer realm="switchboard"' });
}
