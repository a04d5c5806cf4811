/** AIChatAgent in a runtime of its own, as the bare object is. It can be killed, and started again on what was left. */
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import * as z from 'zod/mini';
import { Lives } from '../lab/lives.ts';
import { COMPATIBILITY_DATE, temporaryFolder, withWorkerd } from '../lab/servers.ts';
import { LoadError } from '../scenario.ts';
import { PEERS } from './install.ts';
import type { PeerCounters, PeerServer } from './peer.ts';

const counted = z.object({
  workerRequests: z.number(),
  objectRequests: z.number(),
  frames: z.number(),
  rowsWritten: z.number(),
  rowsRead: z.number(),
});

/** One of its packages requires `path`, which the runtime knows by its full name only. */
const nodePath: Plugin = {
  name: 'node-path',
  setup(bundler) {
    bundler.onResolve({ filter: /^path$/ }, () => ({ path: 'path', namespace: 'node-path' }));
    bundler.onLoad({ filter: /.*/, namespace: 'node-path' }, () => ({ contents: "export * from 'node:path';" }));
  },
};

interface Life {
  miniflare: Miniflare;
  url: string;
  pid: number | null;
}

export class AiChatServer implements PeerServer {
  readonly #modelUrl: string;
  readonly #folder: { path: string; remove: () => void };
  readonly #lives = new Lives<Life>(({ miniflare }) => miniflare.dispose());

  private constructor(modelUrl: string, state: string) {
    this.#modelUrl = modelUrl;
    this.#folder = temporaryFolder(state);
  }

  static async start(modelUrl: string, state: string): Promise<AiChatServer> {
    const server = new AiChatServer(modelUrl, state);
    try {
      await server.#bundle();
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get url(): string {
    if (!this.#lives.current) throw new LoadError('not_finished', 'AIChatAgent is not running.');
    return this.#lives.current.url;
  }

  get pid(): number | null {
    return this.#lives.current?.pid ?? null;
  }

  /** SIGKILL: the runtime gets no chance to finish anything. */
  kill(): Promise<void> {
    return this.#lives.kill();
  }

  restart(): Promise<void> {
    return this.#lives.begin(() => this.#start());
  }

  async stop(): Promise<void> {
    await this.#lives.end();
    this.#folder.remove();
  }

  async counters(): Promise<PeerCounters> {
    const counters = z.parse(counted, await (await fetch(`${this.url}/load/counters`)).json());
    return { ...counters, heldMs: null };
  }

  async #start(): Promise<Life> {
    const { path } = this.#folder;
    const { value, pid } = await withWorkerd(async () => {
      const miniflare = new Miniflare({
        ...convertV4MiniflareOptions({
          host: '127.0.0.1',
          port: 0,
          cf: false,
          telemetry: { enabled: false },
          log: new Log(LogLevel.ERROR),
          logRequests: false,
          modulesRoot: path,
          modules: [{ type: 'ESModule', path: join(path, 'worker.js') }],
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: ['nodejs_compat'],
          durableObjects: { ChatAgent: { className: 'ChatAgent', useSQLite: true } },
          bindings: { MODEL_URL: this.#modelUrl },
        }),
        resourcePersistencePath: join(path, 'state'),
      });
      return { miniflare, url: (await miniflare.ready).origin };
    });
    return { ...value, pid };
  }

  async #bundle(): Promise<void> {
    await build({
      entryPoints: [join(PEERS, 'ai-chat-agent/worker.ts')],
      outfile: join(this.#folder.path, 'worker.js'),
      bundle: true,
      format: 'esm',
      target: 'es2024',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['workerd', 'worker', 'browser'],
      external: ['cloudflare:*', 'node:*'],
      minify: true,
      keepNames: true,
      logLevel: 'warning',
      plugins: [nodePath],
    });
  }
}
