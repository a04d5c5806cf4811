/** What a report runs, and for how long; whatever is not listed here is not in a report. */
import { SCENARIOS } from '../scenarios.ts';

export interface Planned {
  kind: 'scenario' | 'drill';
  name: string;
  /** Measured in all in a short report; null: as long as the command itself thinks right. */
  seconds: number | null;
  users?: number;
}

/** What a scenario itself says of a short report goes before what stands in the plan. */
function scenario(name: string, seconds: number, users?: number): Planned {
  const own = SCENARIOS.find((candidate) => candidate.name === name)?.reportSeconds;
  return { kind: 'scenario', name, seconds: own ?? seconds, ...(users === undefined ? {} : { users }) };
}

function drill(name: string): Planned {
  return { kind: 'drill', name, seconds: null };
}

/** About 9 minutes of measuring; starting, warming up and checking come on top. Drills have their own times. */
export const PLAN: readonly Planned[] = [
  scenario('baseline', 30),
  scenario('low', 30),
  scenario('soak', 60),
  scenario('medium', 30),
  scenario('users-500', 30),
  scenario('high', 30),
  scenario('peak', 60),
  scenario('stress', 60),
  scenario('spike', 20),
  scenario('connections', 6, 1_000),
  scenario('linear', 36),
  scenario('operations', 24),
  scenario('render', 5),
  scenario('answers', 36),
  scenario('peers', 70),
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
