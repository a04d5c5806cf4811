/**
 * How much of a stream to wait for at each read. A read costs the processor about as much as fifty
 * tokens of text in it, and endpoints send every token in a chunk of its own, so when many streams
 * share a process each is read in larger pieces. A quiet process reads whatever has come, at once.
 *
 * The wait is in bytes, because only those can be waited for without a read per chunk: as many as
 * this stream brought, at its own speed so far, in the time that a reader may be kept waiting. Where
 * the process may be late itself, that speed is doubted (`DOUBTED_TIMES`); where it is known to be, by the
 * model's own account, it waits as many times longer (`lateness` in known-speeds.ts).
 */
import { bestSpeed, noteMeasured, noteStated, statedSpeed } from './known-speeds.ts';

/** A stream counts for so long at least, in ms: many short ones are as much work as a few long ones. */
const COUNTED_MS = 100;
/** Up to this many streams at once, every read takes what is there. */
const QUIET_STREAMS = 8;
/** Each further stream adds this much to everyone's wait between two reads. */
const MS_PER_STREAM = 4;
/** Never slower, as far as a stream's speed is known and unless this process is late: 20 frames a second look continuous. */
const MAX_WAIT_MS = 50;
/** Bytes that are never waited for: what a stalling stream holds back stays small. */
const MAX_MIN_BYTES = 8 * 1024;

/** The same by the speed of earlier streams, as it was measured here: this one may be slower. */
const MAX_GUESSED_BYTES = 1_024;
/**
 * In bytes per ms. Before a stream has shown a speed of its own, others are believed from here on: a token in a
 * millisecond, which is no model that writes but something that was there. Slower ones may be slower still this time:
 * a reader would wait for many tokens together, and tokens that come each second would pass for silence. So it waits
 * for one, and only a process that is late for as many as times as it is late.
 */
const UNDOUBTED_SPEED = 100;
/** Tokens are not alike: one that is a quarter shorter than the first is a token. */
const SHORTER_BY = 0.25;
/** No connection is as fast, in bytes per ms: a model that says so counts in other units than it should. */
const MAX_STATED_SPEED = 1_000_000;
/** What is shorter, or took less time (ms), may have come in one burst and tells nothing about speed. */
const TELLING_BYTES = 1_024;
const TELLING_MS = 100;

/**
 * A process that is late reads late, takes every stream for a slow one, reads it in small pieces and is later still,
 * long after what made it late is over. So a stream is thought to be this many times as fast as it seems, if others
 * like it were: a reader waits at most as many times longer for it.
 */
const DOUBTED_TIMES = 2;

/** Streams that are being read in this process, of all sessions: what is scarce is its processor. */
let openStreams = 0;
/** Until when (ms since 1970) streams that ended quickly still count; in the order of their ends, so that some count a little longer. */
const countedUntil: number[] = [];

function countedStreams(now: number): number {
  for (let [first] = countedUntil; first !== undefined; [first] = countedUntil) {
    // Later than any can be: the clock was put back meanwhile.
    if (first > now && first <= now + COUNTED_MS) break;
    countedUntil.shift();
  }
  return openStreams + countedUntil.length;
}

/** The time between two reads of one stream while so many are open, in ms. */
export function waitMs(streams: number): number {
  return Math.min(MAX_WAIT_MS, Math.max(0, streams - QUIET_STREAMS) * MS_PER_STREAM);
}

export class ReadPace {
  readonly #source: string;
  readonly #now: () => number;
  readonly #wait: (now: number) => number;
  readonly #openedAt: number;
  #firstAt = 0;
  /** What the first read brought, usually a token. */
  #firstBytes = 0;
  /** Bytes after the first read: what the first one brought may have been under way for any time. */
  #bytes = -1;
  #open = true;

  /** `source` names what the stream comes from: endpoint and model. */
  constructor(
    source: string,
    now: () => number = () => Date.now(),
    wait = (at: number): number => waitMs(countedStreams(at)),
  ) {
    this.#source = source;
    this.#now = now;
    this.#wait = wait;
    this.#openedAt = now();
    openStreams += 1;
  }

  /** Notes what a read brought. */
  took(bytes: number): void {
    if (this.#bytes >= 0) {
      this.#bytes += bytes;
      return;
    }
    this.#bytes = 0;
    this.#firstAt = this.#now();
    this.#firstBytes = bytes;
  }

  /**
   * The bytes that the next read should wait for: 1 unless the process is busy, else as many as the stream's own speed
   * brings in the wait. Before it has one: about a token, or by the speed of others (`UNDOUBTED_SPEED`). The first
   * token is never waited for.
   */
  minBytes(): number {
    const now = this.#now();
    const wait = this.#wait(now);
    if (wait === 0 || this.#bytes < 0) return 1;
    const own = this.#speed();
    const stated = statedSpeed(this.#source, now);
    const { speed: others, lateness } = stated ?? { speed: bestSpeed(this.#source, now), lateness: 1 };
    const guessed = Math.min(others, own === null ? Infinity : own * DOUBTED_TIMES);
    // And in a process that is late, for so many times longer: what is read late comes no sooner in more pieces.
    const guessedBytes = Math.floor(guessed * wait * lateness);
    const most = stated === null ? MAX_GUESSED_BYTES : MAX_MIN_BYTES;
    if (own === null && others < UNDOUBTED_SPEED) return this.#tokens(lateness, Math.min(most, guessedBytes));
    const known = Math.min(MAX_MIN_BYTES, Math.floor((own ?? 0) * wait));
    return Math.max(1, known, Math.min(most, guessedBytes));
  }

  /** The bytes of so many tokens like the first, but no more than `most`. */
  #tokens(count: number, most: number): number {
    return Math.max(1, Math.min(most, Math.floor(this.#firstBytes * (count - SHORTER_BY))));
  }

  /** Bytes per ms since the first read; null while nothing came after it. */
  #speed(): number | null {
    return this.#bytes <= 0 ? null : this.#bytes / Math.max(1, this.#now() - this.#firstAt);
  }

  /** The answer is whole; `writingMs`: what its model says it took from the first token to the last, null for nothing. */
  ended(writingMs: number | null): void {
    // Of a few tokens the last line, which is long, is the most: they would seem far faster than they are.
    if (writingMs !== null && this.#bytes >= TELLING_BYTES && this.#bytes / writingMs <= MAX_STATED_SPEED) {
      const now = this.#now();
      noteStated(this.#source, this.#bytes, writingMs, now - this.#firstAt, now);
    }
  }

  /** The stream is not read any more. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    openStreams -= 1;
    const now = this.#now();
    if (now - this.#openedAt < COUNTED_MS) countedUntil.push(this.#openedAt + COUNTED_MS);
    const speed = this.#speed();
    if (speed === null || this.#bytes < TELLING_BYTES || now - this.#firstAt < TELLING_MS) return;
    noteMeasured(this.#source, speed, now);
  }
}
