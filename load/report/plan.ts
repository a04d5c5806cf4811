/** What a report runs, and for how long; whatever is not listed here is not in a report. */
import { SCENARIOS } from '../scenarios.ts';

export interface Planned {
  kind: 'scenario' | 'drill';
  name: string;
  /** Measured in all in a short report; null: as long as the command itself thinks right. */
  seconds: number | null;
}

/** @param seconds given here for a scenario that does not say itself how long it takes within a short report */
function scenario(name: string, seconds = reportSecondsOf(name)): Planned {
  return { kind: 'scenario', name, seconds };
}

function reportSecondsOf(name: string): number | null {
  return SCENARIOS.find((candidate) => candidate.name === name)?.reportSeconds ?? null;
}

function drill(name: string): Planned {
  return { kind: 'drill', name, seconds: null };
}

/** About 11 minutes of measuring; starting, warming up and checking come on top. Drills have their own times. */
export const PLAN: readonly Planned[] = [
  scenario('baseline', 30),
  scenario('low', 30),
  scenario('soak'),
  scenario('medium', 30),
  scenario('long-answers', 30),
  scenario('users-500', 30),
  scenario('high', 30),
  scenario('peak', 60),
  scenario('stress', 60),
  scenario('spike', 20),
  // Three heartbeats each, and longer than a silence may last; all steps that fit, since memory is that of the largest.
  scenario('connections', 16),
  scenario('linear'),
  scenario('operations', 24),
  scenario('render', 5),
  scenario('answers', 36),
  scenario('peers'),
  drill('crash'),
  drill('latency'),
  drill('memory'),
  drill('drops'),
  drill('llm-timeout'),
  drill('d1-down'),
  drill('slow-reader'),
  drill('reconnect-storm'),
  drill('upgrade'),
];
