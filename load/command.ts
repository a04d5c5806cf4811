/** What the lab's commands have in common: how they read a number, are interrupted, and end. */
import { existsSync, statSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { reasonOf } from './reason.ts';
import { LoadError } from './scenario.ts';

export const EXIT = { ok: 0, failed: 1, interrupted: 130 };

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
 * The file that `--json` names, or null: opened before the run, whose figures would be lost with it. None is left there
 * that was not there before: a report takes one for a run's figures.
 */
export async function jsonFileOf(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  const isNew = !existsSync(path);
  try {
    await (await open(path, 'a')).close();
  } catch (error) {
    throw new LoadError('usage', `--json ${path} cannot be written: ${reasonOf(error)}`);
  }
  if (isNew) await rm(path);
  return path;
}

/** The first Ctrl-C ends what runs and what it started; the second one this process, at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
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
