/** Real processes on a real folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { lockState } from '../../src/local/state-lock.ts';

const LOCK = new URL('../../src/local/state-lock.ts', import.meta.url).href;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-lock-'));
  return () => rmSync(folder, { recursive: true });
});

it('is held by one at a time, who is named, and free once released', async () => {
  const lock = await lockState(join(folder, 'state'));
  await expect(lockState(join(folder, 'state'))).rejects.toThrow('by a server that does not say which. --persist DIR');
  lock.holder = 'the server at http://127.0.0.1:1';
  symlinkSync(join(folder, 'state'), join(folder, 'link'));
  const refusal = { code: 'usage', message: expect.stringMatching(/^Already in use: .*link, by the server at http:/) };
  await expect(lockState(join(folder, 'link'))).rejects.toMatchObject(refusal);
  const other = await lockState(join(folder, 'other'));
  await other.release();
  await lock.release();
  await (await lockState(join(folder, 'state'))).release();
});

it('of several that start at once one gets it', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockState(folder)));
  const got = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(got).toHaveLength(1);
  expect(refused).toEqual(Array.from({ length: 7 }, () => expect.objectContaining({ code: 'usage' })));
  await got[0]?.release();
});

it('is held by a process that was halted, too', async () => {
  const child = await holding();
  child.kill('SIGSTOP');
  await expect(lockState(folder)).rejects.toThrow('by a server that does not say which');
});

it('ends with its process, by SIGKILL too', async () => {
  const child = await holding();
  await expect(lockState(folder)).rejects.toThrow('Already in use');
  child.kill('SIGKILL');
  await once(child, 'close');
  await (await lockState(folder)).release();
});

it('leaves no file of a process that exits without a release', async () => {
  const sockets = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.sock'));
  const child = await holding({ TMPDIR: folder });
  expect(sockets()).toHaveLength(1);
  child.kill('SIGTERM');
  await once(child, 'close');
  expect(sockets()).toEqual([]);
});

it('names the option where the folder cannot be one', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(lockState(file)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('--persist') });
});

/** Another process that holds the lock, and exits on SIGTERM. */
async function holding(environment: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const code = `import { lockState } from '${LOCK}';
    await lockState(process.argv[1]);
    process.on('SIGTERM', () => process.exit());
    console.log('held');
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}
