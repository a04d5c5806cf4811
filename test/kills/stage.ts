/** What outlives the processes of one lane: storage, port, model, and the configuration that they start with. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { D1Database } from '@cloudflare/workers-types';
import { buildWorker, ROOT } from '../../src/local/build-worker.ts';
import { startLocalServer, type LocalServer } from '../../src/local/local-server.ts';
import { startSimulator, type Simulator } from '../../src/local/simulator/server.ts';
import { User } from '../support/user.ts';
import { Life } from './life.ts';
import { compileConfig } from './workerd-config.ts';

/** What a developer's own `.dev.vars` may set must not decide how a test ends. */
const VARIABLES = {
  OLLAMA_API_KEY: '',
  ALLOWED_ORIGINS: '',
  SYSTEM_PROMPT: '',
  BOTS: '',
  DEFAULT_MODEL: 'simulator',
  MODEL_SOURCE: 'simulator',
  SESSION_SECRET: 'a-secret-for-tests-that-is-long-enough',
  OPERATOR_TOKEN: 'an-operator-token-for-tests',
};
const ANSWER_TOKENS = 20;
const TOKEN_MS = 3;
/** Log lines kept for the report of a failure. */
const MAX_LOGS = 200;

export class Stage {
  /** What the Worker logged last, over all of its lives. */
  readonly logs: string[] = [];
  readonly #folder: string;
  readonly #simulator: Simulator;
  readonly #config: string;
  readonly #port: number;
  #final: LocalServer | null = null;

  private constructor(folder: string, simulator: Simulator, config: string, port: number) {
    this.#folder = folder;
    this.#simulator = simulator;
    this.#config = config;
    this.#port = port;
  }

  /** `entry` is the Worker that is going to be killed. */
  static async create(entry: string): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'switchboard-kills-'));
    const [simulator, bundle] = await Promise.all([
      startSimulator({ tokens: ANSWER_TOKENS, tokenMs: TOKEN_MS }),
      buildWorker(entry, join(folder, 'bundle')),
    ]);
    // Named in wrangler.toml; a fresh clone has not built its page yet.
    mkdirSync(join(ROOT, 'dist/web'), { recursive: true });
    const variables = { ...VARIABLES, OLLAMA_BASE_URL: simulator.url };
    const persist = join(folder, 'state');
    // Lays out the storage, applies the migrations and finds a free port.
    const first = await startLocalServer({ bundle, persist, port: 0, variables, withoutRateLimits: true });
    await first.stop();
    const config = compileConfig({ bundle, persist, variables, folder });
    return new Stage(folder, simulator, config, Number(first.url.port));
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  begin(failpoint: string | null): Life {
    return new Life({ config: this.#config, port: this.#port, failpoint, onLog: (line) => this.#log(line) });
  }

  /** The last life, which nobody ends early: the Worker as it is shipped, or `entry`, under Miniflare. */
  async beginFinal(entry?: string): Promise<void> {
    this.#final = await startLocalServer({
      bundle: await buildWorker(entry, join(this.#folder, 'final')),
      persist: join(this.#folder, 'state'),
      port: this.#port,
      variables: { ...VARIABLES, OLLAMA_BASE_URL: this.#simulator.url },
      withoutRateLimits: true,
      onLog: (line) => this.#log(line),
    });
  }

  /** The database in the last life, looked at from outside: past the Worker and its objects. */
  async d1(): Promise<D1Database> {
    if (!this.#final) throw new Error('only the last life lets others look into its database');
    return this.#final.miniflare.getD1Database('DB');
  }

  user(): User {
    return new User(() => this.baseUrl);
  }

  async close(): Promise<void> {
    await this.#final?.stop();
    await this.#simulator.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #log(line: string): void {
    this.logs.push(line);
    if (this.logs.length > MAX_LOGS) this.logs.shift();
  }
}
