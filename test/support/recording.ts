/** What went over one connection, in the order in which the client saw it: the raw material of the history checker. */
import { WebSocket, type RawData } from 'ws';
import { decodeClientFrame, decodeServerFrame } from '../../src/protocol/codec.ts';
import type { ClientFrame } from '../../src/protocol/client-frames.ts';
import { PING_TEXT, PONG_TEXT, type ServerFrame } from '../../src/protocol/server-frames.ts';
import type { SocketLike } from '../../src/client/types.ts';

/** `length` in UTF-16 code units of the frame's text: what credit counts. */
export type RecordedFrame =
  | { from: 'client'; frame: ClientFrame; length: number }
  | { from: 'server'; frame: ServerFrame; length: number };

/** One connection. Pings and pongs are left out: the platform answers them, sessions never see them. */
export interface Connection {
  frames: RecordedFrame[];
  /** Frames of the server that a client cannot read; there are none. */
  unreadable: string[];
}

/** A recording of several connections of one client, in order. */
export interface ClientRecording {
  name: string;
  connections: Connection[];
}

export function newConnection(recording: ClientRecording): Connection {
  const connection: Connection = { frames: [], unreadable: [] };
  recording.connections.push(connection);
  return connection;
}

export function recordReceived(connection: Connection, data: string): ServerFrame | null {
  if (data === PONG_TEXT) return null;
  const decoded = decodeServerFrame(data);
  if (!decoded.ok) {
    connection.unreadable.push(`${decoded.error.message} ${data.slice(0, 200)}`);
    return null;
  }
  connection.frames.push({ from: 'server', frame: decoded.frame, length: data.length });
  return decoded.frame;
}

/** Frames that the server is going to refuse as unreadable are not recorded: they ask for nothing. */
export function recordSent(connection: Connection, data: string): void {
  if (data === PING_TEXT) return;
  const decoded = decodeClientFrame(data);
  if (decoded.ok) connection.frames.push({ from: 'client', frame: decoded.frame, length: data.length });
}

/** A real WebSocket for the headless client, with everything on it recorded. */
export function recordedSocket(
  url: string,
  headers: Readonly<Record<string, string>>,
  recording: ClientRecording,
): SocketLike {
  const connection = newConnection(recording);
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const like: SocketLike = {
    send(data) {
      socket.send(data);
      recordSent(connection, data);
    },
    close: (code, reason) => socket.close(code, reason),
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
  };
  socket.on('open', () => like.onopen?.());
  socket.on('message', (data, isBinary) => {
    const text = isBinary ? data : messageText(data);
    if (typeof text === 'string') recordReceived(connection, text);
    like.onmessage?.({ data: text });
  });
  socket.on('close', (code, reason) => like.onclose?.({ code, reason: reason.toString() }));
  socket.on('error', () => like.onerror?.());
  return like;
}

export function messageText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString();
}
