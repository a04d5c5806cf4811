/**
 * The real Worker in the real runtime, with storage on disk and the simulator as its model, for
 * tests that go through the whole house. It can be killed as a crash would, and started again on
 * what was left.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { D1Database } from '@cloudflare/workers-types';
import { afterAll, onTestFinished } from 'vitest';
import { buildWorker, ROOT, type WorkerBundle } from '../../src/local/build-worker.ts';
import { startLocalServer, type LocalServer } from '../../src/local/local-server.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/local/simulator/server.ts';
import { User } from './user.ts';

export const OPERATOR_TOKEN = 'an-operator-token-for-tests';
/** What a developer's own `.dev.vars` may set must not decide how a test ends. */
const OWN_VARIABLES = { OLLAMA_API_KEY: '', ALLOWED_ORIGINS: '', SYSTEM_PROMPT: '', BOTS: '' };
const SESSION_SECRET = 'a-secret-for-tests-that-is-long-enough';

export interface RealServerOptions {
  /** Over the defaults, which point at the simulator. */
  variables?: Record<string, string>;
  simulator?: SimulatorOptions;
  /** Another entry than `src/worker.ts`, with a fault built in. */
  entry?: string;
}

export class RealServer {
  readonly simulator: Simulator;
  /** What the Worker logged, over all of its lives. */
  readonly logs: string[] = [];
  readonly #options: RealServerOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'switchboard-state-'));
  #server: LocalServer | null = null;
  #baseUrl = '';

  private constructor(simulator: Simulator, options: RealServerOptions) {
    this.simulator = simulator;
    this.#options = options;
  }

  static async start(options: RealServerOptions = {}): Promise<RealServer> {
    const server = new RealServer(await startSimulator(options.simulator ?? {}), options);
    await server.restart();
    return server;
  }

  /** For one test, closed at its end. */
  static async forTest(options: RealServerOptions = {}): Promise<RealServer> {
    const server = await RealServer.start(options);
    onTestFinished(() => server.close());
    return server;
  }

  /** `http://127.0.0.1:port`, the same over all lives. */
  get baseUrl(): string {
    return this.#baseUrl;
  }

  /** SIGKILL: the runtime gets no chance to finish anything. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.stop();
  }

  /** Starts on the port and the storage of the life before; resolves when it answers. */
  async restart(): Promise<void> {
    // Named in wrangler.toml; a fresh clone has not built its page yet.
    mkdirSync(join(ROOT, 'dist/web'), { recursive: true });
    this.#server = await startLocalServer({
      bundle: await bundleOf(this.#options.entry),
      persist: this.#folder,
      port: this.#baseUrl === '' ? 0 : Number(new URL(this.#baseUrl).port),
      variables: {
        ...OWN_VARIABLES,
        OLLAMA_BASE_URL: this.simulator.url,
        DEFAULT_MODEL: 'simulator',
        MODEL_SOURCE: 'simulator',
        SESSION_SECRET,
        OPERATOR_TOKEN,
        ...this.#options.variables,
      },
      onLog: (line) => this.logs.push(line),
      withoutRateLimits: true,
    });
    this.#baseUrl = this.#server.url.origin;
  }

  /** The database, looked at from outside: past the Worker and its objects. */
  async d1(): Promise<D1Database> {
    if (!this.#server) throw new Error('the server is not running');
    return this.#server.miniflare.getD1Database('DB');
  }

  /** Somebody without a cookie, who gets one as browsers do. */
  user(): User {
    return new User(() => this.#baseUrl);
  }

  async close(): Promise<void> {
    await this.kill();
    await this.simulator.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const bundles = new Map<string, Promise<WorkerBundle>>();
const bundleFolders: string[] = [];
// Of the file whose tests import this, and after its own: vitest ends the process with a signal, so that nothing is left to do at its exit.
afterAll(() => {
  for (const folder of bundleFolders) rmSync(folder, { recursive: true, force: true });
});

/** Each entry is built once in a file of tests, however many servers and lives use it. */
function bundleOf(entry: string | undefined): Promise<WorkerBundle> {
  const key = entry ?? '';
  const known = bundles.get(key);
  if (known) return known;
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-bundle-'));
  bundleFolders.push(folder);
  const bundle = buildWorker(entry, folder);
  bundles.set(key, bundle);
  return bundle;
}
