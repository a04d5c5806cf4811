/**
 * The real session runtime behind connections that the test can break: every frame lies in a
 * pipe until the test moves it, and what a cut connection had sent may still arrive.
 */
import type { SocketLike } from '../../../src/client/types.ts';
import { receive } from '../../../src/objects/socket-frames.ts';
import { FakeSocket as RuntimeSocket, FakeWorld } from '../../support/fake-world.ts';
import { settle } from './virtual-clock.ts';

class Link extends RuntimeSocket {
  readonly toClient: string[] = [];
  readonly toServer: string[] = [];
  accepted = false;
  cut = false;
  readonly clientEnd: SocketLike = {
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: (text) => {
      if (!this.cut) this.toServer.push(text);
    },
    close: () => {
      this.cut = true;
    },
  };

  override send(text: string): void {
    if (!this.cut) this.toClient.push(text);
  }
}

export class Network {
  readonly world = new FakeWorld();
  readonly #links: Link[] = [];

  /** For the client's `openSocket`. */
  readonly openSocket = (): SocketLike => {
    const link = new Link();
    this.#links.push(link);
    return link.clientEnd;
  };

  get #current(): Link | undefined {
    return this.#links.findLast((link) => !link.cut);
  }

  /** The newest connection is established. */
  async open(): Promise<void> {
    const link = this.#current;
    if (!link || link.accepted) return;
    link.accepted = true;
    this.world.runtime.join(link);
    link.clientEnd.onopen?.();
    await settle();
  }

  /** Up to `count` frames arrive at the server, those of cut connections first. */
  async up(count: number): Promise<void> {
    let left = count;
    for (const link of this.#links) {
      const tab = this.world.runtime.tabs.get(link);
      // The server has closed it (silent, too many bad frames): what still comes is read by nobody.
      if (!tab && link.accepted) link.toServer.length = 0;
      while (tab && left > 0) {
        const frame = link.toServer.shift();
        if (frame === undefined) break;
        left -= 1;
        receive(this.world.runtime, tab, frame);
        await settle();
      }
      if (tab && link.cut && link.toServer.length === 0) this.world.runtime.leave(link);
    }
  }

  /** Up to `count` frames arrive at the client; `twice`: the first of them two times. */
  async down(count: number, twice = false): Promise<void> {
    const link = this.#current;
    for (let left = count; link && !link.cut && left > 0; left -= 1) {
      const data = link.toClient.shift();
      if (data === undefined) break;
      link.clientEnd.onmessage?.({ data });
      if (twice && left === count && !link.cut) link.clientEnd.onmessage?.({ data });
      await settle();
    }
  }

  /** The connection breaks: what was on its way to the client is gone, what was on its way to the server may arrive. */
  async cut(): Promise<void> {
    const link = this.#current;
    if (!link) return;
    link.cut = true;
    link.clientEnd.onclose?.({ code: 1006, reason: '' });
    await settle();
  }

  /** The server's process dies; all connections and all that lay in them die with it. */
  async crash(): Promise<void> {
    await this.cut();
    for (const link of this.#links) link.toServer.length = 0;
    await this.world.restart();
  }

  /** Whether nothing is on its way. */
  get quiet(): boolean {
    return this.#links.every(({ cut, toClient, toServer }) => toServer.length === 0 && (cut || toClient.length === 0));
  }
}
