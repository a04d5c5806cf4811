/** People at their pages: the real client on the simulated network, and one who speaks the wire by hand. */
import { memoryOutbox } from '../../src/client/memory-outbox.ts';
import { createSessionClient } from '../../src/client/session-client.ts';
import type { OutboxStore, SessionClient, SocketLike } from '../../src/client/types.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import type { ClientRecording } from '../support/recording.ts';
import type { Host } from './host.ts';
import { Link } from './link.ts';
import type { World } from './world.ts';

/** Frames in a flood. */
const FLOOD = 20;

/** Pages of one browser share what is not sent yet. */
export class Browser {
  readonly name: string;
  readonly outbox: OutboxStore = memoryOutbox();
  skewMs = 0;
  pages: Page[] = [];
  opened = 0;

  constructor(name: string) {
    this.name = name;
  }
}

export class Page {
  readonly name: string;
  readonly host: Host;
  readonly browser: Browser;
  readonly client: SessionClient;
  readonly #world: World;
  readonly #recording: ClientRecording;
  alive = true;
  links: Link[] = [];

  constructor(world: World, host: Host, browser: Browser) {
    browser.opened += 1;
    this.name = `${browser.name}.${browser.opened}`;
    this.host = host;
    this.browser = browser;
    this.#world = world;
    this.#recording = { name: this.name, connections: [] };
    host.notes.recordings.push(this.#recording);
    browser.pages.push(this);
    world.pages.push(this);
    this.client = createSessionClient({
      session: host.id,
      outbox: browser.outbox,
      openSocket: () => this.#open(),
      newId: () => world.newId(this.name),
      clock: {
        now: () => world.wallClock() + browser.skewMs,
        setTimer: (callback, delayMs) => world.timeline.after(delayMs, this, callback),
        random: () => world.chance.next(),
      },
      loadOlder: async (before) => {
        const page = host.process?.runtime?.page(before, 6);
        if (!page) throw new Error('the server does not answer');
        return page;
      },
    });
  }

  #open(): SocketLike {
    const link = newLink(this.#world, this.host, this.#recording);
    this.links = this.links.filter((other) => other.clientOpen);
    this.links.push(link);
    return link.clientEnd;
  }

  get link(): Link | undefined {
    return this.links.at(-1);
  }

  send(text: string, priority: number): void {
    const { host, client, name } = this;
    client.send(text, { priority }).then(
      (id) => void host.notes.wanted.push({ id, text, page: name, touched: false, withdrawn: false }),
      () => {},
    );
  }

  /** Changes (or withdraws) one of the messages that this browser has written. */
  revise(id: string, text: string | null): void {
    for (const wanted of this.host.notes.wanted) {
      if (wanted.id !== id) continue;
      wanted.touched = true;
      wanted.withdrawn ||= text === null;
    }
    const change = text === null ? this.client.cancel(id) : this.client.edit(id, text);
    change.catch(() => {});
  }

  /** What the page shows just now of what is under way. */
  note(): void {
    const { running, queue } = this.client.view;
    const waiting = queue.waiting.map(({ turn }) => turn);
    if (waiting.length > 0) {
      this.host.notes.queues.push({ tab: this.name, running: queue.running?.turn ?? null, waiting });
    }
    if (!running || (running.text === '' && running.thinking === '')) return;
    const { turn, attempt, text, thinking } = running;
    this.host.notes.shown.push({ tab: this.name, turn, attempt, text, thinking });
  }

  /** The page is gone without a word: a reload, a crash of the browser. */
  drop(): void {
    this.alive = false;
    this.#world.timeline.drop(this);
    for (const link of this.links) {
      link.clientOpen = false;
      link.down = [];
      link.up.push({ close: 1001 });
    }
    this.browser.pages = this.browser.pages.filter((page) => page !== this);
    this.#world.pages = this.#world.pages.filter((page) => page !== this);
  }
}

export function openPage(world: World, host: Host, browser: Browser): Page {
  return new Page(world, host, browser);
}

/** Says anything, in any order; a hostile or an old client. */
export class RawPage {
  readonly host: Host;
  link: Link;
  /** Characters read and not credited. Who credits more than that has its own window to blame. */
  unread = 0;
  /** Said hello on this connection, and was welcomed. */
  greeted = false;
  welcomed = false;
  readonly #world: World;
  readonly #recording: ClientRecording;

  constructor(world: World, host: Host, name: string) {
    this.host = host;
    this.#world = world;
    this.#recording = { name, connections: [] };
    host.notes.recordings.push(this.#recording);
    this.link = this.#open();
  }

  #open(): Link {
    const link = newLink(this.#world, this.host, this.#recording);
    this.unread = 0;
    this.greeted = false;
    this.welcomed = false;
    link.clientEnd.onmessage = ({ data }) => {
      const text = String(data);
      this.unread += text.length;
      this.welcomed ||= text.startsWith('{"type":"welcome"');
    };
    return link;
  }

  /** Another connection; the one before is over now. */
  #reconnect(): void {
    this.link.clientEnd.close();
    this.link = this.#open();
  }

  say(frame: ClientFrame): void {
    // While a first hello is under way it is open which of two counts; a second one later is refused.
    const isOpen = this.link.clientOpen && (!this.greeted || (this.welcomed && this.#world.chance.is(0.3)));
    if (frame.type === 'hello' && !isOpen) this.#reconnect();
    if (frame.type === 'hello') this.greeted = true;
    if (frame.type === 'credit') this.unread -= frame.bytes;
    this.raw(JSON.stringify(frame));
  }

  /** More at once than a tight bound allows. */
  flood(text: string): void {
    for (let count = 0; count < FLOOD; count += 1) this.raw(text);
  }

  raw(text: string): void {
    if (this.link.clientOpen) this.link.clientEnd.send(text);
  }
}

function newLink(world: World, host: Host, recording: ClientRecording): Link {
  const connection: Link['connection'] = { frames: [], unreadable: [] };
  recording.connections.push(connection);
  const link = new Link(`${recording.name}#${recording.connections.length}`, host, connection);
  world.links.push(link);
  return link;
}
