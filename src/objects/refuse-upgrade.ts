import { encodeServerFrame } from '../protocol/codec.ts';
import type { WireError } from '../protocol/server-frames.ts';

/**
 * Answers an upgrade with a socket that says why and closes. Browsers hide the status of a refused
 * upgrade from scripts; a reader would only ever see "1006" and try again for ever.
 */
export function refuseUpgrade(error: WireError, closeCode: number): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.send(encodeServerFrame({ type: 'error', ...error }));
  server.close(closeCode, error.message);
  return new Response(null, { status: 101, webSocket: client });
}
