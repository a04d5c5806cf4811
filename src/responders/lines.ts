/**
 * Bytes of a stream to lines of text, by hand: this is the hottest loop of the house. One decode
 * per read, one `indexOf` per line, nothing awaited, and memory bounded by the longest line.
 */
import { TurnFailure } from './port.ts';

/** The longest line of a stream, in UTF-8 bytes. Ollama's own lines may reach 8 MB. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

const LINE_FEED = 0x0a;

/**
 * Splits a stream into lines, wherever the reads happen to cut it. After each `push`, call `next`
 * until it says null. A CR before the LF is left on the line.
 */
export class LineBuffer {
  readonly #decoder = new TextDecoder();
  readonly #maxLineBytes: number;
  /** The line begun in earlier reads. Only appended to, so that a long line stays linear in cost. */
  #pending = '';
  #pendingBytes = 0;
  /** The text of the current read and how far `next` has come in it. */
  #text = '';
  #position = 0;

  constructor(maxLineBytes = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** @throws TurnFailure `line_too_long` when a line grows over the bound, before it is kept. */
  push(bytes: Uint8Array): void {
    const first = bytes.indexOf(LINE_FEED);
    this.#bound(this.#pendingBytes + (first === -1 ? bytes.length : first));
    this.#pendingBytes =
      first === -1 ? this.#pendingBytes + bytes.length : bytes.length - 1 - bytes.lastIndexOf(LINE_FEED);
    this.#text = this.#decoder.decode(bytes, { stream: true });
    this.#position = 0;
  }

  /** The next whole line without its LF, or null when the read is used up. */
  next(): string | null {
    const start = this.#position;
    const stop = this.#text.indexOf('\n', start);
    if (stop === -1) {
      this.#pending += this.#text.slice(start);
      this.#text = '';
      this.#position = 0;
      return null;
    }
    this.#position = stop + 1;
    // A line that lies inside one read was not counted by `push`; its length is at most its bytes.
    this.#bound(stop - start);
    const line = this.#text.slice(start, stop);
    if (this.#pending === '') return line;
    const whole = this.#pending + line;
    this.#pending = '';
    return whole;
  }

  /** What is left when the stream has ended: a last line without its LF, or '' . */
  end(): string {
    const rest = this.#pending + this.#decoder.decode();
    this.#pending = '';
    this.#pendingBytes = 0;
    return rest;
  }

  #bound(lineBytes: number): void {
    if (lineBytes <= this.#maxLineBytes) return;
    throw new TurnFailure('line_too_long', `The endpoint sent a line of more than ${this.#maxLineBytes} bytes.`);
  }
}
