import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ollama } from '../../src/responders/ollama.ts';
import { NEVER, PROMPT, doneLine, fetchOf, readAll, settingsFor, token } from './support.ts';
import type { Read } from './support.ts';

function read(reads: readonly (string | Uint8Array)[], type?: string, status?: number): Promise<Read> {
  return readAll(ollama(fetchOf(reads, type, status).fetcher).open(settingsFor('ollama'), PROMPT, NEVER));
}

describe('the request', () => {
  test('is a streaming /api/chat with options, think, keep_alive and the key', async () => {
    const { fetcher, calls } = fetchOf([doneLine()]);
    const changes = { apiKey: 'k', options: { num_ctx: 4096 }, think: 'low', keepAlive: '10m' } as const;
    const prompt = [{ role: 'system', text: 'be kind' } as const, ...PROMPT];
    await readAll(ollama(fetcher).open(settingsFor('ollama', changes), prompt, NEVER));
    expect(calls[0]?.url).toBe('http://endpoint.test/api/chat');
    expect(calls[0]?.init).toMatchObject({
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: 'Bearer k' },
    });
    expect(calls[0]?.body).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'hello' },
      ],
      stream: true,
      options: { num_ctx: 4096 },
      think: 'low',
      keep_alive: '10m',
    });
  });

  test('leaves out what the bot leaves to the server', async () => {
    const { fetcher, calls } = fetchOf([doneLine()]);
    await readAll(ollama(fetcher).open(settingsFor('ollama'), PROMPT, NEVER));
    const body = calls[0]?.body;
    expect(body).not.toHaveProperty('think');
    expect(body).not.toHaveProperty('keep_alive');
    expect(calls[0]?.init.headers).not.toHaveProperty('authorization');
  });
});

describe('a good answer', () => {
  test('all tokens of one read come as one chunk, which says that it is the last', async () => {
    const stream = await ollama(fetchOf([token('a') + token('b'), token('c') + doneLine()]).fetcher).open(
      settingsFor('ollama'),
      PROMPT,
      NEVER,
    );
    expect(await stream.next()).toEqual({ done: false, value: { text: 'ab', thinking: '' } });
    expect(await stream.next()).toEqual({ done: false, value: { text: 'c', thinking: '' } });
    expect(await stream.next()).toEqual({
      done: true,
      value: { finish: 'stop', model: 'm', promptTokens: 7, answerTokens: 3, modelMs: null, writingMs: null },
    });
  });

  test('thinking is a channel of its own; <think> tags in the text stay text', async () => {
    const { text, thinking } = await read([token('', { thinking: 'hm' }), token('<think>x</think>'), doneLine()]);
    expect({ text, thinking }).toEqual({ text: '<think>x</think>', thinking: 'hm' });
  });

  test.each([
    ['done_reason length is said', [token('a'), doneLine({ done_reason: 'length' })], 'a', 'length'],
    ['no trailing newline', [token('a'), doneLine().trimEnd()], 'a', 'stop'],
    ['CRLF and blank lines', ['\n', token('a').replace('\n', '\r\n'), '\r\n \n', doneLine()], 'a', 'stop'],
    ['two done lines', [token('a'), doneLine() + doneLine({ done_reason: 'length' })], 'a', 'stop'],
    ['rubbish after done', [token('a') + doneLine() + '<html>', 'more'], 'a', 'stop'],
    ['text in the done line', [token('a'), doneLine({ message: { role: 'assistant', content: 'b' } })], 'ab', 'stop'],
    ['done without a message', [token('a'), '{"model":"m","done":true}'], 'a', 'stop'],
    [
      'tool calls and null content',
      [token('a', { tool_calls: [{}] }), token('', { content: null }), doneLine()],
      'a',
      'stop',
    ],
    ['no text at all is an empty answer', [doneLine()], '', 'stop'],
  ])('%s', async (_, reads, text, finish) => {
    expect(await read(reads)).toMatchObject({ text, error: null, end: { finish } });
  });

  test('a cut at every byte position gives the same answer', async () => {
    const whole = new TextEncoder().encode(token('zwölf 🦜', { thinking: '語' }) + token('\\u "q"\n') + doneLine());
    for (let cut = 0; cut <= whole.length; cut++) {
      const reads = [whole.slice(0, cut), whole.slice(cut)].filter((part) => part.length > 0);
      const { text, thinking, end, error } = await read(reads);
      expect({ cut, text, thinking, finish: end?.finish, error }).toEqual({
        cut,
        text: 'zwölf 🦜\\u "q"\n',
        thinking: '語',
        finish: 'stop',
        error: null,
      });
    }
  });

  test('any tokens cut anywhere give the joined text and thinking', async () => {
    const pieces = fc.array(
      fc.record({ content: fc.string({ unit: 'binary' }), thinking: fc.string({ unit: 'binary' }) }),
    );
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(fc.nat()), async (tokens, cutSeeds) => {
        const whole = new TextEncoder().encode(
          tokens.map(({ content, thinking }) => token(content, { thinking })).join('') + doneLine(),
        );
        const cuts = cutSeeds.map((seed) => seed % whole.length).toSorted((a, b) => a - b);
        const reads = [0, ...cuts].map((from, index) => whole.slice(from, cuts[index] ?? whole.length));
        const { text, thinking, error } = await read(reads.filter((part) => part.length > 0));
        expect(error).toBeNull();
        expect(text).toBe(tokens.map(({ content }) => content).join(''));
        expect(thinking).toBe(tokens.map((piece) => piece.thinking).join(''));
      }),
      { numRuns: 150 },
    );
  });

  test('a surrogate pair split over two tokens comes whole, in whatever reads', async () => {
    const first = token('X').replace('X', 'a\\ud83e');
    const second = token('X').replace('X', '\\udd9cb');
    for (const reads of [[first, second, doneLine()], [first + second + doneLine()], [first, second + doneLine()]]) {
      expect(await read(reads)).toMatchObject({ text: 'a🦜b', error: null });
    }
    expect(await read([first, doneLine()])).toMatchObject({ text: 'a\ufffd', error: null });
  });
});

describe('a broken answer', () => {
  test.each([
    ['an error line mid-stream', [token('a'), '{"error":"out of memory"}\n'], 'a', 'model_error', /out of memory/],
    ['an error line in the same read as text', [token('a') + '{"error":"x"}\n' + token('b')], 'a', 'model_error', /x/],
    ['an error object', ['{"error":{"message":"deep"}}\n'], '', 'model_error', /deep/],
    ['no done', [token('a'), token('b')], 'ab', 'answer_incomplete', /before it was complete/],
    [
      'a clean end half-way through a line',
      [token('a'), token('bcd').slice(0, 40)],
      'a',
      'answer_incomplete',
      /complete/,
    ],
    ['nothing at all', [], '', 'answer_incomplete', /complete/],
    ['a line that is not JSON', [token('a'), 'oops\n', token('b')], 'a', 'answer_malformed', /not part/],
    ['a line of another shape', [token('a'), '{"a":1}\n'], 'a', 'answer_malformed', /not part/],
    ['a line that is a list', ['[]\n'], '', 'answer_malformed', /not part/],
    ['a line that is null', ['null\n'], '', 'answer_malformed', /not part/],
    ['content of another type', ['{"message":{"content":1},"done":false}\n'], '', 'answer_malformed', /not part/],
  ])('%s', async (_, reads, text, code, message) => {
    const result = await read(reads);
    expect(result).toMatchObject({ text, end: null, error: { code } });
    expect(String(result.error)).toMatch(message);
  });

  test('a 10 MB token ends as line_too_long, without reading it all', async () => {
    const mebibyte = 'x'.repeat(1024 * 1024);
    const result = await read([token('a'), '{"message":{"content":"', ...Array.from({ length: 10 }, () => mebibyte)]);
    expect(result).toMatchObject({ text: 'a', error: { code: 'line_too_long' } });
  });

  test('a big token below the bound passes', async () => {
    const text = 'x'.repeat(1_000_000);
    expect(await read([token(text).slice(0, 500_000), token(text).slice(500_000), doneLine()])).toMatchObject({ text });
  });

  test("the endpoint's words are cleaned and bounded, and never show the key", async () => {
    const { fetcher } = fetchOf([`${JSON.stringify({ error: `key s3cret\u0000\u202e\n${'x'.repeat(5_000)}` })}\n`]);
    const { error } = await readAll(ollama(fetcher).open(settingsFor('ollama', { apiKey: 's3cret' }), PROMPT, NEVER));
    const message = error instanceof Error ? error.message : '';
    expect(message).toMatch(/^The model failed: key \*\*\* x+…$/);
    expect(message.length).toBeLessThan(350);
  });
});

describe('a refusal', () => {
  const json = 'application/json';
  test.each([
    ['HTML', 200, 'text/html; charset=utf-8', '<html>', 'endpoint_not_json', false, /text\/html/],
    ['an event stream', 200, 'text/event-stream', 'data: {}', 'endpoint_not_json', false, /event-stream/],
    ['an error with status 200', 200, json, '{"error":"no"}', 'model_error', false, /no/],
    ['301', 301, json, '', 'endpoint_redirected', false, /301/],
    ['307', 307, json, '', 'endpoint_redirected', false, /307/],
    ['401', 401, json, '{"error":"unauthorized","signin_url":"x"}', 'endpoint_unauthorized', false, /unauthorized/],
    ['403 without a body', 403, 'text/plain', '', 'endpoint_unauthorized', false, /403/],
    ['404 for the model', 404, json, `{"error":"model 'm' not found"}`, 'model_not_found', false, /'m' not found/],
    ['404 for the path', 404, 'text/plain', '404 page not found', 'endpoint_error', false, /page not found/],
    [
      '400',
      400,
      json,
      '{"error":"\\"m\\" does not support thinking"}',
      'endpoint_error',
      false,
      /not support thinking/,
    ],
    ['429', 429, json, '{"error":"slow down"}', 'endpoint_busy', true, /slow down/],
    ['500', 500, json, '{"error":"llama runner died"}', 'endpoint_error', false, /runner died/],
    ['502 with HTML', 502, 'text/html', '<h1>Bad gateway</h1>', 'endpoint_busy', true, /HTTP 502\)\.$/],
    ['503', 503, json, '{"error":"server busy, please try again.  maximum pending"}', 'endpoint_busy', true, /busy/],
    ['504', 504, 'text/plain', '', 'endpoint_busy', true, /504/],
  ])('%s', async (_, status, type, body, code, retryable, message) => {
    const result = await read(
      [body].filter((part) => part !== ''),
      type,
      status,
    );
    expect(result.error).toMatchObject({ code, retryable });
    expect(String(result.error)).toMatch(message);
  });

  test('an address that is not a URL', async () => {
    const opened = ollama().open(settingsFor('ollama', { baseUrl: 'nonsense' }), PROMPT, NEVER);
    expect(await readAll(opened)).toMatchObject({ error: { code: 'endpoint_unreachable', retryable: false } });
  });
});
