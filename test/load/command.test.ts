/** What a person gets wrong at the command line is told at once, in one line, and nothing is run for it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileOf, htmlFileOf, RESULTS, stateOf } from '../../load/command.ts';
import { Runs } from '../../load/report/runs.ts';
import { LoadError } from '../../load/scenario.ts';
import { connections } from '../../load/scenarios/connections.ts';
import { operations } from '../../load/scenarios/operations.ts';
import { stress } from '../../load/scenarios/stress.ts';
import { ROOT } from '../../src/local/build-worker.ts';
import { SCENARIO_OPTIONS } from '../support/scenario-options.ts';

const SCENARIO = join(ROOT, 'load/cli.ts');
const DRILL = join(ROOT, 'load/drill-cli.ts');
/** Each is a process that loads the whole lab, beside other tests. */
const COMMANDS = { timeout: 60_000 };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-command-'));
  await writeFile(join(folder, 'file'), '');
});
afterAll(() => rm(folder, { recursive: true }));

/** What a command that fails says. */
async function refusal(cli: string, ...args: string[]): Promise<string> {
  const error: unknown = await promisify(execFile)(process.execPath, [cli, ...args]).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 1, stdout: '' });
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  expect(stderr.trim().split('\n')).toHaveLength(1);
  return stderr;
}

test('a file for the figures that cannot be written is found out before the run', COMMANDS, async () => {
  const missing = join(folder, 'missing/x.json');
  expect(await refusal(SCENARIO, 'smoke', '--json', missing)).toContain(`--json ${missing} cannot be written: ENOENT`);
  expect(await refusal(DRILL, 'crash', '--json', missing)).toContain(`--json ${missing} cannot be written: ENOENT`);
  await expect(fileOf('--json', folder)).rejects.toThrow(LoadError);
  await expect(fileOf('--json', join(folder, 'file/x.json'))).rejects.toThrow(LoadError);
});

test('looking at it leaves no file, and none other than it was', async () => {
  const path = join(folder, 'new.json');
  expect(await fileOf('--json', path)).toBe(path);
  expect(existsSync(path)).toBe(false);
  expect(await fileOf('--json', join(folder, 'file'))).toBe(join(folder, 'file'));
  expect(existsSync(join(folder, 'file'))).toBe(true);
  expect(await fileOf('--json', undefined)).toBeNull();
});

test('a page goes where it is wanted, else beside the figures, else to those of a report', async () => {
  const [json, html] = [join(folder, 'low.json'), join(folder, 'page')];
  expect(await htmlFileOf('low', { json, html })).toBe(html);
  expect(await htmlFileOf('low', { json, html: undefined })).toBe(join(folder, 'low.html'));
  expect(await htmlFileOf('low', { json: join(folder, 'low'), html: undefined })).toBe(join(RESULTS, 'low.html'));
  expect(await htmlFileOf('low', { json: undefined, html: undefined })).toBe(join(RESULTS, 'low.html'));
  expect(existsSync(join(folder, 'low.html'))).toBe(false);
  await expect(htmlFileOf('low', { json, html: join(folder, 'missing/x.html') })).rejects.toThrow('--html');
});

test('state is kept in a folder', COMMANDS, async () => {
  const file = join(folder, 'file');
  expect(await refusal(SCENARIO, 'smoke', '--state', file)).toBe(`--state ${file} is not a folder.\n`);
  expect(await refusal(DRILL, 'crash', '--state', file)).toBe(`--state ${file} is not a folder.\n`);
  expect(() => stateOf(join(file, 'below'))).toThrow(LoadError);
  expect(() => stateOf(join(folder, 'missing'))).toThrow(LoadError);
  expect(stateOf(folder)).toBe(folder);
  expect(stateOf(undefined)).toBeNull();
});

test('a report of results that are not there, or that are no results, says so', COMMANDS, async () => {
  expect(await refusal(SCENARIO, 'report', '--from', join(folder, 'missing'))).toContain('no results to read: ENOENT');
  await expect(Runs.read(folder)).rejects.toThrow(`There are no results in ${folder}.`);
  const results = await mkdtemp(join(folder, 'results-'));
  for (const [file, text, problem] of [
    ['low.json', '{"scenario": "low",\n', 'low.json is not JSON.'],
    ['low.json', '{}', 'low.json is not a result'],
    ['failures.json', '{}', 'failures.json is not what a report has written'],
  ] as const) {
    await writeFile(join(results, file), text);
    const reading = Runs.read(results);
    await expect(reading).rejects.toThrow(LoadError);
    await expect(reading).rejects.toThrow(problem);
  }
});

test('what a scenario cannot do with so few users, so little time or a server elsewhere, it refuses', async () => {
  await expect(operations.run({ ...SCENARIO_OPTIONS, users: 1 })).rejects.toThrow(
    'operations needs --users 2 at least',
  );
  await expect(connections.run({ ...SCENARIO_OPTIONS, seconds: 6 })).rejects.toThrow(
    'connections needs --seconds 13 at least',
  );
  await expect(stress.run({ ...SCENARIO_OPTIONS, url: new URL('http://127.0.0.1:1') })).rejects.toThrow(
    'against --url',
  );
});
