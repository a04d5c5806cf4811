/** What a command of this project does with an error: one line for what its user can mend, a stack for a defect. */
import { ConfigError } from '../env.ts';

/** A command line that means nothing. The message is one line. */
export class UsageError extends Error {
  readonly code = 'usage';
}

/** Runs `main`; ends the process with code 1 when it fails. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    // What Node and Miniflare expect to go wrong (a taken port, an unknown option, a full disk) has a code.
    const isExpected = error instanceof ConfigError || (error instanceof Error && 'code' in error);
    console.error(isExpected ? error.message : error);
    process.exit(1);
  }
}
