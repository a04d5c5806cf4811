/** Rules every person-written text obeys, on the wire and over HTTP alike. */
import { MAX_TEXT_BYTES } from './limits.ts';
import type { WireError } from './server-frames.ts';

/** Spaces and characters without a shape (zero-width ones, directions): a text of nothing else shows nothing. */
const INVISIBLE = /[\s\p{Cf}]/gu;

const encoder = new TextEncoder();

/** Length of a text in UTF-8 bytes. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** Whether `text` needs more than `bytes` in UTF-8; measures only when the length leaves a doubt. */
export function exceedsBytes(text: string, bytes: number): boolean {
  if (text.length > bytes) return true;
  return text.length * 3 > bytes && byteLength(text) > bytes;
}

/** Why `text` cannot be a message, or null when it can. */
export function textProblem(text: string, id: string): WireError | null {
  if (exceedsBytes(text, MAX_TEXT_BYTES)) {
    return { code: 'text_too_long', message: `A message holds at most ${MAX_TEXT_BYTES} bytes.`, retryable: false, id };
  }
  // A lone surrogate has no UTF-8 form: it would come back from storage as another text.
  if (!text.isWellFormed()) {
    return { code: 'text_malformed', message: 'The text holds half of a surrogate pair.', retryable: false, id };
  }
  if (text.replace(INVISIBLE, '') === '')
    return { code: 'text_empty', message: 'The message is empty.', retryable: false, id };
  return null;
}
