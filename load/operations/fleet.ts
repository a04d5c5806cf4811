/** Bots as an operator makes, launches and stops them. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { LoadError } from '../scenario.ts';
import { Caller } from './caller.ts';

const AT_ONCE = 16;
const LAUNCH_TIMEOUT_MS = 30_000;
/** Between two looks at whether a bot runs, when nothing is measured. */
const LOOK_EVERY_MS = 20;

const withState = z.object({ state: z.string() });
const list = z.object({ bots: z.array(z.object({ id: z.string() })) });

export interface Launched {
  /** Until the launch was accepted and durable. */
  acceptedMs: number;
  /** Until the bot runs: its endpoint was asked and has loaded the model. */
  runningMs: number;
}

export class Fleet {
  readonly #operator: Caller;
  /** Bots that exist: `bot-1` to `bot-<size>`, as load/generator's users know them. */
  #size = 0;

  constructor(url: string, operatorToken: string) {
    this.#operator = new Caller(url, { authorization: `Bearer ${operatorToken}` });
  }

  get size(): number {
    return this.#size;
  }

  /** Makes and launches bots until there are so many. */
  async grow(size: number): Promise<void> {
    let next = this.#size + 1;
    const work = async (): Promise<void> => {
      while (next <= size) {
        const id = `bot-${next}`;
        next += 1;
        await this.#operator.post('/api/bots', { id, name: `Bot ${id}` });
        await this.#operator.post(`/api/bots/${id}/launch`);
        await this.#untilRunning(id, LOOK_EVERY_MS);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.#size = Math.max(this.#size, size);
  }

  async list(): Promise<number> {
    const { ms, body } = await this.#operator.get('/api/bots');
    // An empty list would be quick.
    if (list.parse(body).bots.length === 0) throw new LoadError('not_finished', 'The list of bots is empty.');
    return ms;
  }

  async status(number: number): Promise<number> {
    return (await this.#operator.get(`/api/bots/bot-${number}/status`)).ms;
  }

  async launch(number: number): Promise<Launched> {
    const startedAt = performance.now();
    const { ms: acceptedMs, body } = await this.#operator.post(`/api/bots/bot-${number}/launch`);
    if (withState.parse(body).state !== 'running') await this.#untilRunning(`bot-${number}`, 0);
    return { acceptedMs, runningMs: performance.now() - startedAt };
  }

  async stop(number: number): Promise<number> {
    const { ms, body } = await this.#operator.post(`/api/bots/bot-${number}/stop`);
    const { state } = withState.parse(body);
    if (state === 'stopped') return ms;
    throw new LoadError('not_finished', `A bot that was stopped says that it is ${state}.`);
  }

  close(): void {
    this.#operator.close();
  }

  async #untilRunning(id: string, everyMs: number): Promise<void> {
    const until = performance.now() + LAUNCH_TIMEOUT_MS;
    for (;;) {
      const { state } = withState.parse((await this.#operator.get(`/api/bots/${id}/status`)).body);
      if (state === 'running') return;
      if (performance.now() > until) throw new LoadError('not_finished', `${id} was launched and is ${state}.`);
      if (everyMs > 0) await sleep(everyMs);
    }
  }
}
