import type { SocketLike } from '../client/types.ts';

/** A browser's WebSocket with the client's view of its events. */
export function browserSocket(url: string): SocketLike {
  const socket = new WebSocket(url);
  const like: SocketLike = {
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
  };
  socket.onopen = () => like.onopen?.();
  socket.onmessage = ({ data }) => like.onmessage?.({ data });
  socket.onclose = ({ code, reason }) => like.onclose?.({ code, reason });
  socket.onerror = () => like.onerror?.();
  return like;
}
