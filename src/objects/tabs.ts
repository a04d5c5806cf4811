/** All tabs of a session, and the pump that brings each of them to the end of the log and of the running answer. */
import { encodeServerFrame } from '../protocol/codec.ts';
import { CLOSE } from '../protocol/codes.ts';
import { HELLO_TIMEOUT_MS, MAX_MESSAGES_AT_ONCE, MESSAGES_PER_SECOND, SILENCE_TIMEOUT_MS } from '../protocol/limits.ts';
import type { LogRecord } from '../protocol/records.ts';
import type { QueueView, ServerFrame } from '../protocol/server-frames.ts';
import type { Channel } from '../protocol/values.ts';
import { Tab, type TabSocket } from './tab.ts';
import { TokenBucket } from './token-bucket.ts';

/** The running answer as far as it has come. */
export interface RunningAnswer {
  readonly turn: number;
  readonly attempt: number;
  readonly text: string;
  readonly thinking: string;
}

/** What the pump reads from. */
export interface Feed {
  /** Place of the last record. */
  head(): number;
  /** Some of the records after `seq`, in order; never empty while there are any. */
  recordsAfter(seq: number): LogRecord[];
  running(): RunningAnswer | null;
  queue(): QueueView;
}

/** Encoded records kept for tabs that do not keep up; older ones are encoded anew for each of these. */
const RECENT_FRAMES = 32;

export class Tabs<Socket extends TabSocket> {
  /** What all tabs, and requests without a socket, may send, change and ask again together. */
  readonly messages = new TokenBucket(MESSAGES_PER_SECOND, MAX_MESSAGES_AT_ONCE);
  readonly #tabs = new Map<Socket, Tab>();
  readonly #feed: Feed;
  /** Frames of the newest records while a tab lacks them, so that a broadcast encodes once. */
  readonly #recent = new Map<number, string>();
  /** The delta encoded last; tabs that read along all need the same one. */
  #delta = { key: '', frame: '' };

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  get size(): number {
    return this.#tabs.size;
  }

  accept(socket: Socket, now: number): Tab {
    const tab = Tab.accept(socket, now);
    this.#tabs.set(socket, tab);
    return tab;
  }

  restore(sockets: readonly Socket[], now: number): void {
    for (const socket of sockets) {
      const tab = Tab.restore(socket, now);
      if (tab) this.#tabs.set(socket, tab);
    }
  }

  get(socket: Socket): Tab | undefined {
    return this.#tabs.get(socket);
  }

  remove(socket: Socket): boolean {
    return this.#tabs.delete(socket);
  }

  /** Tells every tab that has said hello, except `but`. For frames that a tab can do without. */
  broadcast(frame: ServerFrame, but?: Tab): void {
    if (this.#tabs.size === 0) return;
    const text = encodeServerFrame(frame);
    for (const tab of this.#tabs.values()) {
      if (tab === but || tab.seq === null) continue;
      const fits = tab.canTake(text.length);
      if (fits) tab.send(text);
      // Nothing else may ever say why a turn waits.
      if (frame.type === 'queue') tab.lacksQueue = !fits;
    }
  }

  /** Closes sockets that were silent for too long, never said hello, or whose proof has ended; returns how many. */
  closeSilent(now: number, pingedAt: (socket: Socket) => number): number {
    const before = this.#tabs.size;
    // The platform, which answers pings by itself, is asked only of a tab that seems silent: it takes longer than all the rest.
    const isLongAgo = (at: number): boolean => now - at > SILENCE_TIMEOUT_MS;
    for (const [socket, tab] of this.#tabs) {
      if (tab.hasExpired(now)) tab.endUnauthorised();
      else if (isLongAgo(tab.heardAt) && isLongAgo(pingedAt(socket)))
        tab.close(CLOSE.silent, 'Nothing was heard for too long.');
      else if (tab.seq === null && now - tab.acceptedAt > HELLO_TIMEOUT_MS)
        tab.close(CLOSE.helloTimeout, 'No hello came.');
      else continue;
      this.#tabs.delete(socket);
    }
    return before - this.#tabs.size;
  }

  /** Lets go of tabs whose proof holds no longer, before they are sent more; their close events follow. */
  closeUnauthorised(owner: string, now: number): void {
    for (const tab of this.#tabs.values()) if (!tab.isAuthorised(owner, now)) tab.endUnauthorised();
  }

  /** More than one user may have: those go that came last; returns how many. */
  closeNewest(count: number): number {
    const newest = [...this.#tabs].toReversed().slice(0, count);
    for (const [socket, tab] of newest) {
      tab.close(CLOSE.tooManyTabs, 'You have too many connections to this bot.');
      this.#tabs.delete(socket);
    }
    return newest.length;
  }

  closeAll(code: number, reason: string): void {
    for (const tab of this.#tabs.values()) tab.close(code, reason);
    this.#tabs.clear();
  }

  /** Keeps the encoded form of records that every tab is about to need. */
  remember(records: readonly LogRecord[]): void {
    if (this.#tabs.size === 0) return;
    for (const record of records) this.#recent.set(record.seq, encodeRecord(record));
    for (const seq of this.#recent.keys()) {
      if (this.#recent.size <= RECENT_FRAMES) break;
      this.#recent.delete(seq);
    }
  }

  pumpAll(): void {
    for (const tab of this.#tabs.values()) this.pump(tab);
    if (this.#recent.size > 0) this.#forgetSent();
  }

  /** What every tab has now: a quarter of what a thousand sessions kept, and of what each collection walked through. */
  #forgetSent(): void {
    let sent = Infinity;
    for (const tab of this.#tabs.values()) sent = Math.min(sent, tab.seq ?? Infinity);
    for (const seq of this.#recent.keys()) if (seq <= sent) this.#recent.delete(seq);
  }

  /** Sends what the tab lacks, as far as its window allows. */
  pump(tab: Tab): void {
    if (tab.seq === null) return;
    const before = tab.seq;
    const atHead = this.#pumpRecords(tab);
    if (tab.seq !== before) tab.save();
    if (atHead) this.#pumpAnswer(tab);
    if (atHead && tab.lacksQueue) this.#pumpQueue(tab);
  }

  /** Whether the tab has every record now. */
  #pumpRecords(tab: Tab): boolean {
    while (tab.seq !== null && tab.seq < this.#feed.head()) {
      for (const [seq, frame] of this.#framesAfter(tab.seq)) {
        if (!tab.canTake(frame.length)) return false;
        tab.send(frame);
        tab.seq = seq;
      }
    }
    return true;
  }

  #framesAfter(seq: number): [number, string][] {
    const recent = this.#recent.get(seq + 1);
    if (recent !== undefined) return [[seq + 1, recent]];
    return this.#feed.recordsAfter(seq).map((record) => [record.seq, encodeRecord(record)]);
  }

  #pumpAnswer(tab: Tab): void {
    const answer = this.#feed.running();
    if (!answer) return;
    if (tab.turn !== answer.turn || tab.attempt !== answer.attempt) tab.follow(answer.turn, answer.attempt);
    if (tab.thinkingOffset < answer.thinking.length) {
      const frame = this.#deltaFrame(answer, 'thinking', tab.thinkingOffset);
      if (!tab.canTake(frame.length)) return;
      tab.send(frame);
      tab.thinkingOffset = answer.thinking.length;
    }
    if (tab.textOffset < answer.text.length) {
      const frame = this.#deltaFrame(answer, 'text', tab.textOffset);
      if (!tab.canTake(frame.length)) return;
      tab.send(frame);
      tab.textOffset = answer.text.length;
    }
  }

  #pumpQueue(tab: Tab): void {
    const frame = encodeServerFrame({ type: 'queue', ...this.#feed.queue() });
    if (!tab.canTake(frame.length)) return;
    tab.send(frame);
    tab.lacksQueue = false;
  }

  #deltaFrame(answer: RunningAnswer, channel: Channel, offset: number): string {
    const whole = channel === 'text' ? answer.text : answer.thinking;
    const key = `${answer.turn}.${answer.attempt}.${channel}.${offset}.${whole.length}`;
    if (this.#delta.key !== key) {
      const { turn, attempt } = answer;
      const frame = encodeServerFrame({ type: 'delta', turn, attempt, offset, text: whole.slice(offset), channel });
      this.#delta = { key, frame };
    }
    return this.#delta.frame;
  }
}

function encodeRecord(record: LogRecord): string {
  return encodeServerFrame({ type: 'event', ...record });
}
