/** Endpoints for the responders' tests: byte streams cut as the test likes, and real servers. */
import http from 'node:http';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import type { Fetch } from '../../src/responders/endpoint.ts';
import { TurnFailure } from '../../src/responders/port.ts';
import type { AnswerEnd, AnswerStream, Deadlines, ModelSettings, PromptMessage } from '../../src/responders/port.ts';

export const PROMPT: readonly PromptMessage[] = [{ role: 'user', text: 'hello' }];
export const NEVER = new AbortController().signal;

export function settingsFor(kind: ModelSettings['kind'], changes: Partial<ModelSettings> = {}): ModelSettings {
  const deadlines = {
    connectTimeoutMs: 5_000,
    firstTokenTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    totalTimeoutMs: 10_000,
  };
  const base = { baseUrl: 'http://endpoint.test', apiKey: null, model: 'm', options: {}, think: null, keepAlive: null };
  return { kind, ...base, deadlines, ...changes };
}

/** Settings for the Ollama at `baseUrl`. */
export function withDeadlines(baseUrl: string, changes: Partial<Deadlines> = {}) {
  const settings = settingsFor('ollama', { baseUrl });
  return { ...settings, deadlines: { ...settings.deadlines, ...changes } };
}

/** A token of Ollama's `/api/chat`, as it writes them. */
export function token(content: string, extra: Record<string, unknown> = {}): string {
  const message = { role: 'assistant', content, ...extra };
  return `${JSON.stringify({ model: 'm', created_at: '2026-08-21T10:00:00.123456Z', message, done: false })}\n`;
}

export function doneLine(extra: Record<string, unknown> = {}): string {
  const message = { role: 'assistant', content: '' };
  const counts = { prompt_eval_count: 7, eval_count: 3 };
  return `${JSON.stringify({ model: 'm', message, done: true, done_reason: 'stop', ...counts, ...extra })}\n`;
}

/** A fetch whose response brings exactly these reads, and what it was asked. */
export function fetchOf(reads: readonly (string | Uint8Array)[], type = 'application/x-ndjson', status = 200) {
  const encoder = new TextEncoder();
  const calls: { url: string; init: RequestInit; body: unknown }[] = [];
  const rest = reads.map((read) => (typeof read === 'string' ? encoder.encode(read) : read.slice()));
  const body = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const request = controller.byobRequest;
      const read = rest.shift();
      if (read === undefined) {
        controller.close();
        request?.respond(0);
      } else {
        controller.enqueue(new Uint8Array(read));
      }
    },
  });
  const fetcher: Fetch = async (url, init) => {
    calls.push({ url, init, body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined });
    return new Response(body, { status, headers: { 'content-type': type } });
  };
  return { fetcher, calls };
}

/** What of an answer arrived, and how it ended. */
export interface Read {
  text: string;
  thinking: string;
  chunks: number;
  end: AnswerEnd | null;
  error: unknown;
}

export async function readAll(opened: AnswerStream | Promise<AnswerStream>): Promise<Read> {
  const read: Read = { text: '', thinking: '', chunks: 0, end: null, error: null };
  try {
    const stream = await opened;
    while (true) {
      const step = await stream.next();
      if (step.done === true) {
        read.end = step.value;
        return read;
      }
      const { text, thinking } = step.value;
      if (!text.isWellFormed() || !thinking.isWellFormed()) throw new Error('a chunk holds half a surrogate pair');
      read.text += text;
      read.thinking += thinking;
      read.chunks++;
    }
  } catch (error) {
    read.error = error;
    return read;
  }
}

/** The TurnFailure a promise ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<TurnFailure> {
  const error = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof TurnFailure) return error;
  throw error;
}

/** A server for the running test; its address has no trailing slash. */
export async function serve(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return listen(server);
}

/** A server that says bytes, for what http.Server would not say: `onRequest` gets the socket when a request is in. */
export async function serveRaw(onRequest: (socket: net.Socket, requests: number) => void): Promise<string> {
  const sockets = new Set<net.Socket>();
  let requests = 0;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let seen = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      seen += data.toString('latin1');
      const head = seen.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(seen)?.[1] ?? 0);
      if (head === -1 || seen.length < head + 4 + length) return;
      seen = '';
      requests++;
      onRequest(socket, requests);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listen(server);
}

async function listen(server: net.Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${portOf(server.address())}`;
}

function portOf(address: ReturnType<net.Server['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

export const RAW_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n';

export function rawChunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** A server of raw bytes, and a promise that its last client has gone. */
export async function endpoint(onRequest: (write: (text: string) => void, requests: number) => void) {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const baseUrl = await serveRaw((socket, requests) => {
    socket.on('close', () => resolve());
    onRequest((text) => void socket.write(text), requests);
  });
  return { baseUrl, closed };
}
