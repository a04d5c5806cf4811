/**
 * One server at a time on a state folder: two would keep the same sessions, each by what it has in memory. The lock is
 * a socket that its holder listens at, so that it ends with the holder's process, however that ends.
 * What is not seen: a runtime that outlives a holder which was killed by SIGKILL. It keeps its port, though.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { UsageError } from './command.ts';

/** Socket paths may have about a hundred bytes, and folders more. */
const NAME_LENGTH = 24;
/** A holder that was halted takes connections and says nothing. */
const ANSWER_TIMEOUT_MS = 1_000;

export interface StateLock {
  /** Who holds it, in words for whoever comes next; empty while it is not known. */
  holder: string;
  release(): Promise<void>;
}

/**
 * Makes the folder where it is missing.
 * @throws UsageError where another process holds it, or it is no folder and cannot be made one
 */
export async function lockState(folder: string): Promise<StateLock> {
  const address = addressOf(await placeOf(folder));
  const refusal = (holder: string): UsageError =>
    new UsageError(`Already in use: ${folder}, by ${holder}. --persist DIR takes another folder for state.`);
  const found = await holderAt(address);
  if (found.state === 'held') throw refusal(found.holder || 'a server that does not say which');
  if (found.state === 'left') await rm(address, { force: true });
  const lock = { holder: '', release };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(lock.holder, () => socket.destroy());
  });
  server.listen(address).unref();
  try {
    await once(server, 'listening');
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw refusal('a server that is starting');
    throw error;
  }
  // A process that exits on a signal comes to no release, and would leave the socket's file.
  const removeFile = (): void => rmSync(address, { force: true });
  process.once('exit', removeFile);
  async function release(): Promise<void> {
    process.off('exit', removeFile);
    server.close();
    await once(server, 'close');
  }
  return lock;
}

async function placeOf(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await realpath(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--persist ${folder} cannot be used for state: ${reason}`);
  }
}

/** The same for all processes with the same folder for temporary files. */
function addressOf(folder: string): string {
  const name = `switchboard-${createHash('sha256').update(folder).digest('hex').slice(0, NAME_LENGTH)}`;
  return process.platform === 'win32' ? String.raw`\\.\pipe\${name}` : join(tmpdir(), `${name}.sock`);
}

/** `left`: by a process that was killed. */
type Found = { state: 'free' | 'left' } | { state: 'held'; holder: string };

async function holderAt(address: string): Promise<Found> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { state: 'free' };
    if (codeOf(error) === 'ECONNREFUSED') return { state: 'left' };
    throw error;
  }
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
  // Whoever ends in the middle of this did hold it.
  return { state: 'held', holder: await text(socket).catch(() => '') };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
