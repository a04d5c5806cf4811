/**
 * What Switchboard is compared with: a Durable Object that does the least an object must do to chat.
 * It accepts a WebSocket, asks the model for every message, and forwards. It keeps nothing, knows no
 * user, resumes nothing, and sends no history to the model.
 *
 * - `each`: every token is read, parsed and forwarded as a frame of its own
 * - `paced`: after the first token it is read in pieces of 1 KB, and each is forwarded as one frame
 * - `whole`: the answer is read at once and forwarded in one frame, the limit of what an object can do
 */
import type {
  DurableObjectNamespace,
  DurableObjectState,
  WebSocket as WorkersWebSocket,
  WebSocketPair as WorkersWebSocketPair,
  WebSocketRequestResponsePair as WorkersRequestResponsePair,
} from '@cloudflare/workers-types';

import { BARE_MODES } from './modes.ts';
import { PING_TEXT, PONG_TEXT } from '../../src/protocol/server-frames.ts';

declare const WebSocketPair: typeof WorkersWebSocketPair;
declare const WebSocketRequestResponsePair: typeof WorkersRequestResponsePair;

interface Bindings {
  BARE: DurableObjectNamespace;
  MODEL_URL: string;
  /** As Switchboard has it, where the two are to be set up alike. */
  EGRESS?: { fetch: typeof fetch };
}

const PACED_BYTES = 1_024;
const READ_BUFFER_BYTES = 32 * 1_024;

/** The runtime waits for a number of bytes without a call per chunk. */
type PacedReader = ReadableStreamBYOBReader & {
  /** There, and not in the types of other platforms. */
  readAtLeast?(minBytes: number, view: Uint8Array): Promise<{ value?: Uint8Array<ArrayBuffer>; done: boolean }>;
};

interface Line {
  message: { content: string };
  done: boolean;
}

/** A refusal of the model's endpoint ends the measurement: the figure would mean nothing. */
const CLOSE_MODEL_FAILED = 4500;

export class BareObject {
  readonly #state: DurableObjectState;
  readonly #env: Bindings;

  constructor(state: DurableObjectState, env: Bindings) {
    this.#state = state;
    this.#env = env;
    // As the product does it: idle connections are to be compared, not the cost of waking for them.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING_TEXT, PONG_TEXT));
  }

  fetch(request: Request): Response {
    const name = new URL(request.url).searchParams.get('mode');
    const mode = BARE_MODES.find((known) => known === name);
    if (mode === undefined) return new Response(null, { status: 400 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#state.acceptWebSocket(server, [mode]);
    const init = { status: 101, webSocket: client };
    return new Response(null, init);
  }

  async webSocketMessage(socket: WorkersWebSocket, text: string): Promise<void> {
    const { EGRESS, MODEL_URL } = this.#env;
    const response = await (EGRESS ?? globalThis).fetch(`${MODEL_URL}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'simulator', messages: [{ role: 'user', content: text }], stream: true }),
    });
    if (!response.ok || response.body === null) return socket.close(CLOSE_MODEL_FAILED, `status ${response.status}`);
    const [mode] = this.#state.getTags(socket);
    if (mode === 'whole') forwardLines(socket, (await response.text()).trimEnd().split('\n'));
    else if (mode === 'paced') await forwardPaced(socket, response.body);
    else await forwardEach(socket, response.body);
  }

  webSocketClose(socket: WorkersWebSocket): void {
    socket.close();
  }
}

async function forwardEach(socket: WorkersWebSocket, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { message, done: last }: Line = JSON.parse(line);
      socket.send(JSON.stringify({ text: message.content, done: last }));
    }
  }
}

async function forwardPaced(socket: WorkersWebSocket, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader: PacedReader = body.getReader({ mode: 'byob' });
  const decoder = new TextDecoder();
  let buffer = new ArrayBuffer(READ_BUFFER_BYTES);
  let rest = '';
  for (let min = 1; ; min = PACED_BYTES) {
    if (!reader.readAtLeast) throw new Error('This runtime cannot wait for a number of bytes.');
    const { value, done } = await reader.readAtLeast(min, new Uint8Array(buffer));
    if (value === undefined) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) forwardLines(socket, lines);
    if (done) return;
    ({ buffer } = value);
  }
}

/** As one frame. */
function forwardLines(socket: WorkersWebSocket, text: readonly string[]): void {
  const lines: Line[] = text.map((line) => JSON.parse(line));
  const done = lines.some((line) => line.done);
  socket.send(JSON.stringify({ text: lines.map(({ message }) => message.content).join(''), done }));
}

export default {
  fetch(request: Request, env: Bindings) {
    const name = new URL(request.url).pathname;
    const object = env.BARE.get(env.BARE.idFromName(name));
    return object.fetch(request.url, { headers: Object.fromEntries(request.headers) });
  },
};
