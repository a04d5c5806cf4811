/** What the lab's commands have in common: how they read a number, are interrupted, and end. */
import { LoadError } from './scenario.ts';

export const EXIT = { ok: 0, failed: 1, interrupted: 130 };

export function numberOf(option: string, text: string | undefined, max: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new LoadError('usage', `${option} must be a whole number from 1 to ${max}.`);
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
