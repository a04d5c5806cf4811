/**
 * Runs the simulator by hand.
 *
 *     node test/sim/run.ts --seed 7 [--trace]                    one seed, step by step
 *     node test/sim/run.ts --from 0 --count 1000                 many
 *     node test/sim/run.ts --scenario 'queued: stop'             one scenario, crashed everywhere
 *     node test/sim/run.ts --scenario 'queued: stop' --crash 12,15 [--trace]
 *     node test/sim/run.ts --mutant 'no second try' --seed 7     with a planted bug of mutants.ts
 */
import { parseArgs } from 'node:util';
import { installHooks } from './hooks.ts';
import { MUTANTS } from './mutants.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '1000' },
    scenario: { type: 'string' },
    crash: { type: 'string' },
    mutant: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
installHooks(MUTANTS.find(({ name }) => name === values.mutant)?.patches);
const { runOne, runScenarios, runSeeds } = await import('./run-seeds.ts');
const trace = values.trace ? (line: string) => console.log(line) : null;
const startedAt = process.cpuUsage();
const { runs, steps, effects, counts, violations } = await run();
const { user, system } = process.cpuUsage(startedAt);
const cpuMs = (user + system) / 1_000 / runs;
console.log(`${runs} runs, ${steps} steps, ${effects} effects, ${cpuMs.toFixed(2)} ms of processor time each`);
console.log(
  Object.entries(counts)
    .map(([name, times]) => `${name} ${times}`)
    .join(', '),
);
const told = new Set(violations.map(({ run: name, rule, detail }) => `${name}: ${rule} ${detail}`));
for (const line of [...told].slice(0, 20)) console.log(line);
console.log(`${violations.length} violations`);
process.exitCode = violations.length > 0 ? 1 : 0;

function run() {
  const { scenario, crash, seed, from, count } = values;
  if (scenario !== undefined && crash !== undefined) return runOne(scenario, crash.split(',').map(Number), trace);
  if (scenario !== undefined) return runScenarios(scenario === 'all' ? null : new Set([scenario]));
  return seed === undefined ? runSeeds(Number(from), Number(count)) : runSeeds(Number(seed), 1, trace);
}
