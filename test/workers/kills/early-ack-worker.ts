/** Planted bug: a message is acknowledged first and written a moment later. */
import { ChatSession as Shipped } from '../../../src/worker.ts';
import { decodeClientFrame, encodeServerFrame } from '../../../src/protocol/codec.ts';

export { Bot, HistoryWriter, default } from '../../../src/worker.ts';

const LATE_MS = 150;

export class ChatSession extends Shipped {
  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const decoded = typeof data === 'string' ? decodeClientFrame(data) : null;
    if (!decoded?.ok || decoded.frame.type !== 'send') return super.webSocketMessage(socket, data);
    const [last] = this.ctx.storage.sql.exec<{ seq: number }>('SELECT max(seq) AS seq FROM log').toArray();
    const { id } = decoded.frame;
    socket.send(encodeServerFrame({ type: 'ack', id, seq: (last?.seq ?? 0) + 1, position: 0 }));
    setTimeout(() => super.webSocketMessage(socket, data), LATE_MS);
  }
}
