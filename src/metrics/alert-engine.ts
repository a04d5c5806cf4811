/**
 * Rules held against a bot, again and again. Pure: what was known, what is measured now, and what
 * comes of it.
 *
 *     well --broken--> pending --broken for forMs--> firing --well for resolveAfterMs--> resolved
 *       ^________well____|                             ^___broken again meanwhile___|
 */
import { countersOf, increase, valueOf, type Counters, type Measured } from './alert-measures.ts';
import { ALERT_RULES, LONGEST_WINDOW_MS, type AlertRule, type AlertView, type Severity } from './alert-rules.ts';

/** How often rules should be looked at while something is going on. */
export const EVALUATE_EVERY_MS = 10_000;
/** Counters are kept at most this often; a window begins at most this much too early. */
const KEEP_EVERY_MS = 9_000;
/** After such a gap nobody knows whether a rule was broken all the while: its time begins anew. */
const MAX_GAP_MS = 60_000;

interface KeptCounters {
  at: number;
  counters: Counters;
}

/** Where one rule stands. Times in ms since 1970. */
interface Track {
  rule: string;
  severity: Severity;
  threshold: number;
  /** When it was found broken first. */
  since: number;
  firing: boolean;
  /** The worst value since then. */
  value: number;
  /** Since when it holds again, while the alert still fires. */
  wellSince: number | null;
}

/** What has to be kept between two evaluations; plain data, fit for JSON. */
export interface AlertState {
  /** Oldest first. */
  window: readonly KeptCounters[];
  tracks: readonly Track[];
  evaluatedAt: number;
}

export interface Evaluation {
  state: AlertState;
  /** Alerts that have just begun to fire, and those that have just ended. */
  fired: AlertView[];
  resolved: AlertView[];
  /** When to evaluate again at the latest even if nothing else happens; null: not before something does. */
  againMs: number | null;
}

/** `counters` are what the bot's first window begins with: those of a new bot are zero. */
export function firstAlertState(stats: Measured['stats'], now: number): AlertState {
  return { window: [{ at: now, counters: countersOf(stats) }], tracks: [], evaluatedAt: now };
}

/** Holds the rules against a bot as it is at `now` (ms since 1970). */
export function evaluateAlerts(
  before: AlertState,
  bot: string,
  measured: Measured,
  now: number,
  rules: readonly AlertRule[] = ALERT_RULES,
): Evaluation {
  const current = { at: now, counters: countersOf(measured.stats) };
  const wasBlind = now - before.evaluatedAt > MAX_GAP_MS;
  const tracks: Track[] = [];
  const fired: AlertView[] = [];
  const resolved: AlertView[] = [];
  for (const rule of rules) {
    const known = before.tracks.find((track) => track.rule === rule.name && track.severity === rule.severity);
    const during = increase(startOfWindow(before.window, now - rule.windowMs) ?? current.counters, current.counters);
    const track = follow(rule, known, valueOf(rule.measure, measured, during), now, wasBlind);
    if (track?.firing && !known?.firing) fired.push(viewOf(track, bot, null));
    if (known?.firing && !track) resolved.push(viewOf(known, bot, now));
    if (track) tracks.push(track);
  }
  // A rule that an update took away cannot be broken any more.
  const orphans = before.tracks.filter(
    (track) => track.firing && !rules.some(({ name, severity }) => track.rule === name && track.severity === severity),
  );
  resolved.push(...orphans.map((track) => viewOf(track, bot, now)));
  const state = { window: keep(before.window, current), tracks, evaluatedAt: now };
  return { state, fired, resolved, againMs: tracks.length > 0 ? EVALUATE_EVERY_MS : null };
}

/** Ends what fires, for a bot that is deleted. */
export function resolveAll(before: AlertState, bot: string, now: number): { state: AlertState; resolved: AlertView[] } {
  const resolved = before.tracks.filter(({ firing }) => firing).map((track) => viewOf(track, bot, now));
  return { state: { ...before, tracks: [] }, resolved };
}

/** What fires now. */
export function firingAlerts({ tracks }: AlertState, bot: string): AlertView[] {
  return tracks.filter(({ firing }) => firing).map((track) => viewOf(track, bot, null));
}

/** Where a rule stands after a look at it; undefined when there is nothing to remember. */
function follow(
  rule: AlertRule,
  known: Track | undefined,
  value: number | null,
  now: number,
  wasBlind: boolean,
): Track | undefined {
  const isBroken = value !== null && value > rule.threshold;
  if (!isBroken) {
    if (!known?.firing) return undefined;
    const wellSince = known.wellSince ?? now;
    return now - wellSince >= rule.resolveAfterMs ? undefined : { ...known, wellSince };
  }
  const isNew = !known || (!known.firing && wasBlind);
  const since = isNew ? now : known.since;
  return {
    rule: rule.name,
    severity: rule.severity,
    threshold: rule.threshold,
    since,
    firing: known?.firing === true || now - since >= rule.forMs,
    value: isNew ? value : Math.max(known.value, value),
    wellSince: null,
  };
}

function viewOf({ rule, severity, threshold, value, since }: Track, bot: string, resolvedAt: number | null): AlertView {
  return { rule, severity, bot, value, threshold, startedAt: since, resolvedAt };
}

/** The counters that a window from `at` on starts from: the last ones kept by then, or the oldest there are. */
function startOfWindow(window: readonly KeptCounters[], at: number): Counters | undefined {
  return (window.findLast((kept) => kept.at <= at) ?? window[0])?.counters;
}

/** The window with the newest counters; of those older than every rule looks back, one stays to start from. */
function keep(window: readonly KeptCounters[], current: KeptCounters): KeptCounters[] {
  const last = window.at(-1);
  const grown = last && current.at - last.at < KEEP_EVERY_MS ? [...window] : [...window, current];
  const start = grown.findLastIndex(({ at }) => at <= current.at - LONGEST_WINDOW_MS);
  return grown.slice(Math.max(0, start));
}
