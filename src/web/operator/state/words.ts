/** Numbers and times as operators read them: short, and never more exact than they are known. */
import type { BotAction, BotState } from '../../../objects/bot-rpc.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What is not known, or not yet. */
export const UNKNOWN = '–';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });

export const STATE_WORDS: Readonly<Record<BotState, string>> = {
  stopped: 'Stopped',
  starting: 'Starting',
  running: 'Running',
  paused: 'Paused',
  degraded: 'Degraded',
};

export const ACTION_WORDS: Readonly<Record<BotAction | 'delete', { verb: string; doing: string; done: string }>> = {
  launch: { verb: 'Launch', doing: 'Launching', done: 'launched' },
  stop: { verb: 'Stop', doing: 'Stopping', done: 'stopped' },
  pause: { verb: 'Pause', doing: 'Pausing', done: 'paused' },
  resume: { verb: 'Resume', doing: 'Resuming', done: 'resumed' },
  delete: { verb: 'Delete', doing: 'Deleting', done: 'deleted' },
};

/** `950 ms`, `2.4 s`, `3 min`, `1 h 5 min`, `3 d 2 h`. */
export function duration(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < SECOND_MS) return `${whole.format(ms)} ms`;
  if (ms < 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return pair(ms, MINUTE_MS, 'min', SECOND_MS, 's');
  if (ms < DAY_MS) return pair(ms, HOUR_MS, 'h', MINUTE_MS, 'min');
  return pair(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

function pair(ms: number, unitMs: number, unit: string, restMs: number, restUnit: string): string {
  const rest = Math.floor((ms % unitMs) / restMs);
  return `${Math.floor(ms / unitMs)} ${unit}${rest === 0 ? '' : ` ${rest} ${restUnit}`}`;
}

/** `1,234`, `12.3K`. */
export function count(value: number): string {
  return value < 10_000 ? whole.format(value) : compact.format(value);
}

/** `0 %`, `0.4 %`, `12 %`. */
export function share(value: number | null): string {
  if (value === null) return UNKNOWN;
  const percent = value * 100;
  return `${percent === 0 || percent >= 10 ? percent.toFixed(0) : percent.toFixed(percent < 0.1 ? 2 : 1)} %`;
}

/** `3 answers`, `1 answer`. */
export function many(value: number, one: string, more = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : more}`;
}

/** The time of day, with the date where it was another day. */
export function moment(at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return isToday ? clock.format(at) : full.format(at);
}

/** `just now`, `12 s ago`. */
export function ago(at: number, now: number): string {
  const age = now - at;
  return age < 2 * SECOND_MS ? 'just now' : `${duration(age)} ago`;
}
