/** The state as it is kept beside a record. Read back through a schema: a damaged row must not become a state. */
import * as z from 'zod/mini';
import { botRef } from '../protocol/values.ts';
import { EMPTY_STATE, type SessionState, type WaitingTurn } from './state.ts';

const turnFields = { turn: z.int(), id: z.string(), priority: z.int() };

/** A turn that waits is `[turn, priority]`; as written before, it has its id beside them. */
const storedTurn = z.union([z.tuple([z.int(), z.int()]), z.object(turnFields)]);

const storedState = z.object({
  seq: z.int(),
  createdAt: z.int(),
  bot: botRef,
  title: z.string(),
  archived: z.boolean(),
  folder: z.string(),
  running: z.nullable(z.object({ ...turnFields, attempt: z.int(), restarts: z.int() })),
  waiting: z.array(storedTurn),
  last: z.nullable(z.object({ turn: z.int(), id: z.string(), attempt: z.int(), seq: z.int() })),
});

/** The clients' ids of messages, by the messages' places in the log. */
export type MessageIds = ReadonlyMap<number, string>;

/**
 * Every record of a session has all who wait beside it. Their ids are in the log already: with them a long queue
 * would be ten times as long, and storing it as much work as answering.
 */
export function encodeState(state: SessionState): string {
  return JSON.stringify({ ...state, waiting: state.waiting.map(({ turn, priority }) => [turn, priority]) });
}

/**
 * `text`: what stands beside the last record, null for an empty log. `idsOf` finds the ids of messages in the log.
 * @throws when the text is not a state: the storage is damaged, and going on would hide it.
 */
export function decodeState(text: string | null, idsOf: (turns: readonly number[]) => MessageIds): SessionState {
  if (text === null) return EMPTY_STATE;
  const stored = storedState.parse(JSON.parse(text));
  const ids = idsOf(stored.waiting.flatMap((one) => (Array.isArray(one) ? [one[0]] : [])));
  return { ...stored, waiting: stored.waiting.map((one) => (Array.isArray(one) ? waitingTurn(one, ids) : one)) };
}

function waitingTurn([turn, priority]: readonly [number, number], ids: MessageIds): WaitingTurn {
  const id = ids.get(turn);
  if (id === undefined) throw new Error(`The message at ${turn} waits, but is not in the log.`);
  return { turn, id, priority };
}
