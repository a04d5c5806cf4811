/**
 * A copy of the project in a folder of its own, so that `npm start` can be run as it is without
 * reading or writing the `.dev.vars` of whoever runs the tests.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ROOT } from '../../src/local/build-worker.ts';

const COPIED = ['src', 'migrations', 'package.json', 'wrangler.toml'];
const LINE_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

export class House {
  readonly folder = mkdtempSync(join(tmpdir(), 'switchboard-house-'));
  readonly #runs: Run[] = [];

  constructor() {
    for (const name of COPIED) cpSync(join(ROOT, name), join(this.folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  append(name: string, line: string): void {
    appendFileSync(this.path(name), `\n${line}\n`);
  }

  /** @throws Error when `from` is not there: a test would pass for nothing */
  replace(name: string, from: string, to: string): void {
    const text = readFileSync(this.path(name), 'utf8');
    if (!text.includes(from)) throw new Error(`${name} does not contain ${from}`);
    writeFileSync(this.path(name), text.replace(from, to));
  }

  /** Runs `src/local/<command>.ts` with nothing in its environment but what is given. */
  run(command: 'start' | 'dev', args: string[] = [], environment: Record<string, string> = {}): Run {
    return this.#spawn(process.execPath, [this.path(`src/local/${command}.ts`), ...args], environment);
  }

  /** The same as npm runs it: in a shell, which passes no signal on. */
  runByNpm(args: string[]): Run {
    const shell = ['-c', '"$0" "$@"; exit $?', process.execPath, this.path('src/local/start.ts'), ...args];
    return this.#spawn('sh', shell, { npm_lifecycle_event: 'start' });
  }

  #spawn(file: string, args: string[], environment: Record<string, string>): Run {
    const { PATH = '', HOME = '' } = process.env;
    const run = new Run(
      spawn(file, args, {
        cwd: this.folder,
        env: { PATH, HOME, ...environment },
        // A group of its own, to be interrupted as a terminal does it: with everything it started.
        detached: true,
      }),
    );
    this.#runs.push(run);
    return run;
  }

  async close(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Run {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    child.stdout?.on('data', (chunk) => (this.stdout += String(chunk)));
    child.stderr?.on('data', (chunk) => (this.stderr += String(chunk)));
  }

  /** The exit code, once the process has ended and all it said is here. Rejects when it goes on. */
  async ended(): Promise<number | null> {
    const overdue = new AbortController();
    const patience = setTimeout(END_TIMEOUT_MS, 'overdue', { signal: overdue.signal }).catch(() => null);
    const outcome = await Promise.race([this.#closed, patience]);
    overdue.abort();
    if (outcome === 'overdue') throw new Error(`The command goes on:\n${this.stdout}\n${this.stderr}`);
    return this.#child.exitCode;
  }

  /** Resolves with the first match of `pattern` in what was printed. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + LINE_TIMEOUT_MS;
    while (Date.now() < deadline) {
      const found = pattern.exec(this.stdout);
      if (found) return found;
      if (this.#child.exitCode !== null) break;
      await setTimeout(POLL_MS);
    }
    throw new Error(`${String(pattern)} was not printed:\n${this.stdout}\n${this.stderr}`);
  }

  /** Ends what was started, not what that has started. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Ctrl-C, as far as the process can tell. */
  async stop(): Promise<number | null> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGINT');
    return this.ended();
  }
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
