/** Spreads jobs over processes, one for each core. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Patch } from './hooks.ts';
import type { Total } from './run-seeds.ts';
import type { Job } from './worker.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
/** Young garbage is most of it: room for more of it makes a run a tenth faster. */
const OPTIONS = ['--max-semi-space-size=32', '--disable-warning=ExperimentalWarning'];

/** Failures that are told of; one is enough to begin with. */
const MAX_TOLD = 10;

/** A process tells every few runs that it lives: one that says nothing for so long is in a run without end. */
const SILENCE_MS = 20_000;

/** What a job came to; an error where its process failed, or one of its runs has no end. */
export type Result = { total: Total } | { error: string };

/** Most of a process's start is making JavaScript of a hundred files: what one made, the next ones take. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/simulator', import.meta.url));

export function startWorker(patches: readonly Patch[] = []): ChildProcess {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED };
  return fork(WORKER, [JSON.stringify(patches)], { execArgv: OPTIONS, silent: true, env });
}

/** One job in a worker that is ready. */
export function ask(worker: ChildProcess, job: Job): Promise<Result> {
  return new Promise((resolve) => {
    let output = '';
    const timer = setTimeout(() => end({ error: `no sign of life for ${SILENCE_MS} ms` }), SILENCE_MS);
    const onOutput = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    const onExit = (code: number | null): void => end({ error: `ended with ${code}: ${output.slice(-2_000)}` });
    const onMessage = (message: unknown): void => {
      timer.refresh();
      if (message === 'ready') worker.send(job);
      else if (isTotal(message)) end({ total: message });
    };
    function end(result: Result): void {
      clearTimeout(timer);
      worker.stderr?.off('data', onOutput);
      worker.off('exit', onExit);
      worker.off('message', onMessage);
      resolve(result);
    }
    worker.stderr?.on('data', onOutput);
    worker.on('exit', onExit);
    worker.on('message', onMessage);
    // A worker that has worked before does not say again that it is ready.
    if (ready.has(worker)) worker.send(job);
    ready.add(worker);
  });
}

const ready = new WeakSet<ChildProcess>();

function isTotal(message: unknown): message is Total {
  return typeof message === 'object' && message !== null && 'violations' in message;
}

/** All jobs, `processes` at a time; `onResult` is called after each. */
export async function runJobs(
  jobs: Iterable<Job>,
  processes: number,
  onResult: (result: Result, job: Job) => void,
): Promise<void> {
  const left = jobs[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    const worker = startWorker();
    for (let next = left.next(); !next.done; next = left.next()) {
      const result = await ask(worker, next.value);
      onResult(result, next.value);
      if ('error' in result) break;
    }
    worker.kill();
  };
  await Promise.all(Array.from({ length: processes }, lane));
}

/** What many jobs came to. */
export class Sum {
  runs = 0;
  steps = 0;
  effects = 0;
  readonly counts: Record<string, number> = {};
  readonly failures: { run: string; what: string }[] = [];

  add(result: Result, job: Job): void {
    if ('error' in result) return void this.failures.push({ run: optionsOf(job), what: result.error });
    const { runs, steps, effects, counts, violations } = result.total;
    this.runs += runs;
    this.steps += steps;
    this.effects += effects;
    for (const [name, times] of Object.entries(counts)) this.counts[name] = (this.counts[name] ?? 0) + times;
    for (const { run, rule, detail } of violations) this.failures.push({ run, what: `${rule} ${detail}` });
  }

  /** One line: how much was run, and how often each fault happened. */
  describe(what: string, startedAt: number): string {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const faults = Object.entries(this.counts)
      .toSorted(([, one], [, other]) => other - one)
      .map(([name, times]) => `${name} ${times}`);
    return `${what}: ${this.runs} runs, ${this.steps} steps, ${this.effects} effects in ${seconds} s; ${faults.join(', ')}`;
  }

  /** The first failures, each with the line that repeats it. */
  told(): string[] {
    return this.failures
      .slice(0, MAX_TOLD)
      .map(({ run, what }) => `${what}; again: node test/sim/run.ts ${run} --trace`);
  }
}

function optionsOf(job: Job): string {
  if (job.kind === 'seeds') return `--from ${job.from} --count ${job.count}`;
  return job.kind === 'hunt' ? '' : `--scenario '${job.name}'`;
}
