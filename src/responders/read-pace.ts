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

/** The same as long as only the speed of earlier streams is known: this one may be slower. */
const MAX_GUESSED_BYTES = 1_024;
/** A shorter stream may have come in one burst and tells nothing about speed. */
const TELLING_BYTES = 1_024;
/** Endpoints and models whose speed is remembered. */
const KNOWN_SPEEDS = 64;

/** Bytes per ms that streams of an endpoint and model brought lately: a new one is not slower without reason. */
const speeds = new Map<string, number>();

/** Streams that are being read in this process, of all sessions: what is scarce is its processor. */
let openStreams = 0;

/** The time between two reads of one stream while so many are open, in ms. */
export function waitMs(streams: number): number {
  return Math.min(MAX_WAIT_MS, Math.max(0, streams - QUIET_STREAMS) * MS_PER_STREAM);
}

export class ReadPace {
  readonly #source: string;
  readonly #now: () => number;
  readonly #wait: () => number;
  #firstAt = 0;
  /** Bytes after the first read: what the first one brought may have been under way for any time. */
  #bytes = -1;
  #open = true;

  /** `source` names what the stream comes from: endpoint and model. */
  constructor(source: string, now: () => number = () => Date.now(), wait: () => number = () => waitMs(openStreams)) {
    this.#source = source;
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

  /**
   * The bytes that the next read should wait for: 1 unless the process is busy and the stream's
   * speed is known, or that of the ones before it. The first token is never waited for.
   */
  minBytes(): number {
    const wait = this.#wait();
    if (wait === 0 || this.#bytes < 0) return 1;
    const own = this.#speed();
    const expected = Math.floor((own ?? speeds.get(this.#source) ?? 0) * wait);
    return Math.min(own === null ? MAX_GUESSED_BYTES : MAX_MIN_BYTES, Math.max(1, expected));
  }

  /** Bytes per ms since the first read; null while nothing came after it. */
  #speed(): number | null {
    return this.#bytes <= 0 ? null : this.#bytes / Math.max(1, this.#now() - this.#firstAt);
  }

  /** The stream is not read any more. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    openStreams -= 1;
    const speed = this.#speed();
    if (speed === null || this.#bytes < TELLING_BYTES) return;
    if (speeds.size >= KNOWN_SPEEDS && !speeds.has(this.#source)) speeds.clear();
    speeds.set(this.#source, speed);
  }
}
