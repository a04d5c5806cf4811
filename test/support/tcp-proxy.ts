/**
 * A TCP proxy on loopback that does to connections what networks do. Faults are set for each
 * direction and can be changed at any time, for connections that are open too. Bytes are never
 * lost or swapped within a connection: TCP would not let a network do that.
 */
import net from 'node:net';
import { onTestFinished } from 'vitest';
import { Lane, NO_FAULTS, type Faults, type LaneEnd } from './tcp-lane.ts';

const HOST = '127.0.0.1';
const RELISTEN_TRIES = 50;
const RELISTEN_MS = 20;

/** `up`: from who connected to the target; `down`: back. */
export type Direction = 'up' | 'down';

/** One connection through the proxy. */
class Link {
  readonly inbound: net.Socket;
  readonly outbound: net.Socket;
  readonly lanes: Readonly<Record<Direction, Lane>>;

  constructor(inbound: net.Socket, outbound: net.Socket, faults: Readonly<Record<Direction, Readonly<Faults>>>) {
    this.inbound = inbound;
    this.outbound = outbound;
    for (const socket of [inbound, outbound]) socket.setNoDelay(true);
    const finish = (how: LaneEnd): void => (how === 'reset' ? this.reset() : this.#endBoth());
    this.lanes = {
      up: new Lane(inbound, outbound, faults.up, finish),
      down: new Lane(outbound, inbound, faults.down, finish),
    };
  }

  get closed(): boolean {
    return this.inbound.destroyed && this.outbound.destroyed;
  }

  reset(): void {
    for (const lane of Object.values(this.lanes)) lane.strand();
    this.inbound.resetAndDestroy();
    this.outbound.resetAndDestroy();
  }

  #endBoth(): void {
    for (const lane of Object.values(this.lanes)) lane.strand();
    // What was written is still delivered; nothing is read any more, so the sockets have to go by themselves.
    this.inbound.end(() => this.inbound.destroy());
    this.outbound.end(() => this.outbound.destroy());
  }

  destroy(): void {
    for (const lane of Object.values(this.lanes)) lane.stop();
    this.inbound.destroy();
    this.outbound.destroy();
  }
}

export class TcpProxy {
  /** When each connection was accepted (performance.now). */
  readonly acceptedAt: number[] = [];
  readonly #targetPort: number;
  readonly #links = new Set<Link>();
  #faults: Readonly<Record<Direction, Readonly<Faults>>> = { up: NO_FAULTS, down: NO_FAULTS };
  #forwardedBefore: Record<Direction, number> = { up: 0, down: 0 };
  readonly #listener = net.createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  #port = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  /** `target`: `http://127.0.0.1:port`. */
  static async start(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(Number(new URL(target).port));
    await proxy.#listen();
    return proxy;
  }

  /** For one test, closed at its end. */
  static async forTest(target: string): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(target);
    onTestFinished(() => proxy.close());
    return proxy;
  }

  get url(): string {
    return `http://${HOST}:${this.#port}`;
  }

  /** Connections that are open on either side. */
  get open(): number {
    return this.#links.size;
  }

  /** Bytes that got through in a direction, over all connections. */
  forwarded(direction: Direction): number {
    let sum = this.#forwardedBefore[direction];
    for (const { lanes } of this.#links) sum += lanes[direction].forwarded;
    return sum;
  }

  /** Sets faults over those that are set; for both directions unless one is named. */
  set(faults: Partial<Faults>, direction?: Direction): void {
    const { up, down } = this.#faults;
    this.#apply({
      up: direction === 'down' ? up : { ...up, ...faults },
      down: direction === 'up' ? down : { ...down, ...faults },
    });
  }

  /** From here on nothing is wrong with the network. Stranded connections stay so. */
  async heal(): Promise<void> {
    this.#apply({ up: NO_FAULTS, down: NO_FAULTS });
    await this.#listen();
  }

  /** New connections are refused; those that are open go on. */
  async refuse(): Promise<void> {
    this.#listener.close();
    // The port is given back in the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resets (RST) what is open, or those of it that are chosen; returns how many. */
  reset(choose: () => boolean = () => true): number {
    const chosen = [...this.#links].filter(choose);
    for (const link of chosen) link.reset();
    return chosen.length;
  }

  /** What is open (or chosen) stays open and dead for ever, as after a router forgot it; new connections are well. */
  strand(choose: () => boolean = () => true): number {
    const chosen = [...this.#links].filter(choose);
    for (const { lanes } of chosen) for (const lane of Object.values(lanes)) lane.strand();
    return chosen.length;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      // Called too when it does not listen.
      this.#listener.close(() => resolve());
    });
    for (const link of this.#links) link.destroy();
    await closed;
  }

  #apply(faults: Readonly<Record<Direction, Readonly<Faults>>>): void {
    this.#faults = faults;
    for (const { lanes } of this.#links) {
      lanes.up.set(faults.up);
      lanes.down.set(faults.down);
    }
  }

  async #listen(): Promise<void> {
    for (let tries = 1; !this.#listener.listening; tries += 1) {
      try {
        await this.#tryToListen();
      } catch (error) {
        // Somebody's outgoing connection may have borrowed the port for a moment.
        if (tries >= RELISTEN_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, RELISTEN_MS));
      }
    }
  }

  #tryToListen(): Promise<void> {
    const listener = this.#listener;
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.#port, HOST, () => {
        listener.off('error', reject);
        const address = listener.address();
        if (typeof address === 'object' && address !== null) this.#port = address.port;
        resolve();
      });
    });
  }

  #accept(inbound: net.Socket): void {
    this.acceptedAt.push(performance.now());
    const outbound = net.connect({ port: this.#targetPort, host: HOST, allowHalfOpen: true });
    const link = new Link(inbound, outbound, this.#faults);
    this.#links.add(link);
    const onClose = (): void => {
      if (!link.closed || !this.#links.delete(link)) return;
      for (const direction of ['up', 'down'] as const) {
        this.#forwardedBefore[direction] += link.lanes[direction].forwarded;
      }
    };
    inbound.on('close', onClose);
    outbound.on('close', onClose);
  }
}
