/** The same responder against real sockets: closing, resets and redirects cannot be judged without. */
import { expect, test } from 'vitest';
import { ollama } from '../../src/responders/ollama.ts';
import {
  NEVER,
  PROMPT,
  RAW_HEAD,
  doneLine,
  failureOf,
  rawChunk,
  readAll,
  serve,
  serveRaw,
  settingsFor,
  token,
} from './support.ts';

const open = (baseUrl: string, signal: AbortSignal = NEVER) =>
  ollama().open(settingsFor('ollama', { baseUrl }), PROMPT, signal);

test('reads an answer that arrives byte by byte', async () => {
  const baseUrl = await serveRaw((socket) => {
    socket.setNoDelay(true);
    const bytes = Buffer.from(RAW_HEAD + rawChunk(token('zwölf 🦜')) + rawChunk(doneLine()) + '0\r\n\r\n');
    let sent = 0;
    const step = (): void => {
      if (sent < bytes.length) socket.write(bytes.subarray(sent, ++sent), () => setImmediate(step));
    };
    step();
  });
  expect(await readAll(open(baseUrl))).toMatchObject({ text: 'zwölf 🦜', error: null });
});

test('a refused connection is endpoint_unreachable and may be tried again', async () => {
  const baseUrl = await serve(() => undefined);
  const free = baseUrl.replace(/\d+$/, '1');
  expect(await failureOf(open(free))).toMatchObject({ code: 'endpoint_unreachable', retryable: true });
});

test('a reset before the headers is endpoint_unreachable', async () => {
  const baseUrl = await serveRaw((socket) => socket.resetAndDestroy());
  expect(await failureOf(open(baseUrl))).toMatchObject({ code: 'endpoint_unreachable', retryable: true });
});

test('a reset after the headers is answer_incomplete, retryable only before the first token', async () => {
  const early = await serveRaw((socket) => {
    socket.write(RAW_HEAD);
    setTimeout(() => socket.resetAndDestroy(), 20);
  });
  expect(await readAll(open(early))).toMatchObject({ error: { code: 'answer_incomplete', retryable: true } });
  const late = await serveRaw((socket) => {
    socket.write(RAW_HEAD + rawChunk(token('a')));
    setTimeout(() => socket.resetAndDestroy(), 20);
  });
  expect(await readAll(open(late))).toMatchObject({
    text: 'a',
    error: { code: 'answer_incomplete', retryable: false },
  });
});

test('a redirect is not followed', async () => {
  let asked = 0;
  const baseUrl = await serve((_request, response) => {
    asked++;
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  expect(await failureOf(open(baseUrl))).toMatchObject({ code: 'endpoint_redirected', retryable: false });
  expect(asked).toBe(1);
});

test('the body of an error is read with a bound and a deadline', async () => {
  const endless = await serve((_request, response) => {
    response.writeHead(500, { 'content-type': 'text/plain' });
    const pour = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', pour);
    pour();
  });
  const { code, message } = await failureOf(open(endless));
  expect(code).toBe('endpoint_error');
  expect(message.length).toBeLessThan(400);
  const silent = await serve((_request, response) => {
    response.writeHead(503, { 'content-type': 'application/json' }).write('{"error":');
  });
  expect(await failureOf(open(silent))).toMatchObject({ code: 'endpoint_busy' });
});

/** An endpoint that says one token and falls silent; `closed` resolves when the reader goes away. */
async function silentAfterOneToken(): Promise<{ baseUrl: string; closed: Promise<void> }> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const baseUrl = await serveRaw((socket) => {
    socket.on('close', () => resolve());
    socket.write(RAW_HEAD + rawChunk(token('a')));
  });
  return { baseUrl, closed };
}

test('return() closes the connection', async () => {
  const { baseUrl, closed } = await silentAfterOneToken();
  const stream = await open(baseUrl);
  await stream.next();
  await stream.return({ finish: 'stop', model: '', promptTokens: 0, answerTokens: 0, modelMs: null, writingMs: null });
  await closed;
});

test.each(['before the first next()', 'while a next() waits', 'between two'])(
  'an abort %s closes the connection',
  async (when) => {
    const { baseUrl, closed } = await silentAfterOneToken();
    const controller = new AbortController();
    const reason = new Error('enough');
    const stream = await open(baseUrl, controller.signal);
    if (when !== 'before the first next()') await stream.next();
    const waiting = when === 'while a next() waits' ? stream.next() : null;
    waiting?.catch(() => undefined);
    controller.abort(reason);
    await expect(waiting ?? stream.next()).rejects.toBe(reason);
    await closed;
  },
);

test('an abort while the headers are awaited closes the connection', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
  const baseUrl = await serveRaw((socket) => {
    socket.on('close', () => resolve());
    onAsked();
  });
  const controller = new AbortController();
  const opening = open(baseUrl, controller.signal);
  await asked;
  controller.abort(new Error('enough'));
  await expect(opening).rejects.toThrow('enough');
  await closed;
});

test('data after done closes the connection', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const baseUrl = await serveRaw((socket) => {
    socket.on('close', () => resolve());
    socket.write(RAW_HEAD + rawChunk(token('a')) + rawChunk(doneLine()));
    setTimeout(() => socket.write(rawChunk(token('late'))), 20);
  });
  expect(await readAll(open(baseUrl))).toMatchObject({ text: 'a', error: null });
  await closed;
});

test('a connection whose body ends after done serves further answers', async () => {
  const sockets = new Set<unknown>();
  const baseUrl = await serveRaw((socket) => {
    sockets.add(socket);
    socket.write(RAW_HEAD + rawChunk(token('a')) + rawChunk(doneLine()));
    setTimeout(() => socket.write('0\r\n\r\n'), 10);
  });
  for (let answers = 0; answers < 5; answers++) {
    expect(await readAll(open(baseUrl))).toMatchObject({ text: 'a', error: null });
    await new Promise((resolve) => void setTimeout(resolve, 40));
  }
  // On a loaded machine an end may come too late for the next request; cancelling would take 5.
  expect(sockets.size).toBeLessThan(4);
});
