/** Inside workerd, over real sockets: what closes a connection, and what may be read from one, is the runtime's affair. */
import { build } from 'esbuild';
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { RAW_HEAD, doneLine, rawChunk, serve, serveRaw, token } from './support.ts';

const LINGER_MS = 300;
let worker: Miniflare;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [new URL('workerd-entry.ts', import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    write: false,
  });
  const script = outputFiles[0]?.text ?? '';
  worker = new Miniflare(convertV4MiniflareOptions({ modules: true, script, compatibilityDate: '2026-09-01' }));
  await worker.ready;
});

afterAll(() => worker.dispose());

async function run(query: Record<string, string | number>): Promise<unknown> {
  const all = Object.entries({ lingerMs: LINGER_MS, ...query }).map(([name, value]) => [name, String(value)]);
  const response = await worker.dispatchFetch(`http://worker/?${new URLSearchParams(all).toString()}`);
  return response.json();
}

test('reads an answer cut into single bytes', async () => {
  const baseUrl = await serveRaw((socket) => {
    socket.setNoDelay(true);
    const bytes = Buffer.from(RAW_HEAD + rawChunk(token('zwölf 🦜')) + rawChunk(doneLine()) + '0\r\n\r\n');
    let sent = 0;
    const step = (): void => {
      if (sent < bytes.length) socket.write(bytes.subarray(sent, ++sent), () => setImmediate(step));
    };
    step();
  });
  expect(await run({ baseUrl })).toEqual({ text: 'zwölf 🦜', ended: 'well' });
});

test.each([
  ['connect_timeout', 'after nothing', '', '', { connectTimeoutMs: 100 }],
  ['first_token_timeout', 'after headers', RAW_HEAD, '', { firstTokenTimeoutMs: 100 }],
  ['idle_timeout', 'after a token', RAW_HEAD + rawChunk(token('a')), 'a', { idleTimeoutMs: 100 }],
  ['total_timeout', 'after a token', RAW_HEAD + rawChunk(token('a')), 'a', { totalTimeoutMs: 100 }],
  ['Error: enough', 'after nothing', '', '', { abortMs: 100 }],
  ['Error: enough', 'after a token', RAW_HEAD + rawChunk(token('a')), 'a', { abortMs: 100 }],
  ['line_too_long', 'after 9 MB', RAW_HEAD + rawChunk('x'.repeat(9_000_000)), '', {}],
  ['model_error', 'after a token', RAW_HEAD + rawChunk(token('a') + '{"error":"x"}\n'), 'a', {}],
])('%s %s closes the connection', async (ended, _when, said, text, query) => {
  const { promise: closed, resolve } = Promise.withResolvers<number>();
  const baseUrl = await serveRaw((socket) => {
    socket.on('close', () => resolve(performance.now()));
    socket.write(said);
  });
  expect(await run({ baseUrl, ...query })).toEqual({ text, ended });
  // Closed by the responder, not by the end of the Worker's request.
  expect(performance.now() - (await closed)).toBeGreaterThan(LINGER_MS / 2);
});

test.each([
  ['a cut answer', 'answer_incomplete', RAW_HEAD + rawChunk(token('a')) + '0\r\n\r\n'],
  ['a broken connection', 'answer_incomplete', RAW_HEAD + rawChunk(token('a')) + 'ff\r\n{'],
  ['HTML', 'endpoint_not_json', 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi'],
  [
    'a redirect',
    'endpoint_redirected',
    'HTTP/1.1 307 No\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
  ],
  ['a refusal', 'endpoint_unauthorized', 'HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n'],
])('%s is %s', async (_, ended, said) => {
  const baseUrl = await serveRaw((socket) => void socket.end(said));
  expect(await run({ baseUrl, lingerMs: 0 })).toMatchObject({ ended });
});

test('nobody there is endpoint_unreachable', async () => {
  expect(await run({ baseUrl: 'http://127.0.0.1:1', lingerMs: 0 })).toMatchObject({ ended: 'endpoint_unreachable' });
});

test('a connection serves answers one after the other, though their bodies end after done', async () => {
  const sockets = new Set<unknown>();
  const baseUrl = await serve((request, response) => {
    sockets.add(request.socket);
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write(token('a') + doneLine());
      setTimeout(() => response.end(), 10);
    });
  });
  for (let answers = 0; answers < 5; answers++) {
    expect(await run({ baseUrl, lingerMs: 50 })).toEqual({ text: 'a', ended: 'well' });
  }
  // On a loaded machine an end may come too late for the next request; cancelling would take 5.
  expect(sockets.size).toBeLessThan(4);
});

test('a busy process reads the rest of a short answer at once where the model says that it is fast, and uses its connection again', async () => {
  const ANSWERS = 40;
  const words = Array.from({ length: 20 }, (_, index) => ` word${index}`);
  const sockets = new Set<unknown>();
  const baseUrl = await serve((request, response) => {
    sockets.add(request.socket);
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      const write = (index: number): void => {
        if (index < words.length) response.write(token(words[index] ?? ''), () => setImmediate(write, index + 1));
        else response.end(doneLine({ eval_duration: 20_000_000 }));
      };
      write(0);
    });
  });
  const wave = z.array(z.object({ text: z.string(), ended: z.string(), pieces: z.number() }));
  const waves = [];
  for (let count = 0; count < 3; count += 1) {
    waves.push(wave.parse(await run({ baseUrl, answers: ANSWERS, lingerMs: 50 })));
  }
  for (const answer of waves.flat()) expect(answer).toMatchObject({ text: words.join(''), ended: 'well' });
  // The first token, and the rest. The first answers of a wave find the process quiet, and are read as they come.
  const pieces = waves[2]?.map((answer) => answer.pieces).toSorted((a, b) => a - b) ?? [];
  expect(pieces[ANSWERS / 2]).toBeLessThanOrEqual(2);
  expect(sockets.size).toBeLessThanOrEqual(ANSWERS + 4);
});
