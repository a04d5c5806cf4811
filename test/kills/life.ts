/** One life of the runtime: a process from its start to SIGKILL. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { FAILPOINT_VARIABLE, REACHED } from './failpoints.ts';
import { SOCKET } from './workerd-config.ts';
import { WORKERD } from './workerd-path.ts';

export interface LifeOptions {
  config: string;
  port: number;
  /** As in `reply.written:3`; null for none. */
  failpoint: string | null;
  onLog: (line: string) => void;
}

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class Life {
  /** Resolves when the port takes connections; never, when the process ends before. */
  readonly ready: Promise<void>;
  /** Resolves when the failpoint is reached; the process stands still from then on. */
  readonly reached: Promise<void>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor({ config, port, failpoint, onLog }: LifeOptions) {
    const child = spawn(
      WORKERD,
      ['serve', '--binary', '--experimental', `--socket-addr=${SOCKET}=127.0.0.1:${port}`, '--control-fd=3', config],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        env: { TZ: 'UTC', ...(failpoint === null ? {} : { [FAILPOINT_VARIABLE]: failpoint }) },
      },
    );
    this.#child = child;
    alive.add(child);
    this.#ended = once(child, 'exit').finally(() => alive.delete(child));
    this.ready = new Promise((resolve) => {
      // "listen" is said once, for the only socket there is.
      const control = child.stdio[3];
      if (control instanceof Readable) control.once('data', () => resolve());
    });
    this.reached = new Promise((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        if (!stream) continue;
        createInterface({ input: stream }).on('line', (line) => {
          if (line.includes(REACHED)) resolve();
          else onLog(line);
        });
      }
    });
  }

  /** Ended by itself: a fault of the runtime or of its configuration. */
  get crashed(): boolean {
    return this.#child.exitCode !== null;
  }

  /** SIGKILL; resolves when the process is gone and its port and files are free. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
