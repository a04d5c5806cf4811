/** The plain Node server, in a process of its own. It can be killed, and started again on what was left. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Lives } from '../lab/lives.ts';
import { Child } from '../lab/rpc.ts';
import { temporaryFolder } from '../lab/servers.ts';
import { LoadError } from '../scenario.ts';
import type { PeerServer } from './peer.ts';
import { PLAIN_CALLS } from './plain-node/calls.ts';

const MODULE = fileURLToPath(new URL('plain-node/main.ts', import.meta.url));

export class PlainServer implements PeerServer {
  readonly #modelUrl: string;
  readonly #folder: { path: string; remove: () => void };
  readonly #lives = new Lives<{ child: Child<typeof PLAIN_CALLS>; url: string }>(({ child }) => child.kill());

  private constructor(modelUrl: string, state: string) {
    this.#modelUrl = modelUrl;
    this.#folder = temporaryFolder(state);
  }

  static async start(modelUrl: string, state: string): Promise<PlainServer> {
    const server = new PlainServer(modelUrl, state);
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get url(): string {
    if (!this.#lives.current) throw new LoadError('not_finished', 'The plain Node server is not running.');
    return this.#lives.current.url;
  }

  get pid(): number | null {
    return this.#lives.current?.child.pid ?? null;
  }

  kill(): Promise<void> {
    return this.#lives.kill();
  }

  restart(): Promise<void> {
    return this.#lives.begin(async () => {
      const child = await Child.start(MODULE, PLAIN_CALLS, {
        args: [this.#modelUrl, join(this.#folder.path, 'messages.sqlite')],
        // SQLite still calls itself an experiment there.
        nodeOptions: ['--disable-warning=ExperimentalWarning'],
      });
      return { child, url: (await child.call('where', {})).url };
    });
  }

  async stop(): Promise<void> {
    await this.#lives.end();
    this.#folder.remove();
  }
}
