/** Alerts that wait to be delivered: in order, each with tries of its own, never more than a bound. Pure. */
import { alertMessageId } from './alert-webhook.ts';
import type { AlertView } from './alert-rules.ts';

/** More than all rules of a bot firing and ending; beyond it the oldest gives way. */
export const MAX_WAITING_ALERTS = 50;
/** Tries and the waits between them, doubling: about an hour and a half in all. */
export const MAX_ALERT_TRIES = 12;
const RETRY_FIRST_MS = 5_000;
const RETRY_LAST_MS = 15 * 60_000;

/** Plain data, fit for JSON. */
export interface WaitingAlert {
  alert: AlertView;
  tries: number;
  /** When to try next, ms since 1970. */
  nextAt: number;
}

/** The queue with `alerts` at its end, and what had to give way. One that waits already is not added. */
export function enqueueAlerts(
  waiting: readonly WaitingAlert[],
  alerts: readonly AlertView[],
  now: number,
): { waiting: WaitingAlert[]; dropped: AlertView[] } {
  const ids = new Set(waiting.map(({ alert }) => alertMessageId(alert)));
  const added = alerts.filter((alert) => !ids.has(alertMessageId(alert)));
  const all = [...waiting, ...added.map((alert) => ({ alert, tries: 0, nextAt: now }))];
  const excess = Math.max(0, all.length - MAX_WAITING_ALERTS);
  return { waiting: all.slice(excess), dropped: all.slice(0, excess).map(({ alert }) => alert) };
}

/** What to try at `now`, in order: of an alert that both began and ended, only the beginning. */
export function dueAlerts(waiting: readonly WaitingAlert[], now: number): WaitingAlert[] {
  return firstOfEach(waiting).filter(({ nextAt }) => nextAt <= now);
}

/** When something is due next (ms since 1970); null when nothing waits. */
export function nextAlertAt(waiting: readonly WaitingAlert[]): number | null {
  return waiting.length === 0 ? null : Math.min(...firstOfEach(waiting).map(({ nextAt }) => nextAt));
}

/** An end that overtook its beginning would leave its receiver with an incident that is never closed. */
function firstOfEach(waiting: readonly WaitingAlert[]): WaitingAlert[] {
  return waiting.filter((entry) => waiting.find(({ alert }) => isSame(alert, entry.alert)) === entry);
}

function isSame(a: AlertView, b: AlertView): boolean {
  return a.rule === b.rule && a.severity === b.severity && a.bot === b.bot && a.startedAt === b.startedAt;
}

/** The queue after a try of `alert`; `gaveUp` when it was the last one. */
export function alertTried(
  waiting: readonly WaitingAlert[],
  alert: AlertView,
  delivered: boolean,
  now: number,
): { waiting: WaitingAlert[]; gaveUp: boolean } {
  const id = alertMessageId(alert);
  const entry = waiting.find((candidate) => alertMessageId(candidate.alert) === id);
  const others = () => waiting.filter((candidate) => candidate !== entry);
  if (!entry || delivered) return { waiting: others(), gaveUp: false };
  const tries = entry.tries + 1;
  if (tries >= MAX_ALERT_TRIES) return { waiting: others(), gaveUp: true };
  const nextAt = now + Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** entry.tries);
  const later = { ...entry, tries, nextAt };
  return { waiting: waiting.map((candidate) => (candidate === entry ? later : candidate)), gaveUp: false };
}
