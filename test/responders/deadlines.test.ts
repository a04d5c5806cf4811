import { describe, expect, test } from 'vitest';
import { answer } from '../../src/responders/answer.ts';
import { ollama } from '../../src/responders/ollama.ts';
import type { Deadlines } from '../../src/responders/port.ts';
import {
  NEVER,
  PROMPT,
  RAW_HEAD,
  doneLine,
  endpoint,
  rawChunk,
  readAll,
  serve,
  token,
  withDeadlines,
} from './support.ts';

const responders = { ollama: ollama() };
const delay = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

describe('each deadline ends the answer with its own code, says its seconds, and closes the connection', () => {
  const run = (baseUrl: string, deadlines: Partial<Deadlines>) =>
    readAll(answer(withDeadlines(baseUrl, deadlines), PROMPT, { responders, signal: NEVER }));

  test('connect: the endpoint takes the connection and says nothing, to nobody', async () => {
    const { baseUrl, closed } = await endpoint(() => undefined);
    const startedAt = performance.now();
    const { error } = await run(baseUrl, { connectTimeoutMs: 200 });
    expect(error).toMatchObject({ code: 'connect_timeout', message: expect.stringContaining('0.2 seconds') });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await closed;
  });

  test('first token: headers came, tokens did not', async () => {
    const { baseUrl, closed } = await endpoint((write) => write(RAW_HEAD));
    const { error } = await run(baseUrl, { firstTokenTimeoutMs: 100 });
    expect(error).toMatchObject({ code: 'first_token_timeout', message: expect.stringContaining('0.1 seconds') });
    await closed;
  });

  test('idle: silence after a token, which is kept', async () => {
    const { baseUrl, closed } = await endpoint((write) => write(RAW_HEAD + rawChunk(token('a'))));
    const { text, error } = await run(baseUrl, { idleTimeoutMs: 100 });
    expect(error).toMatchObject({ code: 'idle_timeout', message: expect.stringContaining('0.1 seconds') });
    expect(text).toBe('a');
    await closed;
  });

  test('total: tokens without end', async () => {
    let timer: ReturnType<typeof setInterval> | undefined;
    const { baseUrl, closed } = await endpoint((write) => {
      write(RAW_HEAD);
      timer = setInterval(() => write(rawChunk(token('a'))), 10);
    });
    const { text, error } = await run(baseUrl, { totalTimeoutMs: 1_000, idleTimeoutMs: 500 });
    clearInterval(timer);
    expect(error).toMatchObject({ code: 'total_timeout', message: expect.stringContaining('1 second.') });
    expect(text.length).toBeGreaterThan(10);
    await closed;
  });
});

describe('late headers', () => {
  /** As Ollama does: no headers before the first token, but other requests are answered meanwhile. */
  const loadingFor = (ms: number) =>
    serve((request, response) => {
      if (request.url === '/api/version') return void response.end('{"version":"0"}');
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        response.end(token('a') + doneLine());
      }, ms);
    });

  test('are no connect timeout when the endpoint answers otherwise: it is loading the model', async () => {
    const settings = withDeadlines(await loadingFor(400), { connectTimeoutMs: 100 });
    expect(await readAll(answer(settings, PROMPT, { responders, signal: NEVER }))).toMatchObject({
      text: 'a',
      error: null,
    });
  });

  test('are then bounded by the first-token deadline', async () => {
    const settings = withDeadlines(await loadingFor(60_000), { connectTimeoutMs: 100, firstTokenTimeoutMs: 300 });
    const { error } = await readAll(answer(settings, PROMPT, { responders, signal: NEVER }));
    expect(error).toMatchObject({ code: 'first_token_timeout' });
  });
});

describe("the reader's own pauses", () => {
  test('do not count as silence of the model', async () => {
    const { baseUrl } = await endpoint((write) => {
      write(RAW_HEAD + rawChunk(token('a')));
      setTimeout(() => write(rawChunk(token('b')) + rawChunk(doneLine()) + '0\r\n\r\n'), 30);
    });
    const stream = answer(withDeadlines(baseUrl, { idleTimeoutMs: 100 }), PROMPT, { responders, signal: NEVER });
    expect(await stream.next()).toMatchObject({ value: { text: 'a' } });
    await delay(300);
    expect(await stream.next()).toMatchObject({ value: { text: 'b' } });
    await delay(300);
    expect(await stream.next()).toMatchObject({ done: true });
  });

  test('but silence is noticed after them', async () => {
    const { baseUrl } = await endpoint((write) => write(RAW_HEAD + rawChunk(token('a'))));
    const stream = answer(withDeadlines(baseUrl, { idleTimeoutMs: 100 }), PROMPT, { responders, signal: NEVER });
    await stream.next();
    await delay(300);
    await expect(stream.next()).rejects.toMatchObject({ code: 'idle_timeout' });
  });

  test('count towards the total, which closes the connection during one', async () => {
    const { baseUrl, closed } = await endpoint((write) => write(RAW_HEAD + rawChunk(token('a'))));
    const stream = answer(withDeadlines(baseUrl, { totalTimeoutMs: 150 }), PROMPT, { responders, signal: NEVER });
    await stream.next();
    await closed;
    await expect(stream.next()).rejects.toMatchObject({ code: 'total_timeout' });
  });
});
