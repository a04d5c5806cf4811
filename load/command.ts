/** What the lab's commands have in common: how they are asked, run and interrupted, what they leave, and how they end. */
import { existsSync, statSync } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT } from '../src/local/build-worker.ts';
import { currentCommit, describeMachine } from './machine.ts';
import { createProgress } from './progress.ts';
import { reasonOf } from './reason.ts';
import { singleReport } from './report/details.ts';
import { pageOf } from './report/page.ts';
import { runOf } from './report/runs.ts';
import { LoadError, type Scenario, type ScenarioOptions, type ScenarioResult } from './scenario.ts';
import { resultText } from './table.ts';

export const EXIT = { ok: 0, failed: 1, interrupted: 130 };
/** Where figures and pages go that nobody wants elsewhere. */
export const RESULTS = join(ROOT, 'dist/load');
/** Of every command that runs one scenario or drill. */
export const COMMON_OPTIONS = {
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  seconds: { type: 'string' },
  users: { type: 'string' },
  state: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
} as const;

type Kind = 'scenario' | 'drill';

export interface Files {
  json?: string | undefined;
  html?: string | undefined;
}

/** Of scenarios or drills the one that is named. */
export function namedOf(kind: Kind, all: readonly Scenario[], names: readonly string[]): Scenario {
  const [name, ...others] = names;
  if (others.length > 0) throw new LoadError('usage', `Name one ${kind}.`);
  const found = all.find((candidate) => candidate.name === name);
  if (!found) throw new LoadError('usage', `There is no ${kind} "${name}". --list shows them.`);
  return found;
}

/** Runs it, shows what came of it, and leaves its figures and a page. @returns the exit code: a missed gate fails */
export async function runAndShow(
  kind: Kind,
  scenario: Scenario,
  asked: Omit<ScenarioOptions, 'signal' | 'progress'>,
  files: Files,
): Promise<number> {
  const { name } = scenario;
  const jsonFile = await fileOf('--json', files.json);
  const htmlFile = await htmlFileOf(name, files);
  const progress = createProgress();
  const startedAt = new Date();
  let result: ScenarioResult;
  try {
    result = await scenario.run({ ...asked, signal: interruption(), progress: progress.show });
  } finally {
    progress.clear();
  }
  const ok = result.gates.every((gate) => gate.ok);
  const { seconds, users, tokens, state, url } = asked;
  const about = { [kind]: name, startedAt, commit: await currentCommit(), machine: describeMachine() };
  const text = JSON.stringify({ ...about, options: { seconds, users, tokens, state, url }, ok, ...result }, null, 2);
  if (jsonFile !== null) await writeFile(jsonFile, `${text}\n`);
  await writeFile(htmlFile, pageOf(singleReport(runOf(name, JSON.parse(text)))));
  console.log(`${name}\n\n${resultText(result)}\n\n${htmlFile}`);
  return ok ? EXIT.ok : EXIT.failed;
}

export function numberOf(option: string, text: string | undefined, max: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new LoadError('usage', `${option} must be a whole number from 1 to ${max}.`);
}

/** @returns the folder that `--state` names, or null */
export function stateOf(path: string | undefined): string | null {
  if (path === undefined) return null;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new LoadError('usage', `--state ${path} is not a folder.`);
}

/**
 * The file that an option names, or null: opened before the run, whose figures would be lost with it. None is left there
 * that was not there before: a report takes one for a run's figures.
 */
export async function fileOf(option: string, path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  const isNew = !existsSync(path);
  try {
    await (await open(path, 'a')).close();
  } catch (error) {
    throw new LoadError('usage', `${option} ${path} cannot be written: ${reasonOf(error)}`);
  }
  if (isNew) await rm(path);
  return path;
}

/** Where a run's page goes: beside its figures, unless it is wanted elsewhere. */
export async function htmlFileOf(name: string, { json, html }: Files): Promise<string> {
  const beside = json?.endsWith('.json') ? json.replace(/\.json$/, '.html') : join(RESULTS, `${name}.html`);
  const path = html ?? beside;
  if (html === undefined) await mkdir(dirname(path), { recursive: true });
  await fileOf('--html', path);
  return path;
}

/** Aborts at the first Ctrl-C, which ends what runs and what it started; the second one ends this process, at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  // A terminal that is closed sends SIGHUP: what was started would go on without anybody.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort(new LoadError('not_finished', 'Interrupted.'));
    });
  }
  return controller.signal;
}

/** Runs a command, and tells a person what they did wrong in one line. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    const isExpected = error instanceof LoadError || (error instanceof TypeError && 'code' in error);
    console.error(isExpected ? error.message : error);
    process.exitCode = EXIT.failed;
  }
}
