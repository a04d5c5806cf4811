/**
 * One server at a time on a state folder: two would keep the same sessions, each by what it has in memory. The lock is
 * a socket that its holder listens at, so that it ends with the process, however that ends.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { UsageError } from './command.ts';

/** Socket paths may have about a hundred bytes, and folders more. */
const NAME_LENGTH = 24;

export interface StateLock {
  /** Who holds it, in words for whoever comes next; empty while it is not known. */
  holder: string;
  release(): Promise<void>;
}

/**
 * Makes the folder where it is missing.
 * @throws UsageError where another process holds it
 */
export async function lockState(folder: string): Promise<StateLock> {
  await mkdir(folder, { recursive: true });
  const address = addressOf(await realpath(folder));
  const holder = await holderAt(address);
  if (holder !== null) {
    const by = holder === '' ? 'a server that is starting' : holder;
    throw new UsageError(`Already in use: ${folder}, by ${by}. --persist DIR takes another folder for state.`);
  }
  // Left by a process that was killed.
  if (process.platform !== 'win32') await rm(address, { force: true });
  const lock = { holder: '', release };
  const server = createServer((socket) => socket.on('error', () => {}).end(lock.holder));
  server.listen(address).unref();
  await once(server, 'listening');
  async function release(): Promise<void> {
    server.close();
    await once(server, 'close');
  }
  return lock;
}

/** The same for all processes of one user. */
function addressOf(folder: string): string {
  const name = `switchboard-${createHash('sha256').update(folder).digest('hex').slice(0, NAME_LENGTH)}`;
  return process.platform === 'win32' ? String.raw`\\.\pipe\${name}` : join(tmpdir(), `${name}.sock`);
}

/** What who listens there says; null: nobody does. */
async function holderAt(address: string): Promise<string | null> {
  const socket: Socket = connect(address);
  try {
    await once(socket, 'connect');
    return await text(socket);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return null;
    throw error;
  }
}
