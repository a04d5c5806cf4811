import { describe, expect, test } from 'vitest';
import { openai } from '../../src/responders/openai.ts';
import { NEVER, PROMPT, RAW_HEAD, failureOf, fetchOf, rawChunk, readAll, serveRaw, settingsFor } from './support.ts';
import type { Read } from './support.ts';

const SSE = 'text/event-stream; charset=utf-8';

function event(delta: Record<string, unknown> | null, extra: Record<string, unknown> = {}): string {
  const choices = delta === null ? [] : [{ index: 0, delta, finish_reason: null }];
  return `data: ${JSON.stringify({ id: 'x', model: 'served', choices, ...extra })}\n\n`;
}

const finish = (reason: string): string => event({}, { choices: [{ index: 0, delta: {}, finish_reason: reason }] });
const USAGE = event(null, { usage: { prompt_tokens: 7, completion_tokens: 3 } });
const DONE = 'data: [DONE]\n\n';
const say = (content: string): string => event({ content });

function read(reads: readonly (string | Uint8Array)[], type = SSE, status?: number): Promise<Read> {
  return readAll(openai(fetchOf(reads, type, status).fetcher).open(settingsFor('openai'), PROMPT, NEVER));
}

describe('the request', () => {
  async function bodyFor(changes: Parameters<typeof settingsFor>[1]): Promise<unknown> {
    const { fetcher, calls } = fetchOf([DONE], SSE);
    await readAll(openai(fetcher).open(settingsFor('openai', changes), PROMPT, NEVER));
    expect(calls[0]?.url).toBe('http://endpoint.test/v1/chat/completions');
    return calls[0]?.body;
  }

  test('asks for a stream with usage, and translates the options that exist on both sides', async () => {
    const shared = { temperature: 0.5, top_p: 0.9, seed: 1, stop: ['x'], presence_penalty: 1, frequency_penalty: 2 };
    expect(await bodyFor({ options: { ...shared, num_predict: 50, num_ctx: 4096, top_k: 3 }, think: 'max' })).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 50,
      reasoning_effort: 'high',
      ...shared,
    });
  });

  test('num_predict -1 means no limit', async () => {
    expect(await bodyFor({ options: { num_predict: -1 } })).not.toHaveProperty('max_tokens');
  });
});

describe('a good answer', () => {
  test('role chunk, text, finish, usage, [DONE]', async () => {
    const reads = [event({ role: 'assistant', content: '' }), say('Hel') + say('lo'), finish('stop') + USAGE + DONE];
    expect(await read(reads)).toEqual({
      text: 'Hello',
      thinking: '',
      chunks: 1,
      end: { finish: 'stop', model: 'served', promptTokens: 7, answerTokens: 3, modelMs: null, writingMs: null },
      error: null,
    });
  });

  test.each([
    ['reasoning', [event({ reasoning: 'hm' }), say('a'), DONE], 'a', 'hm'],
    ['reasoning_content', [event({ reasoning_content: 'hm', content: null }), say('a'), DONE], 'a', 'hm'],
    ['both names of reasoning are one thought', [event({ reasoning: 'hm', reasoning_content: 'hm' }), DONE], '', 'hm'],
    ['comments and keep-alives', [': ping\n\n', say('a'), ':\n\n', DONE], 'a', ''],
    ['CRLF', [(say('a') + DONE).replaceAll('\n', '\r\n')], 'a', ''],
    ['no space after the colon', [say('a').replace('data: ', 'data:'), 'data:[DONE]\n\n'], 'a', ''],
    ['event, id and retry fields', [`event: message\nid: 1\nretry: 9\n${say('a')}`, DONE], 'a', ''],
    ['data over several lines', ['data: {"choices":[{"delta":\ndata: {"content":"a"}}]}\n\n', DONE], 'a', ''],
    ['no newline at the end', [say('a'), 'data: [DONE]'], 'a', ''],
    ['anything after [DONE]', [say('a') + DONE + 'data: oops\n\n'], 'a', ''],
    ['[DONE] without a finish_reason', [say('a'), DONE], 'a', ''],
    ['a finish_reason without [DONE]', [say('a'), finish('stop')], 'a', ''],
  ])('%s', async (_, reads, text, thinking) => {
    expect(await read(reads)).toMatchObject({ text, thinking, error: null, end: { finish: 'stop' } });
  });

  test.each([
    ['length', 'length'],
    ['stop', 'stop'],
    ['tool_calls', 'stop'],
    ['content_filter', 'stop'],
  ])('finish_reason %s ends as %s', async (reason, expected) => {
    expect(await read([say('a'), finish(reason), DONE])).toMatchObject({ end: { finish: expected } });
  });

  test('a cut at every byte position gives the same answer', async () => {
    const whole = new TextEncoder().encode(
      `${event({ reasoning: '語' })}: hi\r\n\r\n${say('zwölf 🦜\n')}${finish('length')}${USAGE}${DONE}`,
    );
    for (let cut = 0; cut <= whole.length; cut++) {
      const result = await read([whole.slice(0, cut), whole.slice(cut)].filter((part) => part.length > 0));
      expect({ cut, ...result, chunks: 0 }).toEqual({
        cut,
        text: 'zwölf 🦜\n',
        thinking: '語',
        chunks: 0,
        end: { finish: 'length', model: 'served', promptTokens: 7, answerTokens: 3, modelMs: null, writingMs: null },
        error: null,
      });
    }
  });

  test('a surrogate pair split over two tokens comes whole', async () => {
    const halves = [say('X').replace('X', 'a\\ud83e'), say('X').replace('X', '\\udd9cb'), DONE];
    expect(await read(halves)).toMatchObject({ text: 'a🦜b', error: null });
  });
});

describe('a broken answer', () => {
  const error = (message: string): string => `data: ${JSON.stringify({ error: { message, type: 'x' } })}\n\n`;
  test.each([
    ['an error object mid-stream', [say('a'), error('out of memory')], 'a', 'model_error', /out of memory/],
    ['an error event', [say('a'), `event: error\n${error('boom')}`], 'a', 'model_error', /boom/],
    ['finish_reason error', [say('a'), finish('error')], 'a', 'model_error', /failed/],
    ['an empty chunk and no [DONE]', [say('a'), event(null)], 'a', 'answer_incomplete', /complete/],
    ['a cut through an event', [say('a'), say('bcd').slice(0, 30)], 'a', 'answer_incomplete', /complete/],
    ['nothing at all', [], '', 'answer_incomplete', /complete/],
    ['an event that is not JSON', [say('a'), 'data: oops\n\n', say('b')], 'a', 'answer_malformed', /not part/],
    ['content of another type', [event({ content: 1 })], '', 'answer_malformed', /not part/],
    ['a choice of another type', [event(null, { choices: ['a'] })], '', 'answer_malformed', /not part/],
  ])('%s', async (_, reads, text, code, message) => {
    const result = await read(reads);
    expect(result).toMatchObject({ text, end: null, error: { code } });
    expect(String(result.error)).toMatch(message);
  });

  test('a 10 MB event ends as line_too_long, in one line or in many', async () => {
    const mebibyte = 'x'.repeat(1024 * 1024);
    const oneLine = ['data: ', ...Array.from({ length: 10 }, () => mebibyte)];
    expect(await read(oneLine)).toMatchObject({ error: { code: 'line_too_long' } });
    const manyLines = Array.from({ length: 10 }, () => `data: ${mebibyte}\n`);
    expect(await read(manyLines)).toMatchObject({ error: { code: 'line_too_long' } });
  });
});

describe('a refusal', () => {
  const json = 'application/json';
  test.each([
    ['HTML', 200, 'text/html', '<html>', 'endpoint_not_json', /text\/html/],
    ['JSON with an error and status 200', 200, json, '{"error":{"message":"no"}}', 'endpoint_error', /no/],
    ['JSON in place of a stream', 200, json, '{"choices":[]}', 'endpoint_not_json', /stream/],
    ['401', 401, json, '{"error":{"message":"bad key"}}', 'endpoint_unauthorized', /bad key/],
    ['404 for the model', 404, json, '{"error":{"message":"The model `m` does not exist."}}', 'model_not_found', /`m`/],
    ['404 for the path', 404, json, '{"detail":"Not Found"}', 'endpoint_error', /Not Found/],
    ['429', 429, json, '{"error":{"message":"slow down"}}', 'endpoint_busy', /slow down/],
  ])('%s', async (_, status, type, body, code, message) => {
    const result = await read([body], type, status);
    expect(result.error).toMatchObject({ code });
    expect(String(result.error)).toMatch(message);
  });
});

test('an abort closes the connection', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const baseUrl = await serveRaw((socket) => {
    socket.on('close', () => resolve());
    socket.write(RAW_HEAD.replace('application/x-ndjson', SSE) + rawChunk(say('a')));
  });
  const controller = new AbortController();
  const stream = await openai().open(settingsFor('openai', { baseUrl }), PROMPT, controller.signal);
  expect(await stream.next()).toMatchObject({ value: { text: 'a' } });
  const waiting = stream.next();
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await closed;
});

test('nobody there is endpoint_unreachable', async () => {
  const opened = openai().open(settingsFor('openai', { baseUrl: 'http://127.0.0.1:1' }), PROMPT, NEVER);
  expect(await failureOf(opened)).toMatchObject({ code: 'endpoint_unreachable', retryable: true });
});
