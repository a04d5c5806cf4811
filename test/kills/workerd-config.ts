/**
 * The Worker as plain `workerd serve` takes it: wrangler.toml's settings, this machine's folders, and
 * Miniflare's own D1. Without the rest of Miniflare a process starts in half the time, and a thousand
 * of them have to. Names and folders are Miniflare's, so that it can take over what they leave.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { unstable_getMiniflareWorkerOptions } from 'wrangler';
import { ROOT, type WorkerBundle } from '../../src/local/build-worker.ts';
import { FAILPOINT_VARIABLE } from './failpoints.ts';
import { MINIFLARE_WORKERS, SOCKET, WORKERD } from './workerd.ts';

const MAX_CONFIG_BYTES = 32 * 1024 * 1024;
/**
 * Instead of the schema library: Miniflare's D1 checks the shape of what its own two halves say to
 * each other with it, and loading it for that, twice, is half of the processor time of a start.
 */
const UNCHECKED = `const any = new Proxy(function () {}, {
  get: (_, name) => (name === 'parse' ? (value) => value : name === 'safeParse' ? (data) => ({ success: true, data }) : any),
  apply: () => any,
});
export const z = any;
`;
const D1_FILES = ['d1/entry.worker.js', 'd1/database.worker.js', 'shared/index.worker.js'];

export interface WorkerdConfigOptions {
  bundle: WorkerBundle;
  /** As `startLocalServer` keeps it. */
  persist: string;
  variables: Record<string, string>;
  /** Where the configuration is put; exists. */
  folder: string;
}

/** Writes the configuration and compiles it into `compiled`, the file that `workerd serve --binary` takes. */
export function compileConfig(options: WorkerdConfigOptions, compiled: string): void {
  const { bundle, folder } = options;
  // Cap'n Proto embeds files that lie beside the configuration.
  cpSync(bundle.modulesRoot, join(folder, 'worker'), { recursive: true });
  mkdirSync(join(folder, 'd1'));
  for (const file of D1_FILES) cpSync(join(MINIFLARE_WORKERS, file), join(folder, 'd1', basename(file)));
  writeFileSync(join(folder, 'd1/zod.js'), UNCHECKED);
  const source = join(folder, 'config.capnp');
  writeFileSync(source, configText(options));
  const { status, stdout, stderr } = spawnSync(WORKERD, ['compile', '--config-only', source], {
    maxBuffer: MAX_CONFIG_BYTES,
  });
  if (status !== 0) throw new Error(`workerd does not take the configuration: ${String(stderr)}`);
  writeFileSync(compiled, stdout);
}

function configText({ bundle, persist, variables }: WorkerdConfigOptions): string {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, 'wrangler.toml'));
  const texts = Object.entries({ ...textsOf(workerOptions.bindings), ...variables });
  const bindings = texts.map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`);
  const modules = bundle.modules.map(({ path }) => {
    const name = relative(bundle.modulesRoot, path);
    return `(name = ${quote(name)}, esModule = embed ${quote(`worker/${name}`)})`;
  });
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "user", worker = .user),
    (name = "d1:entry", worker = .d1Entry),
    (name = "d1:db", worker = .d1Database),
    (name = "d1:storage", disk = (path = ${quote(join(persist, 'v3/d1'))}, writable = true)),
    (name = "do:storage", disk = (path = ${quote(join(persist, 'v3/do'))}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "${SOCKET}", http = (), service = "user")],
  extensions = [(modules = [
    (name = "miniflare:shared", esModule = embed "d1/index.worker.js"),
    (name = "miniflare:zod", esModule = embed "d1/zod.js"),
  ])],
);
const user :Workerd.Worker = (
  modules = [${modules.join(', ')}],
  compatibilityDate = ${quote(String(workerOptions.compatibilityDate))},
  bindings = [
    ${bindings.join(',\n    ')},
    (name = "${FAILPOINT_VARIABLE}", fromEnvironment = "${FAILPOINT_VARIABLE}"),
    (name = "SESSIONS", durableObjectNamespace = "ChatSession"),
    (name = "CONTROL", durableObjectNamespace = "Bot"),
    (name = "HISTORY", durableObjectNamespace = "HistoryWriter"),
    (name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [
      (name = "fetcher", service = (name = "d1:entry", props = (json = ${quote('{"MINIFLARE_NAMESPACE":"DB"}')}))),
    ])),
  ],
  durableObjectNamespaces = [
    (className = "ChatSession", uniqueKey = "switchboard-ChatSession", enableSql = true),
    (className = "Bot", uniqueKey = "switchboard-Bot", enableSql = true),
    (className = "HistoryWriter", uniqueKey = "switchboard-HistoryWriter", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "do:storage"),
);
const d1Entry :Workerd.Worker = (
  modules = [(name = "entry.worker.js", esModule = embed "d1/entry.worker.js")],
  compatibilityDate = "2023-07-24",
  compatibilityFlags = ["enhanced_error_serialization"],
  bindings = [
    (name = "MINIFLARE_OBJECT", durableObjectNamespace = (className = "D1DatabaseObject", serviceName = "d1:db")),
  ],
);
const d1Database :Workerd.Worker = (
  modules = [(name = "database.worker.js", esModule = embed "d1/database.worker.js")],
  compatibilityDate = "2023-07-24",
  compatibilityFlags = ["nodejs_compat", "experimental"],
  bindings = [(name = "MINIFLARE_BLOBS", service = "d1:storage")],
  durableObjectNamespaces = [
    (className = "D1DatabaseObject", uniqueKey = "miniflare-D1DatabaseObject", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "d1:storage"),
);
`;
}

/** The variables among the bindings; the others are named above. */
function textsOf(bindings: unknown): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(bindings ?? {})) if (typeof value === 'string') texts[name] = value;
  return texts;
}

/** JSON's strings are Cap'n Proto's, as long as nothing in them needs \\u. */
function quote(text: string): string {
  return JSON.stringify(text);
}
