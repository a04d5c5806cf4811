/** A process that runs parts of a larger job: told by its parent what, one part after the other. */
import { flushCompileCache } from 'node:module';
import { installHooks, type Patch } from './hooks.ts';

export type Job =
  | { kind: 'seeds'; from: number; count: number }
  | { kind: 'scenario'; name: string }
  /** A scenario told once, with crashes at the effects named. */
  | { kind: 'telling'; name: string; crashAt: number[] }
  /** Scenarios and seeds until the first violation; some scenarios with all their crashes. */
  | { kind: 'hunt'; seeds: number; crashed: string[] };

const patches: Patch[] = JSON.parse(process.argv[2] ?? '[]');
installHooks(patches);
const { hunt, onRun, runOne, runScenarios, runSeeds } = await import('./run-seeds.ts');

process.on('message', (job: Job) => {
  void work(job).then((total) => process.send?.(total));
});
// It is ended by a signal, which keeps nothing.
flushCompileCache();
process.send?.('ready');

/** So that whoever waits can tell a slow machine from a run without end. */
const ALIVE_EVERY_RUNS = 20;
let runs = 0;
onRun(() => {
  runs += 1;
  if (runs % ALIVE_EVERY_RUNS === 0) process.send?.('alive');
});

function work(job: Job) {
  if (job.kind === 'seeds') return runSeeds(job.from, job.count);
  if (job.kind === 'scenario') return runScenarios(new Set([job.name]));
  if (job.kind === 'telling') return runOne(job.name, job.crashAt);
  return hunt(job.seeds, job.crashed);
}
