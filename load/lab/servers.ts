/** The processes that a scenario loads, each started here and ended by its handle, whatever happens. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import * as z from 'zod/mini';
import { buildWeb } from '../../src/local/build-web.ts';
import { buildWorker, ROOT, type WorkerBundle } from '../../src/local/build-worker.ts';
import { directSocket, EGRESS, LOCAL_HOST } from '../../src/local/direct.ts';
import { startLocalServer, type LocalServer } from '../../src/local/local-server.ts';
import type { SimulatorOptions } from '../../src/local/simulator/server.ts';
import { MODEL_CALLS, type Generations } from '../model/calls.ts';
import { childrenNamed } from '../processes.ts';
import { LoadError } from '../scenario.ts';
import { Isolates } from './isolates.ts';
import { Lives } from './lives.ts';
import { Child } from './rpc.ts';

/** The newest that both servers' runtime knows; see wrangler.toml. */
export const COMPATIBILITY_DATE = '2026-11-01';
const MODEL_MODULE = fileURLToPath(new URL('../model/main.ts', import.meta.url));
const ENTRY = join(ROOT, 'src/worker.ts');
const BARE_NAME = 'bare';
/** The product with counters of what a deployment would be billed for. */
const COUNTING_ENTRY = join(ROOT, 'test/workers/support/counting-worker.ts');
/** Lines of the Worker's log that are kept. */
const MAX_LOG_LINES = 1_000;

/**
 * A developer's own `.dev.vars` must not change what is measured; empty is absent. Only faults are logged: the local
 * runtime hands every line to this process through a pipe, which is no part of a deployment's work.
 */
const NEUTRAL = { LOG_LEVEL: 'error', OLLAMA_API_KEY: '', SYSTEM_PROMPT: '', BOTS: '', ALLOWED_ORIGINS: '' };

export interface Started {
  url: string;
  /** Its process; null where it cannot be known. */
  pid: number | null;
  stop(): Promise<void>;
}

export interface StartedModel extends Started {
  /** What it has generated since this was asked last. */
  take(): Promise<{ generations: Generations }>;
}

/** The simulator, in a process of its own, so that its work is not counted as the server's or the generator's. */
export async function startModel(settings: SimulatorOptions): Promise<StartedModel> {
  const child = await Child.start(MODEL_MODULE, MODEL_CALLS, { args: [JSON.stringify(settings)] });
  const { url } = await child.call('where', {});
  return {
    url,
    pid: child.pid,
    take: () => child.call('take', {}),
    stop: () => child.stop(),
  };
}

export interface SwitchboardOptions {
  modelUrl: string;
  /** The folder under which a new one for the state is made. */
  state: string;
  /** With counters of rows and requests; measured with them unless memory is what counts. */
  counting?: boolean;
  /** Another entry than `src/worker.ts`, with a fault built in. */
  entry?: string;
  /** Over those that the lab sets. */
  variables?: Readonly<Record<string, string>>;
  /** Its isolates can be looked into, see `isolates`. */
  inspectable?: boolean;
}

/** All numbers that the counting Worker keeps: see test/workers/support/counting-worker.ts. */
const counters = z.object({
  workerRequests: z.number(),
  objectRequests: z.number(),
  frames: z.number(),
  alarms: z.number(),
  heldMs: z.number(),
  built: z.number(),
  objectRowsWritten: z.number(),
  objectRowsRead: z.number(),
  historyRowsWritten: z.number(),
  historyRowsRead: z.number(),
});
export type Counters = z.infer<typeof counters>;

/** The product as `npm start` runs it. It can be killed, and started again on what was left. */
export class SwitchboardServer implements Started {
  /** Everything that it keeps; gone when it is stopped. */
  readonly folder: string;
  /** The last lines that the Worker logged, over all of its lives. */
  readonly logs: string[] = [];
  readonly #options: SwitchboardOptions;
  readonly #removeFolder: () => void;
  readonly #secret = randomBytes(32).toString('base64url');
  readonly #bundles = new Map<string, WorkerBundle>();
  readonly #lives = new Lives<{ server: LocalServer; pid: number | null }>(({ server }) => server.stop());
  #url = '';

  private constructor(options: SwitchboardOptions) {
    const { path, remove } = temporaryFolder(options.state);
    this.folder = join(path, 'state');
    this.#removeFolder = remove;
    this.#options = options;
  }

  static async start(options: SwitchboardOptions): Promise<SwitchboardServer> {
    const server = new SwitchboardServer(options);
    try {
      if (!existsSync(join(ROOT, 'dist/web'))) await buildWeb();
      await server.restart();
      return server;
    } catch (error) {
      server.#removeFolder();
      throw error;
    }
  }

  /** The same over all lives. */
  get url(): string {
    return this.#url;
  }

  /** Of the life it has now. */
  get pid(): number | null {
    return this.#lives.current?.pid ?? null;
  }

  /** @throws LoadError between two lives */
  get server(): LocalServer {
    if (!this.#lives.current) throw new LoadError('not_finished', 'The server is not running.');
    return this.#lives.current.server;
  }

  /** Of the life it has now, which has to be `inspectable`. */
  async isolates(): Promise<Isolates> {
    return Isolates.connect(await this.server.miniflare.getInspectorURL());
  }

  /** SIGKILL: the runtime gets no chance to finish anything. */
  kill(): Promise<void> {
    return this.#lives.kill();
  }

  /** Begins a life on the port and the state of the one before, which it kills. `entry`: new code, see `prepare`. */
  async restart(entry?: string): Promise<void> {
    await this.#lives.begin(async () => {
      const bundle = await this.#bundle(entry);
      const { value: server, pid } = await withWorkerd(() =>
        startLocalServer({
          bundle,
          persist: this.folder,
          port: this.#url === '' ? 0 : Number(new URL(this.#url).port),
          variables: {
            OLLAMA_BASE_URL: this.#options.modelUrl,
            DEFAULT_MODEL: 'simulator',
            MODEL_SOURCE: 'simulator',
            SESSION_SECRET: this.#secret,
            ...NEUTRAL,
            ...this.#options.variables,
          },
          onLog: (line) => {
            this.logs.push(line);
            if (this.logs.length > MAX_LOG_LINES) this.logs.shift();
          },
          withoutRateLimits: true,
          inspectable: this.#options.inspectable ?? false,
        }),
      );
      this.#url = server.url.origin;
      return { server, pid };
    });
  }

  /** Builds new code before it is needed, so that a restart with it is as short as any. */
  async prepare(entry: string): Promise<void> {
    await this.#bundle(entry);
  }

  /** @throws LoadError without counters */
  async counters(): Promise<Counters> {
    const response = await fetch(`${this.#url}/load/counters`);
    if (!response.ok) throw new LoadError('not_finished', 'This server keeps no counters.');
    return counters.parse(await response.json());
  }

  async stop(): Promise<void> {
    await this.#lives.end();
    this.#removeFolder();
  }

  async #bundle(
    entry = this.#options.entry ?? (this.#options.counting ? COUNTING_ENTRY : ENTRY),
  ): Promise<WorkerBundle> {
    const known = this.#bundles.get(entry);
    if (known) return known;
    const bundle = await buildWorker(entry, join(this.folder, '..', `worker-${this.#bundles.size}`));
    this.#bundles.set(entry, bundle);
    return bundle;
  }
}

/**
 * The object that Switchboard is compared with, in a runtime of its own: as Miniflare sets up any Worker, or `direct`,
 * as Switchboard's local server does.
 */
export async function startBareObject(modelUrl: string, { direct = false } = {}): Promise<Started> {
  const folder = temporaryFolder(tmpdir());
  const bundle = await buildWorker(join(ROOT, 'load/bare-object/worker.ts'), folder.path);
  const { value, pid } = await withWorkerd(async () => {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: LOCAL_HOST,
        port: 0,
        cf: false,
        telemetry: { enabled: false },
        log: new Log(LogLevel.ERROR),
        logRequests: false,
        name: BARE_NAME,
        ...bundle,
        ...(direct ? { unsafeDirectSockets: [directSocket(0)], serviceBindings: { EGRESS } } : {}),
        compatibilityDate: COMPATIBILITY_DATE,
        durableObjects: { BARE: { className: 'BareObject', useSQLite: true } },
        bindings: { MODEL_URL: modelUrl },
      }),
    );
    const url = await miniflare.ready;
    return { miniflare, url: direct ? await miniflare.unsafeGetDirectURL(BARE_NAME) : url };
  });
  const stop = async (): Promise<void> => {
    await value.miniflare.dispose();
    folder.remove();
  };
  return { url: value.url.origin, pid, stop };
}

const temporaryFolders = new Set<string>();
// A command exits on a signal, too: what is in memory would stay for ever. One listener for all: Node takes many for a leak.
process.once('exit', () => temporaryFolders.forEach(removeFolder));

function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** A folder that is gone when it is removed, or this process exits. */
export function temporaryFolder(parent: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(parent, 'switchboard-load-'));
  temporaryFolders.add(path);
  const remove = (): void => {
    temporaryFolders.delete(path);
    removeFolder(path);
  };
  return { path, remove };
}

/** Starts a runtime and finds its process: the workerd that was not there before. Not to be run twice at once. */
export async function withWorkerd<T>(start: () => Promise<T>): Promise<{ value: T; pid: number | null }> {
  const before = childrenNamed('workerd');
  const value = await start();
  const pid = [...childrenNamed('workerd')].find((child) => !before.has(child)) ?? null;
  return { value, pid };
}
