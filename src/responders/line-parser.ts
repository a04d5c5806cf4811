/** What the lines of a stream mean: the part in which endpoints differ, and what is common to all. */
import { cleanSentence, sentenceOf } from './endpoint.ts';
import { TurnFailure } from './port.ts';
import type { AnswerChunk, AnswerEnd } from './port.ts';

export interface LineParser {
  /**
   * Adds what `line` says to `out`; the end of the answer when this line is it, else null.
   * @throws TurnFailure
   */
  take(line: string, out: AnswerChunk): AnswerEnd | null;
  /** The stream is over: the end of the answer if the lines so far amount to one, else null. */
  finish(out: AnswerChunk): AnswerEnd | null;
}

/** A text that an endpoint may also leave out or set to null. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  throw malformed();
}

export function malformed(): TurnFailure {
  return new TurnFailure('answer_malformed', 'The endpoint sent something that is not part of an answer.');
}

/** The failure that the endpoint itself reports in the middle of its stream. */
export function modelFailure(error: unknown, apiKey: string | null): TurnFailure {
  const said = cleanSentence(sentenceOf(error) ?? '', apiKey);
  return new TurnFailure('model_error', said === '' ? 'The model failed.' : `The model failed: ${said}`);
}
