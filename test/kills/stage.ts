/** What outlives the processes of one lane: storage, port, model, and the configuration that they start with. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { D1Database } from '@cloudflare/workers-types';
import { buildWorker, ROOT } from '../../src/local/build-worker.ts';
import { startLocalServer, type LocalServer } from '../../src/local/local-server.ts';
import { startSimulator, type Simulator } from '../../src/local/simulator/server.ts';
import { User } from '../support/user.ts';
import { ALARM_PUT_OFF } from './failpoints.ts';
import { Spawner, type Life } from './life.ts';
import { makeStateFolder } from './state-folder.ts';
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
  /** How often an alarm was put off that was due. */
  putOff = 0;
  readonly #folder = makeStateFolder();
  readonly #config = join(this.#folder, 'config.bin');
  readonly #spawner = new Spawner(this.#config, this.#folder, (line) => this.#log(line));
  readonly #simulator: Simulator;
  #port = 0;
  #final: LocalServer | null = null;

  private constructor(simulator: Simulator) {
    this.#simulator = simulator;
  }

  /** `entry` is the Worker that is going to be killed. */
  static async create(entry: string): Promise<Stage> {
    const stage = new Stage(await startSimulator({ tokens: ANSWER_TOKENS, tokenMs: TOKEN_MS }));
    try {
      await stage.#layOut(entry);
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  /** Begins and ends one life under Miniflare, which lays out the storage, applies the migrations and finds a free port. */
  async #layOut(entry: string): Promise<void> {
    // Named in wrangler.toml; a fresh clone has not built its page yet.
    mkdirSync(join(ROOT, 'dist/web'), { recursive: true });
    const bundle = await buildWorker(entry, join(this.#folder, 'bundle'));
    const variables = this.#variables;
    const first = await startLocalServer({
      bundle,
      persist: this.#persist,
      port: 0,
      variables,
      withoutRateLimits: true,
    });
    await first.stop();
    this.#port = Number(first.url.port);
    compileConfig({ bundle, persist: this.#persist, variables, folder: this.#folder }, this.#config);
  }

  get #variables(): Record<string, string> {
    return { ...VARIABLES, OLLAMA_BASE_URL: this.#simulator.url };
  }

  get #persist(): string {
    return join(this.#folder, 'state');
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  begin(failpoint: string | null): Life {
    return this.#spawner.begin(this.#port, failpoint);
  }

  /** The last life, which nobody ends early: the Worker as it is shipped, or `entry`, under Miniflare. */
  async beginFinal(entry?: string): Promise<void> {
    this.#final = await startLocalServer({
      bundle: await buildWorker(entry, join(this.#folder, 'final')),
      persist: this.#persist,
      port: this.#port,
      variables: this.#variables,
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
    await this.#spawner.close();
  }

  #log(line: string): void {
    if (line.includes(ALARM_PUT_OFF)) this.putOff += 1;
    this.logs.push(line);
    if (this.logs.length > MAX_LOGS) this.logs.shift();
  }
}
