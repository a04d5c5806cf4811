/**
 * What a scenario, a drill or a comparison starts: everything through here, so that everything ends
 * with it, whatever happens. `Lab.run(options, async (lab) => ...)`.
 */
import { fileURLToPath } from 'node:url';
import type { SimulatorOptions } from '../../src/local/simulator/server.ts';
import { LoadError, type ScenarioOptions } from '../scenario.ts';
import { stateFolder, type StateFolder } from '../state-folder.ts';
import { Generators, type GeneratorOptions } from './generators.ts';
import { startModel, SwitchboardServer, type Started, type StartedModel, type SwitchboardOptions } from './servers.ts';

export const SWITCHBOARD_USERS = fileURLToPath(new URL('../generator/switchboard-users.ts', import.meta.url));
export const BARE_USERS = fileURLToPath(new URL('../generator/bare-users.ts', import.meta.url));

export class Lab {
  readonly options: ScenarioOptions;
  readonly state: StateFolder;
  readonly #started: { stop(): Promise<void> }[] = [];
  #ended = false;

  private constructor(options: ScenarioOptions) {
    this.options = options;
    this.state = stateFolder(options.state);
  }

  /** Runs `body` and ends what it has started; at Ctrl-C at once, and then rejects. */
  static async run<T>(options: ScenarioOptions, body: (lab: Lab) => Promise<T>): Promise<T> {
    options.signal.throwIfAborted();
    const lab = new Lab(options);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(new LoadError('not_finished', 'Interrupted.'));
    options.signal.addEventListener('abort', onAbort, { once: true });
    const work = body(lab);
    // After an interruption what is still under way fails for want of its servers: nobody needs to hear.
    work.catch(() => undefined);
    let result: T;
    try {
      result = await Promise.race([work, aborted]);
    } catch (error) {
      // What ended the run is what has to be told.
      await lab.#stop().catch(() => undefined);
      throw error;
    } finally {
      options.signal.removeEventListener('abort', onAbort);
    }
    await lab.#stop();
    return result;
  }

  get signal(): AbortSignal {
    return this.options.signal;
  }

  progress(line: string): void {
    this.options.progress(line);
  }

  /** Ends `started` when the lab ends. */
  async keep<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const started = await starting;
    if (this.#ended) {
      await started.stop();
      throw new LoadError('not_finished', 'Interrupted.');
    }
    this.#started.push(started);
    return started;
  }

  /** Ends something before the lab does. */
  async end(started: { stop(): Promise<void> }): Promise<void> {
    const index = this.#started.indexOf(started);
    if (index !== -1) this.#started.splice(index, 1);
    await started.stop();
  }

  model(settings: SimulatorOptions): Promise<StartedModel> {
    return this.keep(startModel(settings));
  }

  /** The product, on a model. */
  switchboard(
    model: Started,
    options: Omit<SwitchboardOptions, 'modelUrl' | 'state'> = {},
  ): Promise<SwitchboardServer> {
    return this.keep(SwitchboardServer.start({ modelUrl: model.url, state: this.state.path, ...options }));
  }

  /** Processes with users; of Switchboard unless `module` says otherwise. */
  generators(options: Omit<GeneratorOptions, 'module'> & { module?: string }): Promise<Generators> {
    return this.keep(Generators.start({ module: SWITCHBOARD_USERS, ...options }));
  }

  /** @throws the first problem, when all the others have been ended */
  async #stop(): Promise<void> {
    this.#ended = true;
    const problems: unknown[] = [];
    for (const started of this.#started.toReversed()) {
      await started.stop().catch((problem: unknown) => problems.push(problem));
    }
    if (problems.length > 0) throw problems[0];
  }
}
