/** One session over many lives of the server, and all that anybody in it wrote, was told and saw. */
import { memoryOutbox } from '../../src/client/memory-outbox.ts';
import type { OutboxStore, SessionView } from '../../src/client/types.ts';
import type { SessionHistory, ViewAtRest } from '../support/history-checker.ts';
import type { Random } from '../support/random.ts';
import type { ClientRecording } from '../support/recording.ts';
import type { RecordedClient, User } from '../support/user.ts';

/** A queue longer than this gets no more messages, so that a run can end. */
const MAX_BACKLOG = 4;
/** Answers that come with characters of two to four bytes, cut inside between two writes of the model. */
const CUT_CHARACTERS_SHARE = 0.3;

/** A page that is loaded anew now and then: what it has not sent lies in its outbox. */
class Tab {
  readonly recordings: ClientRecording[] = [];
  readonly #outbox: OutboxStore = memoryOutbox();
  readonly #user: User;
  readonly #session: string;
  readonly #name: string;
  #current: RecordedClient | null = null;

  constructor(user: User, session: string, name: string) {
    this.#user = user;
    this.#session = session;
    this.#name = name;
  }

  get view(): SessionView | null {
    return this.#current?.client.view ?? null;
  }

  open(): void {
    this.close();
    const name = `${this.#name}.${this.recordings.length}`;
    this.#current = this.#user.client(this.#session, name, { outbox: this.#outbox });
    this.recordings.push(this.#current.recording);
  }

  close(): void {
    this.#current?.client.close();
    this.#current = null;
  }

  /** What a page does on `online`. */
  wake(): void {
    this.#current?.client.wake();
  }

  async write(text: string): Promise<string | undefined> {
    return this.#current?.client.send(text);
  }
}

export class Conversation {
  readonly session: string;
  readonly user: User;
  /** Empty where nobody ever connects: messages come over HTTP, answers without anybody waiting. */
  readonly #tabs: Tab[];
  /** Sent by hand over bare sockets. */
  readonly wires: ClientRecording[] = [];
  /** Every message written, by its id; acknowledged or not. */
  readonly written = new Map<string, string>();
  readonly acknowledged: { id: string; seq: number; text: string }[] = [];
  /** Posted and not acknowledged yet: posted again in every life. */
  readonly #unacknowledged = new Map<string, string>();
  #posting: Promise<void> | null = null;

  constructor(user: User, session: string, tabs: number) {
    this.user = user;
    this.session = session;
    this.#tabs = Array.from({ length: tabs }, (_, index) => new Tab(user, session, `tab ${index}`));
  }

  get attended(): boolean {
    return this.#tabs.length > 0;
  }

  open(): void {
    for (const tab of this.#tabs) tab.open();
  }

  close(): void {
    for (const tab of this.#tabs) tab.close();
  }

  wake(): void {
    for (const tab of this.#tabs) tab.wake();
  }

  /** Somebody presses F5. */
  reload(random: Random): void {
    this.#tabs[random.between(0, this.#tabs.length - 1)]?.open();
  }

  /** One more message, unless enough wait already. */
  async write(random: Random): Promise<void> {
    const fault = random.next() < CUT_CHARACTERS_SHARE ? ' [[sim fault=split-utf8]]' : '';
    const text = `Question ${this.written.size + 1} 👩‍🚀 in ${this.session}${fault}`;
    if (this.#tabs.length === 0) return this.#post(text);
    const tab = this.#tabs[random.between(0, this.#tabs.length - 1)];
    if (!tab?.view || tab.view.pending.length + tab.view.queue.waiting.length >= MAX_BACKLOG) return;
    const id = await tab.write(text);
    if (id !== undefined) this.written.set(id, text);
  }

  #post(text: string): void {
    if (this.#unacknowledged.size >= MAX_BACKLOG) return;
    const id = `post-${this.written.size}`;
    this.written.set(id, text);
    this.#unacknowledged.set(id, text);
  }

  /** Posts what was not acknowledged, one after the other, until one fails. */
  post(): Promise<void> {
    this.#posting ??= this.#postAll().finally(() => {
      this.#posting = null;
    });
    return this.#posting;
  }

  async #postAll(): Promise<void> {
    for (const [id, text] of this.#unacknowledged) {
      // A process that is killed answers nothing: the same again in the next one.
      const answer = await this.user.post(this.session, id, text).catch(() => null);
      if (answer?.status !== 202) return;
      const { body } = answer;
      if (typeof body !== 'object' || body === null || !('seq' in body) || typeof body.seq !== 'number') return;
      this.acknowledged.push({ id, seq: body.seq, text });
      this.#unacknowledged.delete(id);
    }
  }

  /** Everything was sent, everything sent is answered, as far as tabs and posts know. */
  isAtRest(): boolean {
    return this.#unacknowledged.size === 0 && this.#tabs.every((tab) => isAtRest(tab.view));
  }

  /** What keeps it from being at rest, for a failure's report. */
  unrest(): object {
    const views = this.#tabs.map(({ view }) => {
      if (!view) return null;
      const { connection, retryAt, pending, queue, running, lastError } = view;
      return { connection, retryAt, pending, queue, running, lastError };
    });
    return { session: this.session, unacknowledged: [...this.#unacknowledged.keys()], views };
  }

  /** The places that were acknowledged, however. */
  acknowledgements(): { id: string; seq: number }[] {
    const frames = this.recordings().flatMap(({ connections }) => connections.flatMap(({ frames: all }) => all));
    const acks = frames.flatMap(({ frame }) => (frame.type === 'ack' ? [{ id: frame.id, seq: frame.seq }] : []));
    return [...acks, ...this.acknowledged];
  }

  recordings(): ClientRecording[] {
    return [...this.#tabs.flatMap(({ recordings }) => recordings), ...this.wires];
  }

  /** Its part of a history for the checker; the rest is read from the server. */
  told(): Pick<SessionHistory, 'session' | 'clients' | 'acknowledged' | 'views'> {
    const views: ViewAtRest[] = this.#tabs.flatMap(({ view }, index) =>
      view ? [{ name: `tab ${index}`, messages: view.messages, olderBefore: view.olderBefore }] : [],
    );
    return { session: this.session, clients: this.recordings(), acknowledged: this.acknowledged, views };
  }
}

function isAtRest(view: SessionView | null): boolean {
  if (!view) return true;
  const { connection, pending, queue } = view;
  return connection === 'live' && pending.length === 0 && !queue.running && queue.waiting.length === 0;
}
