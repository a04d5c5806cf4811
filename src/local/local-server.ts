/** The real Worker in the real runtime, on this machine: Miniflare with wrangler.toml as it is deployed. */
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions } from 'wrangler';
import { ROOT, type WorkerBundle } from './build-worker.ts';
import { migrate } from './migrate.ts';
import type { Values } from './variables.ts';
import { wranglerVariables } from './wrangler-variables.ts';

const LOCAL_HOST = '127.0.0.1';
const SWITCHBOARD = 'switchboard';
/** The worker that holds the page's files. */
const PAGE = 'page';

/**
 * Where models are asked. A Worker's own `fetch` goes through a worker of Miniflare's here, which takes as much of
 * the processor as the request itself (a sixth of a short answer); this goes out as that one does, and directly.
 */
const EGRESS = {
  network: {
    allow: ['public', 'private'],
    // Those that the runtime finds by itself are the system's, which may have none.
    tlsOptions: { trustBrowserCas: true, trustedCertificates: getCACertificates('default') },
  },
};

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
}

export interface LocalServer {
  url: URL;
  miniflare: Miniflare;
  /** Kills the runtime at once, as a crash would. */
  stop(): Promise<void>;
}

export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const { onLog = console.log } = options;
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, 'wrangler.toml'));
  // How wrangler would bundle is settled already.
  const { modulesRules: _, assets: __, ...boundOptions } = workerOptions;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      // Miniflare's own way in, on a free port: it is not used. See `unsafeDirectSockets`.
      host: LOCAL_HOST,
      port: 0,
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
          // Past the worker through which Miniflare lets requests in (35 kB of each connection), and as on Cloudflare:
          // what that one adds for development, such as pages for errors, nobody here asks for.
          unsafeDirectSockets: [{ host: LOCAL_HOST, port: options.port }],
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
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL(SWITCHBOARD);
  await migrate(await miniflare.getD1Database('DB'), join(ROOT, 'migrations'));
  return { url, miniflare, stop: () => miniflare.dispose() };
}
