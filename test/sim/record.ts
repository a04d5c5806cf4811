/** Frames on a link, noted for the checker. Whether they are readable is for the two ends to say. */
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import { decodeClientFrame } from '../../src/protocol/codec.ts';
import { PING_TEXT, PONG_TEXT, type ServerFrame } from '../../src/protocol/server-frames.ts';
import type { Connection } from '../support/recording.ts';

export function recordReceivedText(connection: Connection, text: string): void {
  if (text === PONG_TEXT) return;
  // The client refuses what it cannot read, and the run would not come to rest.
  const frame: ServerFrame = JSON.parse(text);
  connection.frames.push({ from: 'server', frame, length: text.length });
}

export function recordSentText(connection: Connection, text: string): void {
  if (text === PING_TEXT) return;
  const frame = readClientFrame(text);
  if (frame) connection.frames.push({ from: 'client', frame, length: text.length });
}

/**
 * To the checker's count it is as if everything until here had been credited. Credit that was under way
 * when the object left memory is the next process's: that one has been credited before it sent anything.
 */
export function recordForgotten(connection: Connection, underWay: number): void {
  let unread = 0;
  for (const { from, frame, length } of connection.frames) {
    if (from === 'server') unread += length;
    else if (frame.type === 'credit') unread -= frame.bytes;
  }
  connection.frames.push({ from: 'client', frame: { type: 'credit', bytes: unread + underWay }, length: 0 });
}

export function readClientFrame(text: string): ClientFrame | null {
  const decoded = decodeClientFrame(text);
  return decoded.ok ? decoded.frame : null;
}
