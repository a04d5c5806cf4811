/** One life of the runtime after the other: each a process from its start to SIGKILL. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SPAWNER = fileURLToPath(new URL('spawner.ts', import.meta.url));

export class Life {
  readonly #ready = Promise.withResolvers<void>();
  readonly #reached = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #sendKill: () => void;
  #killed = false;
  #crashed = false;

  constructor(sendKill: () => void) {
    this.#sendKill = sendKill;
    // Whoever waits for something else does not have to hear of it.
    this.#ready.promise.catch(() => {});
    this.#reached.promise.catch(() => {});
  }

  /** Resolves when the port takes connections; rejects when the process ends without being killed. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when the failpoint is reached: the process stands still. Rejects as `ready` does. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  /** Ended by itself: a fault of the runtime or of its configuration. */
  get crashed(): boolean {
    return this.#crashed;
  }

  /** SIGKILL; resolves when the process is gone and its port and files are free. */
  kill(): Promise<void> {
    this.#killed = true;
    this.#sendKill();
    return this.#ended.promise;
  }

  /** What the spawner says of it. */
  hear(said: string): void {
    if (said === 'ready') this.#ready.resolve();
    else if (said === 'reached') this.#reached.resolve();
    else this.#end(said);
  }

  #end(how: string): void {
    this.#ended.resolve();
    if (this.#killed) return;
    this.#crashed = true;
    const error = new Error(`the runtime has ${how} by itself`);
    this.#ready.reject(error);
    this.#reached.reject(error);
  }
}

/** Starts lives, never two at a time. */
export class Spawner {
  readonly #process: ChildProcess;
  readonly #onLog: (line: string) => void;
  #life: Life | null = null;

  /** `folder` is removed at the end, whatever the end is. */
  constructor(config: string, folder: string, onLog: (line: string) => void) {
    this.#onLog = onLog;
    // Node runs TypeScript as it is; a test runner's own options are not for it.
    this.#process = spawn(process.execPath, [SPAWNER, config, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdin, stdout } = this.#process;
    if (!stdin || !stdout) throw new Error('the spawner cannot be talked to');
    // Its end is heard of below; what is written to it meanwhile goes nowhere.
    stdin.on('error', () => {});
    createInterface({ input: stdout }).on('line', (line) => this.#hear(line));
    this.#process.once('exit', () => this.#life?.hear('ended with the spawner'));
  }

  begin(port: number, failpoint: string | null): Life {
    if (this.#process.stdin?.writableEnded) throw new Error('nobody is to live any more');
    const life = new Life(() => this.#say('kill'));
    this.#life = life;
    this.#say(failpoint === null ? `begin ${port}` : `begin ${port} ${failpoint}`);
    return life;
  }

  /** Ends what runs and removes the folder. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.stdin?.end();
    await exited;
  }

  #say(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  #hear(line: string): void {
    if (line.startsWith('log ')) this.#onLog(line.slice('log '.length));
    else this.#life?.hear(line);
  }
}
