/** The most that is quoted of what D1 says, in characters. */
const MAX_MESSAGE_LENGTH = 200;

/**
 * An error as operators may see it: its name and where it was thrown. Not its message, which may
 * quote what a person wrote (JSON.parse's does; Drizzle's lists the parameters); except what D1
 * itself says, which names tables and never values.
 */
export function describeError(error: unknown): { error: string; stack: string } {
  if (!(error instanceof Error)) return { error: typeof error, stack: '' };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const cause = error.cause instanceof Error ? error.cause : error;
  const said = [error, cause].find(({ message }) => message.startsWith('D1_'))?.message;
  return {
    error: said === undefined ? error.name : `${error.name}: ${said.slice(0, MAX_MESSAGE_LENGTH)}`,
    stack: frames.map((frame) => frame.trim()).join(' | '),
  };
}
