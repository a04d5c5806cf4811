/** What a report runs, and for how long; whatever is not listed here is not in a report. */

export interface Planned {
  kind: 'scenario' | 'drill';
  name: string;
  /** Measured in all in a short report; null: as long as the command itself thinks right. */
  seconds: number | null;
  users?: number;
}

/** Somewhat more than 8 minutes of measuring; starting, warming up and checking come on top. Drills have their own times. */
export const PLAN: readonly Planned[] = [
  { kind: 'scenario', name: 'baseline', seconds: 30 },
  { kind: 'scenario', name: 'low', seconds: 30 },
  { kind: 'scenario', name: 'soak', seconds: 30 },
  { kind: 'scenario', name: 'medium', seconds: 30 },
  { kind: 'scenario', name: 'high', seconds: 30 },
  { kind: 'scenario', name: 'peak', seconds: 60 },
  { kind: 'scenario', name: 'stress', seconds: 60 },
  { kind: 'scenario', name: 'spike', seconds: 20 },
  { kind: 'scenario', name: 'connections', seconds: 6, users: 1_000 },
  { kind: 'scenario', name: 'linear', seconds: 36 },
  { kind: 'scenario', name: 'operations', seconds: 24 },
  { kind: 'scenario', name: 'render', seconds: 5 },
  { kind: 'scenario', name: 'answers', seconds: 48 },
  { kind: 'scenario', name: 'peers', seconds: 70 },
  ...['crash', 'latency', 'memory', 'drops', 'llm-timeout', 'd1-down', 'slow-reader', 'reconnect-storm', 'upgrade'].map(
    (name): Planned => ({ kind: 'drill', name, seconds: null }),
  ),
];
