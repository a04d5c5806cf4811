/** From what single reads bring to an AnswerStream, the same for every kind of endpoint. */
import { TurnFailure } from './port.ts';
import type { AnswerChunk, AnswerEnd, AnswerStream } from './port.ts';

/** One read's worth of answer, and whether and how the answer is over. */
export interface Piece {
  chunk: AnswerChunk;
  end: AnswerEnd | null;
  failure: TurnFailure | null;
}

export interface PieceSource {
  /**
   * The next piece, perhaps without text. `begun` says that there was text before: from then on
   * asking again cannot help.
   * @throws TurnFailure; the reason of the signal that closed the source
   */
  next(begun: boolean): Promise<Piece>;
  /** Closes the connection, unless it has ended by itself. */
  close(): void;
}

export function emptyPiece(): Piece {
  return { chunk: { text: '', thinking: '' }, end: null, failure: null };
}

/** For a `catch` around the reading of a piece: what came before the failure is still part of the answer. */
export function asFailure(error: unknown): TurnFailure {
  if (error instanceof TurnFailure) return error;
  throw error;
}

export async function* streamPieces(source: PieceSource): AnswerStream {
  const text = new SurrogateJoiner();
  const thinking = new SurrogateJoiner();
  let begun = false;
  try {
    while (true) {
      const { chunk, end, failure } = await source.next(begun);
      const last = end !== null || failure !== null;
      chunk.text = text.push(chunk.text, last);
      chunk.thinking = thinking.push(chunk.thinking, last);
      if (chunk.text !== '' || chunk.thinking !== '') {
        begun = true;
        yield chunk;
      }
      if (failure !== null) throw failure;
      if (end !== null) return end;
    }
  } finally {
    source.close();
  }
}

/**
 * Keeps every piece of one channel well-formed. A model may end a token between the halves of a
 * surrogate pair (JSON escapes allow it): the first half waits for the next piece. A half that is
 * really alone becomes U+FFFD, since it has no UTF-8 form and could not be stored or sent.
 */
export class SurrogateJoiner {
  #held = '';

  /** `last` says that no piece follows, so nothing may be held back. */
  push(piece: string, last: boolean): string {
    if (piece === '' && (this.#held === '' || !last)) return '';
    let text = this.#held + piece;
    this.#held = '';
    const tail = text.charCodeAt(text.length - 1);
    if (!last && tail >= 0xd800 && tail <= 0xdbff) {
      this.#held = text.slice(-1);
      text = text.slice(0, -1);
    }
    return text.toWellFormed();
  }
}
