/** Runs what a report is made of, each in a process of its own, so that one that fails ends no other. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Planned } from './plan.ts';
import { FAILURES_FILE, type Failed } from './runs.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const DRILL_CLI = fileURLToPath(new URL('../drill-cli.ts', import.meta.url));
/** Starting, warming up, checking and what a scenario adds for itself; beyond it a run hangs. */
const SPARE_MS = 10 * 60_000;
const FULL_SPARE_MS = 4 * 60 * 60_000;
/** After a first signal a command ends what it started; a second one ends it at once. */
const ENDING_MS = 20_000;
const MAX_PROBLEM_CHARACTERS = 2_000;

export interface RunAllOptions {
  folder: string;
  full: boolean;
  signal: AbortSignal;
  say(this: void, line: string): void;
}

/** Leaves one JSON file a run in `folder`, and one that tells of those without figures. */
export async function runAll(plan: readonly Planned[], options: RunAllOptions): Promise<void> {
  const { folder, signal, say } = options;
  await mkdir(folder, { recursive: true });
  const failed: Failed[] = [];
  for (const [index, planned] of plan.entries()) {
    signal.throwIfAborted();
    const file = join(folder, `${planned.name}.json`);
    // What an earlier report left must not pass for this one's.
    await rm(file, { force: true });
    say(`${index + 1} of ${plan.length}: ${planned.name}`);
    const problem = await runOne(planned, file, options);
    signal.throwIfAborted();
    // A missed gate fails a command, too: its figures are there all the same.
    if (existsSync(file)) continue;
    say(`${planned.name} left no figures: ${problem}`);
    failed.push({ name: planned.name, problem });
    await writeFile(join(folder, FAILURES_FILE), `${JSON.stringify(failed, null, 2)}\n`);
  }
  await writeFile(join(folder, FAILURES_FILE), `${JSON.stringify(failed, null, 2)}\n`);
}

/** What it said of its end. */
async function runOne(planned: Planned, file: string, { full, signal }: RunAllOptions): Promise<string> {
  const { kind, name, seconds, users } = planned;
  const args = [kind === 'drill' ? DRILL_CLI : CLI, name, '--json', file];
  if (full && kind === 'scenario') args.push('--full');
  if (!full && seconds !== null) args.push('--seconds', String(seconds));
  if (!full && users !== undefined) args.push('--users', String(users));
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-MAX_PROBLEM_CHARACTERS);
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('error', (error) => resolve(error.message));
  child.once('close', (code, ended) => resolve(`${lastLine(said)} (${ended ?? `exit code ${code}`})`));
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
  signal.removeEventListener('abort', end);
  return timeUp ? `it did not end in time: ${problem}` : problem;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
