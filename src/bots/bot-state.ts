/** What a bot is doing, from what its operator wants and how its endpoint does. */

/**
 *      launch            endpoint answered             endpoint failing
 *   stopped --> starting ------------------> running <-----------------> degraded
 *      ^  stop (from every state)               | pause  ^ resume
 *      +----------------------------------------+> paused
 */
export type BotState = 'stopped' | 'starting' | 'running' | 'paused' | 'degraded';

export const BOT_ACTIONS = ['launch', 'stop', 'pause', 'resume'] as const;
export type BotAction = (typeof BOT_ACTIONS)[number];

/** What the operator said last. */
export type Desired = 'running' | 'paused' | 'stopped';

/** `failing`: the breaker is not closed, or the last launch found something wrong. */
export function botState(desired: Desired, starting: boolean, failing: boolean): BotState {
  if (desired !== 'running') return desired;
  if (starting) return 'starting';
  return failing ? 'degraded' : 'running';
}

/** What becomes of the operator's will by an action; null where the action makes no sense (a pause of what is stopped). */
export function desiredAfter(desired: Desired, action: BotAction): Desired | null {
  switch (action) {
    case 'launch':
      return 'running';
    case 'stop':
      return 'stopped';
    case 'pause':
      return desired === 'stopped' ? null : 'paused';
    case 'resume':
      return desired === 'stopped' ? null : 'running';
  }
}
