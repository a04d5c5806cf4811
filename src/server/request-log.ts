/** One line for each request: its route's pattern, never its path, which may hold a share's token or a text. */
import type { Context } from 'hono';
import { routePath } from 'hono/route';
import type { LogFields } from '../metrics/log.ts';
import { BOT_ID, SESSION_ID } from '../protocol/ids.ts';
import type { AppEnv } from './deps.ts';

const SESSION_IN_PATH = new RegExp(`^/api/sessions/(${SESSION_ID})(?:/|$)`);
const BOT_IN_PATH = new RegExp(`^/api/bots/(${BOT_ID})(?:/|$)`);
/** The pattern of what belongs to no route. */
const NO_ROUTE = '(none)';
/** Balancers ask every few seconds, and get the same answer. */
const LIVENESS_ROUTE = '/api/health';

/**
 * The line's fields; null for what is not worth one. `startedAt` and `now` in ms since 1970.
 * `session` and `turn` join it with what the session's object logs.
 */
export function requestLine(c: Context<AppEnv>, isData: boolean, startedAt: number, now: number): LogFields | null {
  const { status } = c.res;
  const isWell = status < 400;
  // A page is dozens of static files, and the platform counts those.
  if (!isData && isWell) return null;
  const route = patternOf(c);
  if (route === LIVENESS_ROUTE && isWell) return null;
  const session = SESSION_IN_PATH.exec(c.req.path)?.[1];
  // What is no bot's id may be anything that somebody typed.
  const bot = isWell ? BOT_IN_PATH.exec(c.req.path)?.[1] : undefined;
  const { requestId, problem, turn } = c.var;
  return {
    requestId,
    method: c.req.method,
    route,
    status,
    ms: now - startedAt,
    ...(problem === undefined ? {} : { code: problem }),
    ...(session === undefined ? {} : { session }),
    ...(turn === undefined ? {} : { turn }),
    ...(bot === undefined ? {} : { bot }),
  };
}

/** The last route that matched is the handler's; middleware comes before it. */
function patternOf(c: Context<AppEnv>): string {
  const pattern = routePath(c, -1);
  return pattern === '/*' || pattern === '*' || pattern === '' ? NO_ROUTE : pattern.replace(/(?<=.)\/$/, '');
}
