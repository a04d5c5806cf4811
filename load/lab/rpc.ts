/**
 * Calls between a scenario and the processes that it starts, over Node's own channel. Everything
 * that arrives is checked against the call's shape: a process of another version must not be believed.
 */
import { fork, type ChildProcess } from 'node:child_process';
import * as z from 'zod/mini';
import { reasonOf } from '../reason.ts';
import { LoadError } from '../scenario.ts';

/** What can be called, and with what. */
export type Calls = Readonly<Record<string, { params: z.ZodMiniType; result: z.ZodMiniType }>>;

export type Handlers<C extends Calls> = {
  [Name in keyof C]: (params: z.output<C[Name]['params']>) => Promise<z.output<C[Name]['result']>>;
};

/** A column of numbers as it travels: NaN for none. */
export const numbers = z.custom<Float64Array>((value) => value instanceof Float64Array);
export const nothing = z.object({});

const question = z.object({ number: z.int(), name: z.string(), params: z.unknown() });
const fromChild = z.union([
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('event'), value: z.unknown() }),
  z.object({ kind: z.literal('result'), number: z.int(), value: z.unknown() }),
  z.object({ kind: z.literal('problem'), number: z.int(), message: z.string() }),
]);

const START_TIMEOUT_MS = 20_000;
const END_TIMEOUT_MS = 2_000;

/** In a child: answers calls until the parent is gone. `tell` sends the parent something unasked. */
export function serve<C extends Calls>(calls: C, handlers: Handlers<C>): void {
  const answer = async (name: keyof C, raw: unknown): Promise<unknown> => {
    const call = calls[name];
    if (!call) throw new Error(`There is no call "${String(name)}".`);
    const params: C[keyof C]['params'] = call.params;
    return handlers[name](z.parse(params, raw));
  };
  process.on('message', (message) => {
    const { number, name, params } = question.parse(message);
    answer(name, params).then(
      (value) => toParent({ kind: 'result', number, value }),
      (error: unknown) => toParent({ kind: 'problem', number, message: reasonOf(error) }),
    );
  });
  // However the parent ended, this process ends with it.
  process.once('disconnect', () => process.exit(0));
  toParent({ kind: 'ready' });
}

export function tell(value: unknown): void {
  toParent({ kind: 'event', value });
}

/** A parent that is gone meanwhile needs no answer: `disconnect` ends this process. */
function toParent(message: unknown): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

/** A process of the lab's own and its calls. */
export class Child<C extends Calls> {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #calls: C;
  readonly #onEvent: (value: unknown) => void;
  readonly #open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly #ready = Promise.withResolvers<void>();
  #number = 0;
  #stopping = false;

  private constructor(child: ChildProcess, calls: C, onEvent: (value: unknown) => void) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#calls = calls;
    this.#onEvent = onEvent;
    child.on('message', (message) => this.#receive(message));
    child.once('exit', (code, signal) => this.#ended(`ended by itself (${signal ?? code})`));
    child.once('error', (error) => this.#ended(error.message));
  }

  /** @param path the child's module, which calls `serve` with the same `calls` */
  static async start<C extends Calls>(
    path: string,
    calls: C,
    { args = [], nodeOptions = [], onEvent = () => undefined }: ChildOptions = {},
  ): Promise<Child<C>> {
    const process_ = fork(path, [...args], { serialization: 'advanced', execArgv: [...nodeOptions] });
    const child = new Child(process_, calls, onEvent);
    const timer = setTimeout(() => child.#ready.reject(new Error('it did not start in time')), START_TIMEOUT_MS);
    try {
      await child.#ready.promise;
    } catch (error) {
      await child.stop();
      throw new LoadError('start_failed', `${path} did not start: ${reasonOf(error)}.`);
    } finally {
      clearTimeout(timer);
    }
    return child;
  }

  async call<Name extends keyof C & string>(
    name: Name,
    params: z.input<C[Name]['params']>,
  ): Promise<z.output<C[Name]['result']>> {
    const number = (this.#number += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#open.set(number, { resolve, reject });
    this.#child.send({ number, name, params }, (error) => {
      if (error) this.#ended(error.message);
    });
    const value = await promise;
    const result: C[Name]['result'] | undefined = this.#calls[name]?.result;
    if (!result) throw new LoadError('not_finished', `There is no call "${name}".`);
    return z.parse(result, value);
  }

  stop(): Promise<void> {
    return this.#end(() => {
      if (this.#child.connected) this.#child.disconnect();
      else this.#child.kill('SIGTERM');
    });
  }

  /** SIGKILL: it gets no chance to finish anything. */
  kill(): Promise<void> {
    return this.#end(() => this.#child.kill('SIGKILL'));
  }

  async #end(ask: () => void): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once('exit', () => resolve());
    ask();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await promise;
    clearTimeout(timer);
  }

  #receive(message: unknown): void {
    const parsed = fromChild.parse(message);
    if (parsed.kind === 'ready') return this.#ready.resolve();
    if (parsed.kind === 'event') return this.#onEvent(parsed.value);
    const open = this.#open.get(parsed.number);
    this.#open.delete(parsed.number);
    if (parsed.kind === 'result') open?.resolve(parsed.value);
    else open?.reject(new LoadError('not_finished', parsed.message));
  }

  #ended(why: string): void {
    const error = new LoadError('not_finished', `A process of the load lab ${this.#stopping ? 'was stopped' : why}.`);
    this.#ready.reject(error);
    // Nobody may be waiting for the start any more.
    this.#ready.promise.catch(() => undefined);
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}

export interface ChildOptions {
  args?: readonly string[];
  /** For Node itself, like `--cpu-prof`. */
  nodeOptions?: readonly string[];
  onEvent?: (value: unknown) => void;
}
