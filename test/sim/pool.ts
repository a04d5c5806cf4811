/** Spreads jobs over processes, one for each core. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Patch } from './hooks.ts';
import type { Total } from './run-seeds.ts';
import type { Job } from './worker.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
/** Young garbage is most of it: room for more of it makes a run a tenth faster. */
const OPTIONS = ['--max-semi-space-size=32', '--disable-warning=ExperimentalWarning'];

/** What a job came to; an error where its process failed, or took longer than it may. */
export type Result = { total: Total } | { error: string };

export function startWorker(patches: readonly Patch[] = []): ChildProcess {
  return fork(WORKER, [JSON.stringify(patches)], { execArgv: OPTIONS, silent: true });
}

/** One job in a worker that is ready. */
export function ask(worker: ChildProcess, job: Job, timeoutMs: number): Promise<Result> {
  return new Promise((resolve) => {
    let output = '';
    const timer = setTimeout(() => end({ error: `no end after ${timeoutMs} ms` }), timeoutMs);
    const onOutput = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    const onExit = (code: number | null): void => end({ error: `ended with ${code}: ${output.slice(-2_000)}` });
    const onMessage = (message: unknown): void => {
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
  jobs: readonly Job[],
  processes: number,
  timeoutMs: number,
  onResult: (result: Result, job: Job) => void,
): Promise<void> {
  const left = [...jobs];
  const lane = async (): Promise<void> => {
    const worker = startWorker();
    for (let job = left.shift(); job; job = left.shift()) {
      const result = await ask(worker, job, timeoutMs);
      onResult(result, job);
      if ('error' in result) break;
    }
    worker.kill();
  };
  await Promise.all(Array.from({ length: processes }, lane));
}

export class Sum {
  runs = 0;
  steps = 0;
  effects = 0;
  readonly counts: Record<string, number> = {};
  readonly failures: string[] = [];

  add(result: Result, how: string): void {
    if ('error' in result) return void this.failures.push(`${how}: ${result.error}`);
    const { runs, steps, effects, counts, violations } = result.total;
    this.runs += runs;
    this.steps += steps;
    this.effects += effects;
    for (const [name, times] of Object.entries(counts)) this.counts[name] = (this.counts[name] ?? 0) + times;
    for (const { run, rule, detail } of violations) this.failures.push(`${run}: ${rule} ${detail}`);
  }

  describe(what: string, startedAt: number): string {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const faults = Object.entries(this.counts)
      .toSorted(([, one], [, other]) => other - one)
      .map(([name, times]) => `${name} ${times}`);
    return `${what}: ${this.runs} runs, ${this.steps} steps, ${this.effects} effects in ${seconds} s; ${faults.join(', ')}`;
  }
}
