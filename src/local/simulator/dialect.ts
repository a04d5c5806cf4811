/** The three ways an answer is written on the wire share one shape. */
import type { Answer, Chunk } from './answer.ts';

/** Whole nanoseconds, except for counts. */
export interface Totals {
  readonly promptTokens: number;
  readonly tokens: number;
  readonly reason: Answer['reason'];
  readonly totalNs: number;
  readonly loadNs: number;
  readonly promptNs: number;
  readonly answerNs: number;
}

/** Writes one answer; made anew for each request. `at` is the time of the write, RFC3339. */
export interface Dialect {
  readonly streamType: string;
  chunk(chunk: Chunk, isFirst: boolean, at: string): string;
  done(totals: Totals, at: string): string;
  /** Mid-stream: the status is already 200. */
  error(message: string, at: string): string;
  errorEvent(message: string, at: string): string;
  garbage(): string;
  blank(): string;
  /** The body of `stream: false`. */
  whole(answer: Answer, totals: Totals, at: string): string;
  /** The body of an error before the first byte. */
  errorBody(status: number, message: string): string;
}

export function joined(chunks: readonly Chunk[], channel: Chunk['channel']): string {
  return chunks
    .filter((chunk) => chunk.channel === channel)
    .map((chunk) => chunk.text)
    .join('');
}
