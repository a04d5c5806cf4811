/** Tests are tested: every planted bug has to be noticed by a short run of the simulator. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { replaceOnce } from './hooks.ts';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutants/mutant.ts';
import { ask, startWorker, type Result } from './pool.ts';
import type { Job } from './worker.ts';

const MIN_MUTANTS = 40;
const MIN_SCORE = 0.95;
/** A bug that makes the code run for ever is noticed by this. */
const HUNT_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = 600_000;

/** What a mutant has to pass to stay unnoticed. */
const HUNT: Job = {
  kind: 'hunt',
  seeds: 1_200,
  scenarios: [
    'queued: stop while it speaks on',
    'answering: D1 that lies',
    'answered: removal while the storage fails',
  ],
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
    const verdicts = new Map<Mutant, string | null>();
    const lane = async (): Promise<void> => {
      for (let mutant = left.shift(); mutant; mutant = left.shift()) verdicts.set(mutant, await noticedBy(mutant));
    };
    await Promise.all(Array.from({ length: availableParallelism() }, lane));
    const caught = MUTANTS.filter((mutant) => verdicts.get(mutant) !== null);
    for (const mutant of MUTANTS) console.log(`[mutants] ${mutant.name}: ${verdicts.get(mutant) ?? 'MISSED'}`);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    console.log(`[mutants] ${caught.length} of ${MUTANTS.length} planted bugs noticed in ${seconds} s`);
    const missed = MUTANTS.filter((mutant) => !caught.includes(mutant)).map(({ name }) => name);
    expect(caught.length / MUTANTS.length, missed.join('; ')).toBeGreaterThanOrEqual(MIN_SCORE);
  },
  TEST_TIMEOUT_MS,
);

/** The rule that told, and where; null where nothing did. */
async function noticedBy({ patches }: Mutant): Promise<string | null> {
  const worker = startWorker(patches);
  try {
    return describe(await ask(worker, HUNT, HUNT_TIMEOUT_MS));
  } finally {
    worker.kill('SIGKILL');
  }
}

function describe(result: Result): string | null {
  if ('error' in result) return result.error.split('\n', 1)[0] ?? 'an error';
  const [first] = result.total.violations;
  return first ? `${first.rule} in ${first.run}, run ${result.total.runs}` : null;
}
