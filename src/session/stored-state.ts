/** The state as it is kept beside a record. Read back through a schema: a damaged row must not become a state. */
import * as z from 'zod/mini';
import { botRef } from '../protocol/values.ts';
import type { SessionState } from './state.ts';

const waitingTurn = { turn: z.int(), id: z.string(), priority: z.int() };

const storedState = z.object({
  seq: z.int(),
  createdAt: z.int(),
  bot: botRef,
  title: z.string(),
  archived: z.boolean(),
  folder: z.string(),
  running: z.nullable(z.object({ ...waitingTurn, attempt: z.int(), restarts: z.int() })),
  waiting: z.array(z.object(waitingTurn)),
  last: z.nullable(z.object({ turn: z.int(), id: z.string(), attempt: z.int(), seq: z.int() })),
});

export function encodeState(state: SessionState): string {
  return JSON.stringify(state);
}

/** @throws when the text is not a state: the storage is damaged, and going on would hide it. */
export function decodeState(text: string): SessionState {
  return storedState.parse(JSON.parse(text));
}
