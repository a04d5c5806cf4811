/** Tests are tested: every planted bug has to be noticed by a short run of the simulator. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { replaceOnce } from './hooks.ts';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutants/mutant.ts';
import { ask, startWorker, type Result } from './pool.ts';
import { scenarios } from './scenarios.ts';
import type { Job } from './worker.ts';

/** `LONG=1` hunts ten times as long, and with the crashes of every scenario. */
const IS_LONG = process.env['LONG'] === '1';
const MIN_MUTANTS = 90;
const MIN_SCORE = 0.95;
const TEST_TIMEOUT_MS = IS_LONG ? 3_600_000 : 900_000;

/** What a mutant has to pass to stay unnoticed. */
const HUNT: Job = {
  kind: 'hunt',
  seeds: IS_LONG ? 12_000 : 1_200,
  crashed: IS_LONG
    ? scenarios().map(({ name }) => name)
    : ['answering: D1 that lies', 'answered: removal while D1 is down'],
};

test('every planted bug applies in exactly one place', () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(MIN_MUTANTS);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  for (const { patches } of MUTANTS) {
    for (const patch of patches) {
      const source = readFileSync(new URL(`../../src/${patch.file}`, import.meta.url), 'utf8');
      expect(replaceOnce(source, patch)).not.toBe(source);
    }
  }
});

test(
  'at least 95 of 100 planted bugs are noticed',
  async () => {
    const startedAt = performance.now();
    expect(await noticedBy({ name: 'no bug', patches: [] }), 'the house without a bug').toBeNull();
    const left = [...MUTANTS];
    const missed: string[] = [];
    const lane = async (): Promise<void> => {
      for (let mutant = left.shift(); mutant; mutant = left.shift()) {
        const verdict = await noticedBy(mutant);
        if (verdict === null) missed.push(mutant.name);
        console.log(`[mutants] ${mutant.name}: ${verdict ?? 'MISSED'}`);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, lane));
    const caught = MUTANTS.length - missed.length;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    console.log(`[mutants] ${caught} of ${MUTANTS.length} planted bugs noticed in ${seconds} s`);
    expect(caught / MUTANTS.length, missed.join('; ')).toBeGreaterThanOrEqual(MIN_SCORE);
  },
  TEST_TIMEOUT_MS,
);

/** The rule that told, in which run, and after how many; null where nothing did. */
async function noticedBy({ patches }: Mutant): Promise<string | null> {
  const worker = startWorker(patches);
  try {
    return describe(await ask(worker, HUNT));
  } finally {
    worker.kill('SIGKILL');
  }
}

function describe(result: Result): string | null {
  if ('error' in result) return result.error.split('\n', 1)[0] ?? 'an error';
  const [first] = result.total.violations;
  return first ? `${first.rule} after ${result.total.runs} runs: ${first.run}` : null;
}
