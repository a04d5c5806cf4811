/** What every load scenario is and returns. New ones are a module in `scenarios/` and a line in `scenarios.ts`. */

export interface ScenarioOptions {
  /** As long as the reports' own runs were, where the scenario is shorter by default. */
  full: boolean;
  /** How long is measured in all, in seconds; null: as long as the scenario itself thinks right. */
  seconds: number | null;
  /** Users at once; null: the scenario's own number. */
  users: number | null;
  /** Tokens of an answer; null: the scenario's own number. */
  tokens: number | null;
  /** The folder under which servers keep their state; null: the default, see state-folder.ts. */
  state: string | null;
  /** The server to load; null: one that the scenario starts itself. */
  url: URL | null;
  /** Aborted by Ctrl-C: the scenario ends what it started and rejects with the reason. */
  signal: AbortSignal;
  /** One short line about what happens just now. */
  progress(this: void, line: string): void;
}

/** One measured number. */
export interface Figure {
  /** The table it stands in. */
  group: string;
  /** Whose number it is: the column. */
  subject: string;
  /** What it is: the row. */
  name: string;
  /** Null: could not be measured here. */
  value: number | null;
  unit: string;
  /** The rounds that `value` is the median of. */
  rounds?: readonly number[];
}

/** A bound that must hold, or the command fails. */
export interface Gate {
  name: string;
  value: number;
  limit: number;
  ok: boolean;
}

export interface ScenarioResult {
  figures: Figure[];
  gates: Gate[];
  /** What a reader has to know to read the figures rightly. */
  notes: string[];
  /** For the report. */
  charts?: Chart[];
}

/** A drawing of some of the figures, or of how they went. */
export interface Chart {
  title: string;
  kind: 'lines' | 'bars';
  /** Of the horizontal axis: seconds, users, ...; for bars the classes are named by `labels`. */
  x: string;
  y: string;
  labels?: string[];
  series: { name: string; points: [x: number, y: number][] }[];
}

/** With these words a note says what was left out, and the report finds it. */
export const NOT_RUN = 'NOT RUN';

export interface Scenario {
  name: string;
  summary: string;
  /** How long it measures within a short report, where by itself it is too long for that. */
  reportSeconds?: number;
  run(options: ScenarioOptions): Promise<ScenarioResult>;
}

/** @param value null: it did not happen, or could not be measured, which is no success */
export function atLeast(name: string, value: number | null, limit: number): Gate {
  return gate(name, value, limit, (known) => known >= limit);
}

/** @param value null as in `atLeast` */
export function atMost(name: string, value: number | null, limit: number): Gate {
  return gate(name, value, limit, (known) => known <= limit);
}

function gate(name: string, value: number | null, limit: number, isHeld: (value: number) => boolean): Gate {
  return { name, value: value ?? Number.NaN, limit, ok: value !== null && isHeld(value) };
}

/** What was asked for cannot be done: the person is told so in one line. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly code: 'usage' | 'start_failed' | 'not_finished';

  constructor(code: LoadError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
