/**
 * A response body read line by line, one read a piece. Ollama and OpenAI-compatible endpoints differ
 * only in what a line means; how a body is read, bounded, closed and judged complete is here.
 */
import type { LineParser } from './line-parser.ts';
import { LineBuffer } from './lines.ts';
import { asFailure, emptyPiece, streamPieces } from './pieces.ts';
import type { Piece, PieceSource } from './pieces.ts';
import { TurnFailure } from './port.ts';
import type { AnswerStream } from './port.ts';
import { ReadPace } from './read-pace.ts';

/**
 * Room for one read. workerd's default reader gives 4 KiB at a time, which at one read every
 * 50 ms would cap a fast model; a reader with a buffer of its own gets all that has arrived.
 */
const READ_BUFFER_BYTES = 32 * 1024;
/** Buffers kept for later answers: making one anew for each is a tenth of what a short answer costs. */
const MAX_SPARE_BUFFERS = 64;
const spareBuffers: ArrayBuffer[] = [];
/** How long to wait after the end of an answer for the body to end too, see `settle`. */
const SETTLE_TIMEOUT_MS = 500;

/** workerd can wait for a number of bytes without a call per chunk; elsewhere every read takes what is there. */
type Reader = ReadableStreamBYOBReader & {
  readAtLeast?(minBytes: number, view: Uint8Array): Promise<Read>;
};

interface Read {
  value?: Uint8Array | undefined;
  done: boolean;
}

/**
 * Reads `body` to the end of the answer. `source` names endpoint and model. Aborting `signal` closes
 * the body at any time, before the first `next()` too.
 */
export function readAnswer(
  body: ReadableStream,
  parser: LineParser,
  source: string,
  signal: AbortSignal,
): AnswerStream {
  return streamPieces(new BodySource(body, parser, source, signal));
}

class BodySource implements PieceSource {
  readonly #reader: Reader;
  readonly #lines = new LineBuffer();
  readonly #parser: LineParser;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  readonly #pace: ReadPace;
  #buffer = spareBuffers.pop() ?? new ArrayBuffer(READ_BUFFER_BYTES);
  /** The connection needs nothing more, or is looked after by `settle`. */
  #settled = false;

  constructor(body: ReadableStream, parser: LineParser, source: string, signal: AbortSignal) {
    this.#pace = new ReadPace(source);
    this.#reader = body.getReader({ mode: 'byob' });
    this.#parser = parser;
    this.#signal = signal;
    // fetch's own signal need not reach a body whose headers are already here; a cancel always does.
    this.#onAbort = () => {
      // Who gave the answer up may never ask for its next piece, and so never come to its end.
      this.#pace.close();
      cancel(this.#reader, signal.reason);
    };
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  async next(begun: boolean): Promise<Piece> {
    const min = this.#pace.minBytes();
    const { value, done } = await this.#read(min, begun);
    if (done || value === undefined) return this.#lastPiece(begun);
    this.#pace.took(value.length);
    const piece = this.#pieceOf(value);
    // The buffer was handed to the stream for the read and comes back with it; its text is decoded.
    if (value.buffer instanceof ArrayBuffer) this.#buffer = value.buffer;
    if (piece.end !== null) {
      this.#pace.ended(piece.end.writingMs);
      this.#settled = true;
      // Where bytes are waited for, fewer than those are the last ones: the body is over already. An endpoint that leaves
      // its body open after the last line is waited for like one that is silent.
      const isOver = this.#reader.readAtLeast !== undefined && value.length < min;
      if (!isOver) settle(this.#reader);
    }
    return piece;
  }

  close(): void {
    this.#pace.close();
    keepSpare(this.#buffer);
    this.#buffer = new ArrayBuffer(0);
    this.#signal.removeEventListener('abort', this.#onAbort);
    if (!this.#settled) cancel(this.#reader);
  }

  async #read(min: number, begun: boolean): Promise<Read> {
    try {
      const view = new Uint8Array(this.#buffer);
      const result = await (this.#reader.readAtLeast?.(min, view) ?? this.#reader.read(view));
      // A cancelled reader ends as if the body had: without this an abort would look like a cut.
      if (!this.#signal.aborted) return result;
    } catch {
      if (!this.#signal.aborted) {
        throw new TurnFailure('answer_incomplete', 'The connection to the endpoint broke during the answer.', !begun);
      }
    }
    throw this.#signal.reason;
  }

  #pieceOf(bytes: Uint8Array): Piece {
    const piece = emptyPiece();
    try {
      this.#lines.push(bytes);
      while (piece.end === null) {
        const line = this.#lines.next();
        if (line === null) break;
        piece.end = this.#parser.take(line, piece.chunk);
      }
    } catch (error) {
      piece.failure = asFailure(error);
    }
    return piece;
  }

  #lastPiece(begun: boolean): Piece {
    const piece = emptyPiece();
    try {
      const line = this.#lines.end();
      if (line !== '') piece.end = this.#parser.take(line, piece.chunk);
      piece.end ??= this.#parser.finish(piece.chunk);
    } catch (error) {
      const failure = asFailure(error);
      // Half a line at the end of the stream is a cut stream, not a malformed one.
      if (failure.code !== 'answer_malformed') piece.failure = failure;
    }
    if (piece.end === null && piece.failure === null) {
      const message = 'The endpoint ended the answer before it was complete.';
      piece.failure = new TurnFailure('answer_incomplete', message, !begun);
    }
    return piece;
  }
}

/**
 * The answer is whole but the body not yet over: usually its end is on the way in a packet of its
 * own. Waiting for it in the background lets the connection serve the next request (0.3-0.5 ms saved
 * an answer in local workerd); anything else that comes, or nothing for too long, closes it.
 */
function settle(reader: ReadableStreamBYOBReader): void {
  const timer = setTimeout(() => cancel(reader), SETTLE_TIMEOUT_MS);
  reader.read(new Uint8Array(1)).then(
    ({ done }) => {
      clearTimeout(timer);
      if (!done) cancel(reader);
    },
    () => clearTimeout(timer),
  );
}

/** One that a read still has is detached, and empty. */
function keepSpare(buffer: ArrayBuffer): void {
  if (buffer.byteLength === READ_BUFFER_BYTES && spareBuffers.length < MAX_SPARE_BUFFERS) spareBuffers.push(buffer);
}

/** Closes the connection behind `reader`; one that is already closed or broken is as good. */
function cancel(reader: ReadableStreamBYOBReader, reason?: unknown): void {
  reader.cancel(reason).catch(() => undefined);
}
