/** A failure is only worth something if it can be had again: the same seed is the same run, to the last letter. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const RUN = fileURLToPath(new URL('run.ts', import.meta.url));
const SAMPLE = [1, 22, 333, 4_444, 55_555];
const TEST_TIMEOUT_MS = 60_000;

/** Everything that a run did: what happened when, every effect, every frame. */
function traceOf(...args: string[]): { lines: number; hash: string } {
  const { stdout } = spawnSync(process.execPath, [RUN, ...args, '--trace'], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  // The last lines say how long it took.
  const trace = stdout.split('\n').filter((line) => /^\d+ /.test(line) && !line.includes('processor time'));
  return { lines: trace.length, hash: createHash('sha256').update(trace.join('\n')).digest('hex') };
}

test.each(SAMPLE.map((seed) => [seed]))(
  'seed %i is the same run every time',
  (seed) => {
    const first = traceOf('--seed', `${seed}`);
    expect(first.lines).toBeGreaterThan(20);
    expect(traceOf('--seed', `${seed}`)).toEqual(first);
  },
  TEST_TIMEOUT_MS,
);

test('a scenario with crashes is the same run every time', () => {
  const args = ['--scenario', 'queued: stop', '--crash', '12,20'];
  const first = traceOf(...args);
  expect(first.lines).toBeGreaterThan(20);
  expect(traceOf(...args)).toEqual(first);
}, 20_000);
