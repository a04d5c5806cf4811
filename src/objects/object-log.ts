import type { Bindings } from '../env.ts';
import { createLog, type Log } from '../metrics/log.ts';

/** One of each for all objects of a process. */
const LOGS = { info: createLog('info'), error: createLog('error') };

/** The log of an object, which works, and says what goes wrong, even where some other variable is wrong. */
export function objectLog({ LOG_LEVEL: level }: Pick<Bindings, 'LOG_LEVEL'>): Log {
  return LOGS[level?.trim() === 'error' ? 'error' : 'info'];
}
