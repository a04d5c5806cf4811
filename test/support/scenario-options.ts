import type { ScenarioOptions } from '../../load/scenario.ts';

/** What a scenario is run with where nobody says otherwise, and nobody looks on. */
export const SCENARIO_OPTIONS: ScenarioOptions = {
  full: false,
  seconds: null,
  users: null,
  tokens: null,
  state: null,
  url: null,
  signal: new AbortController().signal,
  progress: () => undefined,
};
