/** Real processes on a real folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
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
  await expect(lockState(join(folder, 'state'))).rejects.toThrow('by a server that is starting. --persist DIR');
  lock.holder = 'the server at http://127.0.0.1:1';
  symlinkSync(join(folder, 'state'), join(folder, 'link'));
  const refusal = { code: 'usage', message: expect.stringMatching(/^Already in use: .*link, by the server at http:/) };
  await expect(lockState(join(folder, 'link'))).rejects.toMatchObject(refusal);
  const other = await lockState(join(folder, 'other'));
  await other.release();
  await lock.release();
  await (await lockState(join(folder, 'state'))).release();
});

it('ends with its process, by SIGKILL too', async () => {
  const code = `import { lockState } from '${LOCK}';
    await lockState(process.argv[1]);
    console.log('held');
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await expect(lockState(folder)).rejects.toThrow('Already in use');
  child.kill('SIGKILL');
  await once(child, 'close');
  await (await lockState(folder)).release();
});
