/**
 * How much of a stream to wait for at each read. A read costs the processor about as much as fifty
 * tokens of text in it, and endpoints send every token in a chunk of its own, so when many streams
 * share a process each is read in larger pieces. A quiet process reads whatever has come, at once.
 *
 * The wait is in bytes, because only those can be waited for without a read per chunk: as many as
 * this stream brought, at its own speed so far, in the time that a reader may be kept waiting.
 */

/** Up to this many streams at once, every read takes what is there. */
const QUIET_STREAMS = 8;
/** Each further stream adds this much to everyone's wait between two reads. */
const MS_PER_STREAM = 0.5;
/** Never slower: 20 frames a second look continuous. */
const MAX_WAIT_MS = 50;
/** Bytes that are never waited for: what a stalling stream holds back stays small. */
const MAX_MIN_BYTES = 8 * 1024;

/** Streams that are being read in this process, of all sessions: what is scarce is its processor. */
let openStreams = 0;

/** The time between two reads of one stream while so many are open, in ms. */
export function waitMs(streams: number): number {
  return Math.min(MAX_WAIT_MS, Math.max(0, streams - QUIET_STREAMS) * MS_PER_STREAM);
}

export class ReadPace {
  readonly #now: () => number;
  readonly #wait: () => number;
  #firstAt = 0;
  /** Bytes after the first read: what the first one brought may have been under way for any time. */
  #bytes = -1;
  #open = true;

  constructor(now: () => number = () => Date.now(), wait: () => number = () => waitMs(openStreams)) {
    this.#now = now;
    this.#wait = wait;
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
  }

  /** The bytes that the next read should wait for: 1 unless the process is busy and the stream's speed is known. */
  minBytes(): number {
    const wait = this.#wait();
    if (wait === 0 || this.#bytes <= 0) return 1;
    const elapsedMs = Math.max(1, this.#now() - this.#firstAt);
    const expected = Math.floor((this.#bytes / elapsedMs) * wait);
    return Math.min(MAX_MIN_BYTES, Math.max(1, expected));
  }

  /** The stream is not read any more. */
  close(): void {
    if (this.#open) openStreams -= 1;
    this.#open = false;
  }
}
