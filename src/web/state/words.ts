/** Times and names as people read them. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const withYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

/** Short, for lists: `now`, `5 min`, `14:03`, `3 Mar`, `3 Mar 2025`. */
export function briefTime(at: number, now: number): string {
  const age = now - at;
  if (age < MINUTE_MS) return 'now';
  if (age < HOUR_MS) return `${Math.floor(age / MINUTE_MS)} min`;
  if (age < DAY_MS) return clock.format(at);
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? dayAndMonth.format(at) : withYear.format(at);
}

/** For messages: the time, with the date where it was another day. */
export function messageTime(at: number, now: number): string {
  const today = new Date(at).toDateString() === new Date(now).toDateString();
  return today ? clock.format(at) : full.format(at);
}

/** Whole, for what is not a matter of today: `3 Mar 2026, 14:03`. */
export function momentOf(at: number): string {
  return full.format(at);
}

export function isoTime(at: number): string {
  return new Date(at).toISOString();
}

export function titleOr(title: string): string {
  return title.trim() === '' ? 'New chat' : title;
}

/** Where a chat is read as a file. */
export function exportHref(session: string, format: string): string {
  return `/api/sessions/${encodeURIComponent(session)}/export?format=${format}`;
}
