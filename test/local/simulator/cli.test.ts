import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { FAULT_HELP } from '../../../src/local/simulator/faults.ts';

const cli = fileURLToPath(new URL('../../../src/local/simulator/cli.ts', import.meta.url));
const run = promisify(execFile);

test('--help lists options and every fault', async () => {
  const { stdout } = await run(process.execPath, [cli, '--help']);
  expect(stdout).toContain('--first-token-ms');
  for (const { syntax } of Object.values(FAULT_HELP)) expect(stdout).toContain(syntax);
});

test('a wrong option ends with one clear line and exit code 1', async () => {
  const wrong = run(process.execPath, [cli, '--tokens', 'many']);
  await expect(wrong).rejects.toMatchObject({ code: 1, stderr: "simulator: --tokens must be a number, not 'many'\n" });
});

test('serves with the settings of the command line until SIGTERM', async () => {
  const args = ['--port', '0', '--tokens', '3', '--token-ms', '0', '--first-token-ms', '0', '--parallel', '1'];
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const url = /http:\/\/\S+/.exec(String(line))?.[0] ?? '';
  expect(String(line)).toContain('no language model runs here');
  const body = JSON.stringify({ model: 'simulator', prompt: 'x', stream: false });
  const answer: unknown = await (await fetch(`${url}/api/generate`, { method: 'POST', body })).json();
  expect(answer).toMatchObject({ eval_count: 3 });
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
