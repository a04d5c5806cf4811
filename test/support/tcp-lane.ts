/** One direction of one proxied connection, and what can be wrong with it. Used by `tcp-proxy.ts`. */
import type net from 'node:net';

/** What a lane holds back before it stops reading; the sender's own buffers fill up from then on. */
const MAX_HELD_BYTES = 1024 * 1024;
/** A throttled lane writes so often. */
const THROTTLE_STEP_MS = 20;

export interface Faults {
  /** Bytes arrive so much later. */
  latencyMs: number;
  /** Bandwidth; Infinity is as fast as it goes. */
  bytesPerSecond: number;
  /** The largest piece written at once; 1 is byte by byte. */
  pieceBytes: number;
  /** After so many more bytes, counted from when it is set, the connection ends on both sides (FIN). */
  truncateAfterBytes: number;
  /** After so many more bytes the connection is reset on both sides (RST). */
  resetAfterBytes: number;
  /** Nothing gets through, not even an end, and nobody is told. What was held goes on when it is lifted. */
  blackhole: boolean;
  /** Nothing is read: a reader that stopped. */
  paused: boolean;
}

export const NO_FAULTS: Readonly<Faults> = {
  latencyMs: 0,
  bytesPerSecond: Infinity,
  pieceBytes: Infinity,
  truncateAfterBytes: Infinity,
  resetAfterBytes: Infinity,
  blackhole: false,
  paused: false,
};

export type LaneEnd = 'truncate' | 'reset';

export class Lane {
  readonly #from: net.Socket;
  readonly #to: net.Socket;
  readonly #finish: (how: LaneEnd) => void;
  #faults: Readonly<Faults>;
  /** What was read and not yet written, with the time (performance.now) at which it may be. */
  #held: { bytes: Buffer; dueAt: number }[] = [];
  #heldBytes = 0;
  /** How the sender ended, to be passed on behind what it sent. */
  #ended: 'no' | 'end' | 'reset' = 'no';
  #stranded = false;
  #blocked = false;
  #resting = false;
  #freeAt = 0;
  #left = { truncate: Infinity, reset: Infinity };
  #timer: ReturnType<typeof setTimeout> | undefined;
  forwarded = 0;

  constructor(from: net.Socket, to: net.Socket, faults: Readonly<Faults>, finish: (how: LaneEnd) => void) {
    this.#from = from;
    this.#to = to;
    this.#finish = finish;
    this.#faults = faults;
    this.#count();
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#senderEnded('end'));
    // A close event follows, which tells the same.
    from.on('error', () => {});
    from.on('close', (hadError) => this.#senderEnded(hadError ? 'reset' : 'end'));
    to.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
    this.#setReading();
  }

  set(faults: Readonly<Faults>): void {
    this.#faults = faults;
    this.#count();
    this.#setReading();
    this.#pump();
  }

  /** Nothing of this connection gets through any more, whatever is set. */
  strand(): void {
    this.#stranded = true;
    this.stop();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #count(): void {
    this.#left = { truncate: this.#faults.truncateAfterBytes, reset: this.#faults.resetAfterBytes };
  }

  #setReading(): void {
    if (this.#faults.paused || this.#heldBytes >= MAX_HELD_BYTES) this.#from.pause();
    else this.#from.resume();
  }

  #take(bytes: Buffer): void {
    this.#held.push({ bytes, dueAt: performance.now() + this.#faults.latencyMs });
    this.#heldBytes += bytes.length;
    this.#setReading();
    this.#pump();
  }

  #senderEnded(how: 'end' | 'reset'): void {
    // A socket that said its end and is broken later was reset: what it still held back may be gone.
    if (this.#ended === 'reset') return;
    this.#ended = how;
    this.#pump();
  }

  /** Writes what may be written now, and comes back for the rest. */
  #pump(): void {
    clearTimeout(this.#timer);
    while (!this.#stranded && !this.#blocked && !this.#resting && !this.#faults.blackhole && !this.#to.destroyed) {
      if (this.#left.truncate <= 0) return this.#finish('truncate');
      if (this.#left.reset <= 0) return this.#finish('reset');
      if (this.#ended === 'reset') return this.#finish('reset');
      const [head] = this.#held;
      if (!head) {
        if (this.#ended === 'end') this.#to.end();
        return;
      }
      const waitMs = Math.max(head.dueAt, this.#freeAt) - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      this.#write(head.bytes.subarray(0, this.#pieceSize()));
      if (Number.isFinite(this.#faults.pieceBytes)) return this.#pumpInNextTurn();
    }
  }

  /** A turn of the event loop between two pieces, or the kernel would hand them over as one. */
  #pumpInNextTurn(): void {
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.#pump();
    });
  }

  #pieceSize(): number {
    const { bytesPerSecond, pieceBytes } = this.#faults;
    const throttled = Math.max(1, Math.floor((bytesPerSecond * THROTTLE_STEP_MS) / 1_000));
    return Math.min(throttled, pieceBytes, this.#left.truncate, this.#left.reset);
  }

  #write(piece: Buffer): void {
    const [head] = this.#held;
    if (!head) return;
    head.bytes = head.bytes.subarray(piece.length);
    if (head.bytes.length === 0) this.#held.shift();
    this.#heldBytes -= piece.length;
    this.forwarded += piece.length;
    this.#left.truncate -= piece.length;
    this.#left.reset -= piece.length;
    this.#freeAt = performance.now() + (piece.length / this.#faults.bytesPerSecond) * 1_000;
    this.#blocked = !this.#to.write(piece);
    this.#setReading();
  }
}
