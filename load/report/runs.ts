/** Results of scenarios and drills as their commands wrote them with `--json`, read back and looked into. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { NOT_QUIET } from '../measure/noise.ts';
import { reasonOf } from '../reason.ts';
import { LoadError } from '../scenario.ts';

/** JSON has no NaN: what could not be measured is null there. */
const measured = z.nullable(z.number());

const figure = z.object({
  group: z.string(),
  subject: z.string(),
  name: z.string(),
  value: measured,
  unit: z.string(),
});

const chart = z.object({
  title: z.string(),
  kind: z.enum(['lines', 'bars']),
  x: z.string(),
  y: z.string(),
  labels: z.optional(z.array(z.string())),
  series: z.array(z.object({ name: z.string(), points: z.array(z.tuple([measured, measured])) })),
});
export type RunChart = z.infer<typeof chart>;

const machine = z.object({
  cores: z.number(),
  processor: z.string(),
  memoryBytes: z.number(),
  system: z.string(),
  node: z.string(),
  workerd: z.string(),
});

const written = z.object({
  scenario: z.optional(z.string()),
  drill: z.optional(z.string()),
  startedAt: z.string(),
  commit: z.nullable(z.string()),
  machine,
  /** What was asked for; older results do not say it. */
  options: z.optional(z.object({ seconds: z.nullable(z.number()) })),
  ok: z.boolean(),
  figures: z.array(figure),
  gates: z.array(z.object({ name: z.string(), value: measured, limit: measured, ok: z.boolean() })),
  notes: z.array(z.string()),
  charts: z.optional(z.array(chart)),
});

export interface Run extends Omit<z.infer<typeof written>, 'scenario' | 'drill' | 'charts'> {
  kind: 'scenario' | 'drill';
  name: string;
  charts: RunChart[];
}

/** What a run that left no figures had to say: it is in the report, too. */
export interface Failed {
  name: string;
  problem: string;
}
const failures = z.array(z.object({ name: z.string(), problem: z.string() }));
export const FAILURES_FILE = 'failures.json';

/** Which figure of a run; parts that are not given match any. */
export interface Wanted {
  group?: string;
  subject?: string;
  name: string;
}

export class Runs {
  readonly all: readonly Run[];
  readonly failed: readonly Failed[];

  constructor(all: readonly Run[], failed: readonly Failed[] = []) {
    this.all = all;
    this.failed = failed;
  }

  /** Every JSON file of a folder that a command has written. @throws LoadError for one that it has not, or no folder */
  static async read(folder: string): Promise<Runs> {
    const names = (await filesOf(folder)).filter((name) => name.endsWith('.json')).toSorted();
    const runs: Run[] = [];
    let failed: Failed[] = [];
    for (const name of names) {
      const value = jsonOf(name, await readFile(join(folder, name), 'utf8'));
      if (name === FAILURES_FILE) failed = failuresOf(value);
      else runs.push(runOf(name, value));
    }
    if (runs.length === 0) throw new LoadError('usage', `There are no results in ${folder}.`);
    return new Runs(
      runs.toSorted((one, other) => one.startedAt.localeCompare(other.startedAt)),
      failed,
    );
  }

  run(name: string): Run | null {
    return this.all.find((run) => run.name === name) ?? null;
  }

  /**
   * Null: there is no such run, it has no such figure, or it could not measure it.
   * @throws Error where several figures fit: whoever asks has not said which
   */
  value(run: string, wanted: Wanted): number | null {
    const [figure, ...others] = this.figures(run, wanted);
    if (others.length > 0) throw new Error(`${run} has ${others.length + 1} figures "${wanted.name}": say which.`);
    return figure?.value ?? null;
  }

  figures(run: string, { group, subject, name }: Wanted): Run['figures'] {
    const figures = this.run(run)?.figures ?? [];
    return figures.filter(
      (figure) =>
        figure.name === name &&
        (group === undefined || figure.group === group) &&
        (subject === undefined || figure.subject === subject),
    );
  }

  /** More than one: the report is put together of several. */
  get commits(): string[] {
    return [...new Set(this.all.map(({ commit }) => commit ?? 'unknown'))];
  }

  get missed(): { run: string; gate: Run['gates'][number] }[] {
    return this.all.flatMap(({ name, gates }) => gates.filter(({ ok }) => !ok).map((gate) => ({ run: name, gate })));
  }

  /** Runs that were not alone on their machine. */
  get disturbed(): string[] {
    return this.all.filter(({ notes }) => notes.some((note) => note.includes(NOT_QUIET))).map(({ name }) => name);
  }
}

/** Of the reports that were made in this folder so far; none where there was none. */
export async function readFailures(folder: string): Promise<Failed[]> {
  const names = await filesOf(folder);
  if (!names.includes(FAILURES_FILE)) return [];
  return failuresOf(jsonOf(FAILURES_FILE, await readFile(join(folder, FAILURES_FILE), 'utf8')));
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw new LoadError('usage', `There are no results to read: ${reasonOf(error)}`);
  }
}

/** A run that was ended while it wrote leaves half a file. */
function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new LoadError('usage', `${file} is not JSON.`);
  }
}

function failuresOf(value: unknown): Failed[] {
  const parsed = failures.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new LoadError('usage', `${FAILURES_FILE} is not what a report has written of its failures.`);
}

/** @param file named where it is no result */
export function runOf(file: string, value: unknown): Run {
  const parsed = written.safeParse(value);
  const name = parsed.data?.scenario ?? parsed.data?.drill;
  if (!parsed.success || name === undefined) {
    throw new LoadError('usage', `${file} is not a result that a scenario or a drill has written.`);
  }
  const { scenario, drill: _, charts = [], ...rest } = parsed.data;
  return { ...rest, charts, name, kind: scenario === undefined ? 'drill' : 'scenario' };
}
