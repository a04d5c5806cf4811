/**
 * The lives of one server, one after the other: before one begins the one before it is killed. When all of it ends
 * while a life is still beginning, that one is ended, too: it would belong to nobody.
 */
import { LoadError } from '../scenario.ts';

export class Lives<Life> {
  readonly #kill: (life: Life) => Promise<void>;
  #current: Life | null = null;
  /** The newest life while it begins; it ends well also where that fails. */
  #beginning: Promise<unknown> = Promise.resolve();
  #isOver = false;

  /** @param kill ends a life without a warning */
  constructor(kill: (life: Life) => Promise<void>) {
    this.#kill = kill;
  }

  /** Null between two of them. */
  get current(): Life | null {
    return this.#current;
  }

  /** @throws LoadError after the end; whatever `start` does */
  async begin(start: () => Promise<Life>): Promise<void> {
    const beginning = this.#begin(start);
    this.#beginning = beginning.catch(() => undefined);
    await beginning;
  }

  async kill(): Promise<void> {
    const life = this.#current;
    this.#current = null;
    if (life !== null) await this.#kill(life);
  }

  /** For good. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#beginning;
    await this.kill();
  }

  async #begin(start: () => Promise<Life>): Promise<void> {
    this.#refuseIfOver();
    await this.kill();
    this.#refuseIfOver();
    this.#current = await start();
  }

  #refuseIfOver(): void {
    if (this.#isOver) throw new LoadError('not_finished', 'The server was stopped.');
  }
}
