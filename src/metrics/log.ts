/**
 * The one place that writes log lines: JSON, one object a line, with `at` (ISO 8601), `level` and
 * `event`. Fields are ids, codes, counts and times; never what a person or a model wrote, never a
 * secret, never a user or an address.
 *
 * Lines are written always or not at all, not sampled: one per API request and one per turn is what
 * a fault is found with, and a sample misses just the one that somebody asks about. Who pays by the line sets
 * LOG_LEVEL to `error`, or `head_sampling_rate` in wrangler.toml, which drops whole invocations.
 */

export const LOG_LEVELS = ['error', 'info'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;
export type LogEvent = (event: string, fields: LogFields) => void;

export interface Log {
  /** What happens all the time: a request, a turn. */
  info: LogEvent;
  /** A fault: of ours, or of what we lean on. */
  error: LogEvent;
}

/** The longest field, in UTF-16 code units; a stack fits. */
const MAX_FIELD_LENGTH = 4_000;

export function createLog(level: LogLevel, write: (line: string) => void = toConsole): Log {
  const at = (of: LogLevel) => (event: string, fields: LogFields) => {
    const line: Record<string, LogFields[string]> = { at: new Date().toISOString(), level: of, event };
    for (const [name, value] of Object.entries(fields)) {
      // What says when and what happened is not for a field to change.
      if (Object.hasOwn(line, name)) continue;
      line[name] = typeof value === 'string' ? value.slice(0, MAX_FIELD_LENGTH) : value;
    }
    write(JSON.stringify(line));
  };
  return { info: level === 'info' ? at('info') : () => {}, error: at('error') };
}

function toConsole(line: string): void {
  console.log(line);
}
