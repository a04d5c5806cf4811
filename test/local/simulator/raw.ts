/** HTTP by hand: what the simulator really put on the wire, frame by frame. */
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** One entry per chunk of the chunked encoding, that is per write of the server. */
  readonly writes: readonly Buffer[];
  readonly body: string;
  readonly lines: readonly string[];
  /** `open`: still silent when we left. */
  readonly ending: 'complete' | 'truncated' | 'reset' | 'open';
  readonly firstByteMs: number;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Leave after so long, or when told. */
  readonly leaveAfterMs?: number;
  readonly leave?: AbortSignal;
}

export function raw(url: string, request: RawRequest): Promise<RawAnswer> {
  const { port } = new URL(url);
  const method = request.method ?? 'POST';
  const text = typeof request.body === 'string' ? request.body : JSON.stringify(request.body ?? {});
  const head = Object.entries({
    host: 'localhost',
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(method === 'GET' || method === 'HEAD' ? '' : text)),
    ...request.headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  const startMs = performance.now();
  let firstByteMs = Infinity;
  const received: Buffer[] = [];
  const socket = connect(Number(port), '127.0.0.1');
  const timer = setTimeout(() => finish('open'), request.leaveAfterMs ?? 5_000);
  function finish(ending: 'ended' | 'reset' | 'open'): void {
    clearTimeout(timer);
    socket.destroy();
    resolve(parse(Buffer.concat(received), ending, firstByteMs));
  }
  request.leave?.addEventListener('abort', () => finish('open'));
  socket.on('data', (bytes) => {
    if (received.length === 0) firstByteMs = performance.now() - startMs;
    received.push(bytes);
  });
  socket.on('end', () => finish('ended'));
  socket.on('error', () => finish('reset'));
  socket.write(`${method} ${request.path ?? '/api/chat'} HTTP/1.1\r\n${head.join('')}\r\n`);
  if (method !== 'GET' && method !== 'HEAD') socket.write(text);
  return promise;
}

function parse(bytes: Buffer, ending: 'ended' | 'reset' | 'open', firstByteMs: number): RawAnswer {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = bytes.subarray(0, Math.max(0, headEnd)).toString().split('\r\n');
  const headers = new Map(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
    }),
  );
  const rest = headEnd < 0 ? Buffer.alloc(0) : bytes.subarray(headEnd + 4);
  const chunked = headers.get('transfer-encoding') === 'chunked';
  const { writes, isComplete } = chunked ? unchunk(rest) : { writes: [rest], isComplete: true };
  const body = Buffer.concat(writes).toString();
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers,
    writes,
    body,
    lines: body.split('\n').filter((line) => line !== ''),
    ending: ending === 'ended' ? (isComplete ? 'complete' : 'truncated') : ending,
    firstByteMs,
  };
}

function unchunk(bytes: Buffer): { writes: Buffer[]; isComplete: boolean } {
  const writes: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) break;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16);
    if (size === 0) return { writes, isComplete: true };
    writes.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return { writes, isComplete: false };
}

/** A chat request that asks for `tokens` tokens; `simulator` are its settings. */
export function chat(simulator: Readonly<Record<string, unknown>>, more: object = {}): object {
  return {
    model: 'simulator',
    messages: [{ role: 'user', content: 'How are you?' }],
    options: { simulator: { tokens: 6, ...simulator } },
    ...more,
  };
}
