import type { Bindings } from '../env.ts';
import { createLog, type Log } from '../metrics/log.ts';

/** The log of an object, which works, and says what goes wrong, even where some other variable is wrong. */
export function objectLog({ LOG_LEVEL: level }: Pick<Bindings, 'LOG_LEVEL'>): Log {
  return createLog(level?.trim() === 'error' ? 'error' : 'info');
}
