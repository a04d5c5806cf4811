/** The real Worker in the real runtime, on this machine: Miniflare with wrangler.toml as it is deployed. */
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, MiniflareCoreError } from 'miniflare';
import { unstable_getMiniflareWorkerOptions } from 'wrangler';
import { ROOT, type WorkerBundle } from './build-worker.ts';
import { UsageError } from './command.ts';
import { directSocket, EGRESS, LOCAL_HOST } from './direct.ts';
import { migrate } from './migrate.ts';
import type { Values } from './variables.ts';
import { wranglerVariables } from './wrangler-variables.ts';

const SWITCHBOARD = 'switchboard';
/** The worker that holds the page's files. */
const PAGE = 'page';

export interface LocalServerOptions {
  bundle: WorkerBundle;
  /** Folder for state, shared with `wrangler dev` when it is `.wrangler/state`; null keeps nothing. */
  persist: string | null;
  /** 0 takes a free port. */
  port: number;
  /** Over those of wrangler.toml. */
  variables: Values;
  /** Lines that the Worker logs; default: the terminal. */
  onLog?: (line: string) => void;
  /** Load and tests come from one address, which the limits per address are there to stop. */
  withoutRateLimits?: boolean;
  /** Opens the runtime's inspector, on a port that Miniflare's `getInspectorURL` tells. */
  inspectable?: boolean;
}

export interface LocalServer {
  url: URL;
  miniflare: Miniflare;
  /** Kills the runtime at once, as a crash would. */
  stop(): Promise<void>;
}

/** @throws UsageError where the port is taken */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const { onLog = console.log } = options;
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, 'wrangler.toml'));
  // How wrangler would bundle is settled already.
  const { modulesRules: _, assets: __, ...boundOptions } = workerOptions;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      // Miniflare's own way in, which is not used.
      host: LOCAL_HOST,
      port: 0,
      ...(options.inspectable ? { inspectorPort: 0 } : {}),
      // Nothing here needs Cloudflare's answer about where a request came from.
      cf: false,
      telemetry: { enabled: false },
      log: new Log(LogLevel.ERROR),
      logRequests: false,
      ...(options.persist === null ? {} : { resourcePersistencePath: join(options.persist, 'v3') }),
      handleStructuredLogs: ({ message }) => onLog(message),
      workers: [
        {
          ...boundOptions,
          name: SWITCHBOARD,
          ...options.bundle,
          unsafeDirectSockets: [directSocket(options.port)],
          // Wrangler adds what it finds in `.dev.vars` or `.env`; here the caller alone says what goes before wrangler.toml.
          bindings: { ...wranglerVariables(), ...options.variables, LOCAL_SERVER: 'true' },
          ...(options.withoutRateLimits ? { ratelimits: {} } : {}),
          serviceBindings: { ASSETS: PAGE, EGRESS },
        },
        // As the first worker's own the files would bring two more workers between every socket and it (70 kB each
        // connection), though it answers everything first (`run_worker_first`) and only asks for them by its binding.
        {
          name: PAGE,
          modules: true,
          script: 'export default {}',
          assets: { directory: join(ROOT, 'dist/web'), routerConfig: { has_user_worker: false } },
        },
      ],
    }),
  );
  try {
    await miniflare.ready;
  } catch (error) {
    // Miniflare knows its own ports only by their numbers.
    if (!(error instanceof MiniflareCoreError) || error.code !== 'ERR_ADDRESS_IN_USE') throw error;
    throw new UsageError(`Already in use: port ${options.port}. Is a server running there? --port N takes another.`);
  }
  const url = await miniflare.unsafeGetDirectURL(SWITCHBOARD);
  await migrate(await miniflare.getD1Database('DB'), join(ROOT, 'migrations'));
  return { url, miniflare, stop: () => miniflare.dispose() };
}
