/** Runs seeds of the simulator: `node test/sim/run.ts --seed 7 [--trace]`, `--from 0 --count 1000`. */
import { parseArgs } from 'node:util';
import { installHooks } from './hooks.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '1000' },
    trace: { type: 'boolean', default: false },
  },
});
installHooks();
const { runSeeds } = await import('./run-seeds.ts');
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.count) : 1;
const startedAt = performance.now();
const total = await runSeeds(first, count, values.trace ? (line) => console.log(line) : null);
const { violations, counts, seeds, steps, effects } = total;
console.log(`${seeds} seeds, ${steps} steps, ${effects} effects, ${((performance.now() - startedAt) / seeds).toFixed(2)} ms a seed`);
console.log([...counts].map(([name, times]) => `${name} ${times}`).join(', '));
for (const { seed, rule, detail } of violations.slice(0, 20)) console.log(`seed ${seed}: ${rule} ${detail}`);
console.log(`${violations.length} violations`);
process.exitCode = violations.length > 0 ? 1 : 0;
