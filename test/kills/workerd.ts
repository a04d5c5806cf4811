/** The runtime that Miniflare runs, and Miniflare's own parts of it. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const miniflare = createRequire(import.meta.url).resolve('miniflare');
const found: unknown = createRequire(miniflare)('workerd');

/** The binary. */
export const WORKERD = binaryOf(found);
/** Where the Workers lie that Miniflare puts behind bindings. */
export const MINIFLARE_WORKERS = join(dirname(miniflare), 'workers');
/** Name of the socket, given an address when the process starts. */
export const SOCKET = 'entry';

function binaryOf(module: unknown): string {
  const isNamed = typeof module === 'object' && module !== null && 'default' in module;
  if (!isNamed || typeof module.default !== 'string') throw new Error('the workerd package does not name its binary');
  return module.default;
}
