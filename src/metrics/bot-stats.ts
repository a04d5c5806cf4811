/** What a bot counts. Counters only grow (Prometheus reads their rates); kept by the bot's object and copied to D1. */
import type { TurnErrorCode } from '../protocol/codes.ts';
import { emptyHistogram, type Histogram } from './histogram.ts';

export interface BotStats {
  /** Turns by how they ended. */
  replies: number;
  stopped: number;
  failed: Partial<Record<TurnErrorCode, number>>;
  promptTokens: number;
  answerTokens: number;
  /** From the beginning of an answer to its first token, to its end; what was ours of it; waiting before it. */
  firstToken: Histogram;
  total: Histogram;
  overhead: Histogram;
  waited: Histogram;
  /** Turns begun again after a process had ended; connections given up as silent. */
  restarts: number;
  silentCloses: number;
  /** Rows written by sessions in their objects on behalf of this bot. */
  rowsWritten: number;
  /** The oldest undelivered record that a session spoke of within a minute or so, in ms. */
  undeliveredMs: number;
  breakerOpened: number;
}

export function emptyStats(): BotStats {
  return {
    replies: 0,
    stopped: 0,
    failed: {},
    promptTokens: 0,
    answerTokens: 0,
    firstToken: emptyHistogram(),
    total: emptyHistogram(),
    overhead: emptyHistogram(),
    waited: emptyHistogram(),
    restarts: 0,
    silentCloses: 0,
    rowsWritten: 0,
    undeliveredMs: 0,
    breakerOpened: 0,
  };
}
