/** Who makes a request. The one place to ask, whatever proves it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../env.ts';
import { userOfCookie } from './cookie.ts';

export interface Identity {
  kind: 'anonymous';
  /** Stands for the user in sessions, history and logs; reveals nothing about the person. */
  user: string;
}

/** The user whom the request proves to come from, or null. */
export function identify(request: Request, config: Config): Identity | null {
  const user = userOfCookie(request.headers.get('cookie'), config.sessionSecret);
  return user === null ? null : { kind: 'anonymous', user };
}

/** Whether the request carries the operator's token. Without a configured one nobody does. */
export function isOperator(request: Request, config: Config): boolean {
  if (config.operatorToken === null) return false;
  const [, token] = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  if (token === undefined) return false;
  // Digests have one length whatever was sent, so the comparison tells nothing about the token.
  return timingSafeEqual(digest(token), digest(config.operatorToken));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
