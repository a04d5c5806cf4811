/** What happens just now: one line that is written over on a terminal, a line each elsewhere. */
export interface Progress {
  show(this: void, line: string): void;
  clear(): void;
}

const ERASE_LINE = '\r\u001b[2K';

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const startedAt = performance.now();
  const { isTTY } = stream;
  return {
    show(line) {
      const text = `[${((performance.now() - startedAt) / 1_000).toFixed(0)} s] ${line}`;
      stream.write(isTTY ? `${ERASE_LINE}${text.slice(0, stream.columns - 1)}` : `${text}\n`);
    },
    clear() {
      if (isTTY) stream.write(ERASE_LINE);
    },
  };
}
