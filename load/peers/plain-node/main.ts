/**
 * What one would write without a platform: one Node process, `ws`, SQLite. Every message and every
 * reply is a durable commit of its own before it is acknowledged, the conversation is kept and sent
 * to the model, each token is a frame. No users, no resuming, no other machine to go to.
 */
import { Agent, createServer, request } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { StringDecoder } from 'node:string_decoder';
import { WebSocketServer, type WebSocket } from 'ws';
import { serve } from '../../lab/rpc.ts';
import { PLAIN_CALLS } from './calls.ts';

/** Of the conversation, with every message. */
const CONTEXT_MESSAGES = 20;
const MAX_FRAME_BYTES = 1_000_000;

interface Line {
  message: { content: string };
  done: boolean;
}

const [modelUrl = '', path = ''] = process.argv.slice(2);
const database = new DatabaseSync(path);
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, conversation TEXT NOT NULL, role TEXT NOT NULL, client TEXT NOT NULL, text TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS messages_of ON messages (conversation, id);
`);
const insert = database.prepare('INSERT INTO messages (conversation, role, client, text) VALUES (?, ?, ?, ?)');
const latest = database.prepare('SELECT role, text FROM messages WHERE conversation = ? ORDER BY id DESC LIMIT ?');
const all = database.prepare('SELECT id, role, client, text FROM messages WHERE conversation = ? ORDER BY id');
const agent = new Agent({ keepAlive: true });

function answer(socket: WebSocket, conversation: string, id: string, text: string): void {
  insert.run(conversation, 'user', id, text);
  socket.send(JSON.stringify({ type: 'ack', id }));
  const context = latest.all(conversation, CONTEXT_MESSAGES).toReversed();
  const messages = context.map(({ role, text: content }) => ({ role, content }));
  const asking = request(`${modelUrl}/api/chat`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json' },
  });
  asking.on('response', (response) => {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    let reply = '';
    response.on('data', (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { message, done }: Line = JSON.parse(line);
        reply += message.content;
        socket.send(JSON.stringify({ type: 'token', id, text: message.content }));
        if (!done) continue;
        insert.run(conversation, 'assistant', id, reply);
        socket.send(JSON.stringify({ type: 'done', id }));
      }
    });
  });
  asking.on('error', (error) => socket.send(JSON.stringify({ type: 'failed', id, problem: error.message })));
  asking.end(JSON.stringify({ model: 'simulator', messages, stream: true }));
}

function conversationOf(url: string | undefined): string {
  return decodeURIComponent(new URL(url ?? '/', 'http://localhost').pathname.slice(1));
}

const http = createServer((incoming, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(all.all(conversationOf(incoming.url))));
});
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES });
sockets.on('connection', (socket, incoming) => {
  const conversation = conversationOf(incoming.url);
  socket.on('message', (data) => {
    const { id, text }: { id: string; text: string } = JSON.parse(String(data));
    answer(socket, conversation, id, text);
  });
});
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
const address = http.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
serve(PLAIN_CALLS, { where: async () => ({ url: `http://127.0.0.1:${port}` }) });
