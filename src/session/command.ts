/** Everything that can happen to a session, from whichever side it comes. */
import type { Body } from '../protocol/records.ts';
import type { AnsweredBy, BotRef } from '../protocol/values.ts';

/** What of an answer exists when it is cut off. */
export interface Partial {
  text: string;
  thinking?: string;
  by?: AnsweredBy;
}

/** The message that the log already holds under a client's id. */
export interface PriorMessage {
  seq: number;
  /** As first sent; later edits do not count, so that a late retransmission is still recognised. */
  text: string;
}

export type Command =
  | { type: 'create'; bot: BotRef; title: string }
  | { type: 'send'; id: string; text: string; priority: number; prior: PriorMessage | null }
  | { type: 'edit'; id: string; text: string }
  | { type: 'cancel'; id: string }
  | { type: 'stop'; turn: number; partial: Partial }
  | { type: 'regenerate'; turn: number; baseSeq: number }
  | { type: 'update'; title?: string; bot?: BotRef; archived?: boolean; folder?: string }
  /** The generation ended by itself. */
  | { type: 'finish'; outcome: Body<'reply'> | Body<'failed'> }
  /** The object was built anew; whatever ran before is gone. */
  | { type: 'recover' };
