/** Runs what a report is made of, each in a process of its own, so that one that fails ends no other. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Planned } from './plan.ts';
import { FAILURES_FILE, readFailures } from './runs.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const DRILL_CLI = fileURLToPath(new URL('../drill-cli.ts', import.meta.url));
/** Starting, warming up, checking and what a scenario adds for itself; beyond it a run hangs. */
const SPARE_MS = 15 * 60_000;
const FULL_SPARE_MS = 4 * 60 * 60_000;
/** After a first signal a command ends what it started; a second one ends it at once. */
const ENDING_MS = 20_000;
const MAX_PROBLEM_CHARACTERS = 2_000;
/** A run says something every second; of a whole report this is enough to see that it goes on. */
const SAY_MS = 10_000;

export type RunOne = (planned: Planned, file: string, options: RunAllOptions) => Promise<string>;

export interface RunAllOptions {
  folder: string;
  full: boolean;
  signal: AbortSignal;
  say(this: void, line: string): void;
  /** Runs one, which leaves `file` where it has figures, and says how it ended. */
  runOne?: RunOne;
}

/**
 * Leaves one JSON file a run in `folder`, and one that tells of those without figures: of these runs anew, of others
 * what it told before.
 */
export async function runAll(plan: readonly Planned[], options: RunAllOptions): Promise<void> {
  const { folder, signal, say, runOne = runCommandOf } = options;
  await mkdir(folder, { recursive: true });
  let failed = await readFailures(folder);
  for (const [index, planned] of plan.entries()) {
    signal.throwIfAborted();
    const { name } = planned;
    const file = join(folder, `${name}.json`);
    // What an earlier report left must not pass for this one's.
    await rm(file, { force: true });
    await rm(join(folder, `${name}.html`), { force: true });
    say(`${index + 1} of ${plan.length}: ${name}`);
    const problem = await runOne(planned, file, options);
    signal.throwIfAborted();
    failed = failed.filter((one) => one.name !== name);
    // A missed gate fails a command, too: its figures are there all the same.
    if (!existsSync(file)) {
      say(`${name} left no figures: ${problem}`);
      failed.push({ name, problem });
    }
    await writeFile(join(folder, FAILURES_FILE), `${JSON.stringify(failed, null, 2)}\n`);
  }
}

/** What it said of its end. */
async function runCommandOf(planned: Planned, file: string, { full, signal, say }: RunAllOptions): Promise<string> {
  const { kind, name, seconds } = planned;
  const args = [kind === 'drill' ? DRILL_CLI : CLI, name, '--json', file];
  if (full && kind === 'scenario') args.push('--full');
  if (!full && seconds !== null) args.push('--seconds', String(seconds));
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-MAX_PROBLEM_CHARACTERS);
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('error', (error) => resolve(error.message));
  child.once('close', (code, ended) => resolve(`${lastLine(said)} (${ended ?? `exit code ${code}`})`));
  let shown = '';
  const saying = setInterval(() => {
    const line = lastLine(said);
    if (line !== shown) say(`  ${line}`);
    shown = line;
  }, SAY_MS);
  let timeUp = false;
  const end = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGTERM'), ENDING_MS).unref();
  };
  const timer = setTimeout(
    () => {
      timeUp = true;
      end();
    },
    full ? FULL_SPARE_MS : SPARE_MS + (seconds ?? 0) * 1_000,
  );
  signal.addEventListener('abort', end, { once: true });
  const problem = await promise;
  clearTimeout(timer);
  clearInterval(saying);
  signal.removeEventListener('abort', end);
  return timeUp ? `it did not end in time: ${problem}` : problem;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
