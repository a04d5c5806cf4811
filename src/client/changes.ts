/**
 * Edits and withdrawals of messages that wait in the server's queue. A request lives until its
 * record is read or the server refuses it for good, over as many connections as that takes.
 */
import type { ClientFrame } from '../protocol/client-frames.ts';
import type { EventFrame } from '../protocol/records.ts';
import type { ServerFrameOf } from '../protocol/server-frames.ts';
import { ClientError } from './errors.ts';

/** How long a refusal that passes and names no time is waited for. */
const RETRY_AFTER_MS = 1_000;

/** `text` is the new one; null withdraws the message. */
export interface QueuedChange {
  id: string;
  turn: number;
  text: string | null;
}

export interface Changes {
  request(change: QueuedChange): Promise<void>;
  /** The log was read to its end: what it does not show is asked for now. */
  caughtUp(): void;
  disconnected(): void;
  recorded(record: EventFrame): void;
  /** Says whether the refusal was about a change of ours. */
  refused(error: ServerFrameOf<'error'>): boolean;
  close(): void;
}

interface Open extends QueuedChange {
  sent: boolean;
  resolve: () => void;
  reject: (error: ClientError) => void;
}

/** `later` calls back after so long; set again meanwhile, only for the last time. */
export function createChanges(
  wire: (frame: ClientFrame) => boolean,
  later: (ms: number, run: () => void) => void,
): Changes {
  /** In the order of asking. */
  let open: Open[] = [];
  let online = false;
  /** The server takes no more for a moment. */
  let held = false;

  function flush(): void {
    for (const change of open) {
      if (!online || held || change.sent) continue;
      const { id, text } = change;
      change.sent = true;
      wire(text === null ? { type: 'cancel', id } : { type: 'edit', id, text });
    }
  }

  function take(matches: (change: Open) => boolean): Open | undefined {
    const found = open.find(matches);
    open = open.filter((change) => change !== found);
    return found;
  }

  /** A change of this message was refused for now, which of them nobody knows: the last that was asked for is asked again. */
  function retry(message: string, afterMs: number): void {
    const asked = open.filter(({ id }) => id === message);
    const last = asked.pop();
    for (const earlier of asked) take((other) => other === earlier)?.resolve();
    if (last) last.sent = false;
    held = true;
    later(afterMs, () => {
      held = false;
      flush();
    });
  }

  return {
    request(change) {
      const done = Promise.withResolvers<void>();
      open.push({ ...change, sent: false, resolve: done.resolve, reject: done.reject });
      flush();
      return done.promise;
    },
    caughtUp() {
      online = true;
      flush();
    },
    disconnected() {
      online = false;
      held = false;
      for (const change of open) change.sent = false;
    },
    recorded(record) {
      if (record.kind !== 'edited' && record.kind !== 'cancelled') return;
      const text = record.kind === 'edited' ? record.text : null;
      take((change) => change.turn === record.turn && change.text === text)?.resolve();
    },
    refused(error) {
      const change = open.find(({ id, sent }) => sent && id === error.id);
      if (!change) return false;
      if (error.retryable) retry(change.id, error.retryAfterMs ?? RETRY_AFTER_MS);
      else take((other) => other === change)?.reject(ClientError.of(error));
      return true;
    },
    close() {
      online = false;
      for (const change of open) change.reject(new ClientError('closed', 'The client was closed.'));
      open = [];
    },
  };
}
