/** The processes that a scenario loads, each started here and ended by its handle, whatever happens. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { buildWeb } from '../src/local/build-web.ts';
import { buildWorker, ROOT } from '../src/local/build-worker.ts';
import { startLocalServer, type LocalServer } from '../src/local/local-server.ts';
import { childrenNamed } from './processes.ts';
import { LoadError } from './scenario.ts';

const START_TIMEOUT_MS = 15_000;
const END_TIMEOUT_MS = 2_000;
/** The newest that both servers' runtime knows; see wrangler.toml. */
const COMPATIBILITY_DATE = '2026-11-01';

/** A developer's own `.dev.vars` must not change what is measured; empty is absent. */
const NEUTRAL = { OLLAMA_API_KEY: '', SYSTEM_PROMPT: '', BOTS: '' };

export interface ModelSettings {
  tokens: number;
  /** Tokens in one write of the model's endpoint; 0: the whole answer. */
  tokensPerWrite: number;
  firstTokenMs?: number;
  tokenMs?: number;
}

export interface Started {
  url: string;
  /** Its process; null where it cannot be known. */
  pid: number | null;
  stop(): Promise<void>;
}

export interface StartedSwitchboard extends Started {
  server: LocalServer;
}

/** The simulator, in a process of its own, so that its work is not counted as the server's or the generator's. */
export async function startModel({
  tokens,
  tokensPerWrite,
  firstTokenMs = 0,
  tokenMs = 0,
}: ModelSettings): Promise<Started> {
  const settings = {
    port: 0,
    tokens,
    'tokens-per-write': tokensPerWrite,
    'first-token-ms': firstTokenMs,
    'token-ms': tokenMs,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [join(ROOT, 'src/local/simulator/cli.ts'), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // However this process ends, its child ends with it.
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  const stop = async (): Promise<void> => {
    process.off('exit', onExit);
    await endChild(child);
  };
  try {
    return { url: await firstUrl(child), pid: child.pid ?? null, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function firstUrl(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const failed = (): void => reject(new LoadError('start_failed', 'The model simulator did not start.'));
  const timer = setTimeout(failed, START_TIMEOUT_MS);
  child.once('exit', failed);
  child.once('error', failed);
  if (child.stdout) {
    createInterface(child.stdout).on('line', (line) => {
      const [url] = /http:\/\/\S+/.exec(line) ?? [];
      if (url !== undefined) resolve(url);
    });
  }
  return promise.finally(() => {
    clearTimeout(timer);
    child.off('exit', failed);
  });
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  await promise;
  clearTimeout(timer);
}

/** The product as `npm start` runs it, with the state in a new folder under `parent` that goes when it stops. */
export async function startSwitchboard(modelUrl: string, parent: string): Promise<StartedSwitchboard> {
  const folder = temporaryFolder(parent);
  try {
    const bundle = await buildWorker(join(ROOT, 'src/worker.ts'), join(folder.path, 'worker'));
    if (!existsSync(join(ROOT, 'dist/web'))) await buildWeb();
    const { value: server, pid } = await withWorkerd(() =>
      startLocalServer({
        bundle,
        persist: join(folder.path, 'state'),
        port: 0,
        variables: {
          OLLAMA_BASE_URL: modelUrl,
          DEFAULT_MODEL: 'simulator',
          MODEL_SOURCE: 'simulator',
          SESSION_SECRET: randomBytes(32).toString('base64url'),
          ...NEUTRAL,
        },
        withoutRateLimits: true,
      }),
    );
    const stop = async (): Promise<void> => {
      await server.stop();
      folder.remove();
    };
    return { url: server.url.origin, pid, server, stop };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/** The object that Switchboard is compared with, in a runtime of its own. */
export async function startBareObject(modelUrl: string): Promise<Started> {
  const folder = temporaryFolder(tmpdir());
  const bundle = await buildWorker(join(ROOT, 'load/bare-object/worker.ts'), folder.path);
  const { value, pid } = await withWorkerd(async () => {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: '127.0.0.1',
        port: 0,
        cf: false,
        telemetry: { enabled: false },
        log: new Log(LogLevel.ERROR),
        logRequests: false,
        ...bundle,
        compatibilityDate: COMPATIBILITY_DATE,
        durableObjects: { BARE: { className: 'BareObject', useSQLite: true } },
        bindings: { MODEL_URL: modelUrl },
      }),
    );
    return { miniflare, url: await miniflare.ready };
  });
  const stop = async (): Promise<void> => {
    await value.miniflare.dispose();
    folder.remove();
  };
  return { url: value.url.origin, pid, stop };
}

/** A folder that is gone when this process is, also when a signal ended it: in memory it would stay for ever. */
function temporaryFolder(parent: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(parent, 'switchboard-load-'));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path, remove };
}

/** Starts a runtime and finds its process: the workerd that was not there before. Not to be run twice at once. */
async function withWorkerd<T>(start: () => Promise<T>): Promise<{ value: T; pid: number | null }> {
  const before = childrenNamed('workerd');
  const value = await start();
  const pid = [...childrenNamed('workerd')].find((child) => !before.has(child)) ?? null;
  return { value, pid };
}
