/** OLLAMA's conventions, field by field, on the wire. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator } from '../../../src/local/simulator/server.ts';
import type { Simulator } from '../../../src/local/simulator/server.ts';
import { chat, raw } from './raw.ts';
import type { RawAnswer, RawRequest } from './raw.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

function ask(request: RawRequest): Promise<RawAnswer> {
  return raw(simulator.url, request);
}

function json(answer: RawAnswer): unknown {
  return JSON.parse(answer.body);
}

const RFC3339_NANO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const isTime = expect.stringMatching(RFC3339_NANO);
const isNanoseconds = expect.toSatisfy((value) => Number.isInteger(value) && value > 0);

describe('/api/chat', () => {
  test('streams by default: NDJSON, one object a line, fields in order', async () => {
    const answer = await ask({ body: chat({ tokens: 2 }) });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    const [first, second, last] = answer.lines.map((line) => JSON.parse(line));
    expect(first).toEqual({
      model: 'simulator',
      created_at: isTime,
      message: { role: 'assistant', content: '**Simulated' },
      done: false,
    });
    expect(second.message.content).toBe(' answer:**');
    expect(Object.keys(last)).toEqual([
      'model',
      'created_at',
      'message',
      'done',
      'done_reason',
      'total_duration',
      'load_duration',
      'prompt_eval_count',
      'prompt_eval_duration',
      'eval_count',
      'eval_duration',
    ]);
    expect(last).toMatchObject({
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 3,
      eval_count: 2,
      total_duration: isNanoseconds,
      eval_duration: isNanoseconds,
    });
  });

  test('durations are nanoseconds', async () => {
    const timed = await ask({
      body: {
        ...chat({}),
        options: { num_ctx: 77, simulator: { tokens: 3, firstTokenMs: 60, tokenMs: 20, loadMs: 30 } },
      },
    });
    const last = JSON.parse(timed.lines.at(-1) ?? '');
    expect(last.load_duration).toBeGreaterThanOrEqual(30e6);
    expect(last.prompt_eval_duration).toBeGreaterThanOrEqual(60e6);
    expect(last.eval_duration).toBeGreaterThanOrEqual(35e6);
    expect(last.total_duration).toBeGreaterThanOrEqual(130e6);
    expect(last.total_duration).toBeLessThan(2e9);
  });

  test('zeros are omitted', async () => {
    const answer = await ask({ body: chat({ tokens: 0 }) });
    const last = JSON.parse(answer.lines[0] ?? '');
    expect(last.done).toBe(true);
    expect(last).not.toHaveProperty('eval_count');
    expect(last.message).toEqual({ role: 'assistant', content: '' });
    expect(answer.body).not.toMatch(/:0[,}]/);
  });

  test('<, > and & are escaped as Go does', async () => {
    const body = { model: 'simulator', stream: false, messages: [{ role: 'user', content: '<b>&</b>' }] };
    const answer = await ask({ body });
    expect(answer.body).toContain('\\u003cb\\u003e\\u0026');
    expect(answer.body).not.toMatch(/[<>&]/);
    expect(json(answer)).toMatchObject({ message: { content: expect.stringContaining('> <b>&</b>') } });
  });

  test('headers come with the first token, with earlyHeaders before it', async () => {
    expect((await ask({ body: chat({ firstTokenMs: 60 }) })).firstByteMs).toBeGreaterThanOrEqual(55);
    expect((await ask({ body: chat({ firstTokenMs: 300, earlyHeaders: 1 }), leaveAfterMs: 200 })).status).toBe(200);
  });

  test('no messages load the model, with keep_alive 0 they unload it; both as JSON', async () => {
    const load = await ask({ body: { model: 'simulator', messages: [] } });
    expect(load.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const message = { role: 'assistant', content: '' };
    const same = { model: 'simulator', created_at: isTime, message, done: true };
    expect(json(load)).toEqual({ ...same, done_reason: 'load' });
    const unload = await ask({ body: { model: 'simulator', keep_alive: 0 } });
    expect(json(unload)).toEqual({ ...same, done_reason: 'unload' });
    expect(json(await ask({ method: 'GET', path: '/api/ps' }))).toEqual({ models: [] });
  });

  test('a negative keep_alive is for ever', async () => {
    await ask({ body: { model: 'simulator', keep_alive: -1 } });
    const ps = await ask({ method: 'GET', path: '/api/ps' });
    expect(json(ps)).toMatchObject({
      models: [{ expires_at: expect.stringMatching(/^23\d\d-/), context_length: 8192 }],
    });
  });

  test('loading is paid once, and again when runner options change', async () => {
    const loads = async (numCtx: number): Promise<number> => {
      await ask({ body: { ...chat({}), options: { num_ctx: numCtx, simulator: { tokens: 1 } } } });
      return simulator.stats().loads;
    };
    const first = await loads(1024);
    expect(await loads(1024)).toBe(first);
    expect(await loads(2048)).toBe(first + 1);
  });
});

test('/api/generate has response, and context on the last line', async () => {
  const body = { model: 'simulator', prompt: 'Hi', options: { simulator: { tokens: 2 } } };
  const answer = await ask({ path: '/api/generate', body });
  const [first, , last] = answer.lines.map((line) => JSON.parse(line));
  expect(first).toEqual({ model: 'simulator', created_at: isTime, response: '**Simulated', done: false });
  expect(Object.keys(last).slice(0, 6)).toEqual(['model', 'created_at', 'response', 'done', 'done_reason', 'context']);
  const load = await ask({ path: '/api/generate', body: { model: 'simulator' } });
  expect(json(load)).toEqual({ model: 'simulator', created_at: isTime, response: '', done: true, done_reason: 'load' });
});

describe('/v1/chat/completions', () => {
  test('role first, then text, finish with empty delta, usage without choices, [DONE]', async () => {
    const body = { ...chat({ tokens: 2 }), stream: true, stream_options: { include_usage: true } };
    const answer = await ask({ path: '/v1/chat/completions', body });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const events = answer.body.split('\n\n');
    expect(events.slice(-2)).toEqual(['data: [DONE]', '']);
    const chunks = events.slice(0, -2).map((event) => JSON.parse(event.replace(/^data: /, '')));
    expect(chunks.map((chunk) => chunk.choices)).toEqual([
      [{ index: 0, delta: { role: 'assistant', content: '**Simulated' }, finish_reason: null }],
      [{ index: 0, delta: { content: ' answer:**' }, finish_reason: null }],
      [{ index: 0, delta: {}, finish_reason: 'stop' }],
      [],
    ]);
    expect(chunks.at(-1).usage).toEqual({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
    expect(chunks[0]).toMatchObject({
      object: 'chat.completion.chunk',
      model: 'simulator',
      created: expect.any(Number),
    });
  });

  test('without include_usage there is no usage chunk; without stream one object', async () => {
    const streamed = await ask({ path: '/v1/chat/completions', body: chat({}, { stream: true }) });
    expect(streamed.body).not.toContain('usage');
    const whole = await ask({ path: '/v1/chat/completions', body: chat({ tokens: 1 }) });
    expect(json(whole)).toMatchObject({
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: '**Simulated' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
    });
  });

  test('reasoning is delta.reasoning', async () => {
    const body = chat({ tokens: 1, thinkingTokens: 1 }, { model: 'simulator-thinking', stream: true });
    const answer = await ask({ path: '/v1/chat/completions', body });
    expect(answer.body).toContain('"delta":{"role":"assistant","content":"","reasoning":"This"}');
  });

  test('models', async () => {
    const list = await ask({ method: 'GET', path: '/v1/models' });
    const first = { id: 'simulator:latest', object: 'model', created: 1_767_225_600, owned_by: 'library' };
    expect(json(list)).toMatchObject({ object: 'list', data: [first, {}, {}] });
    expect(json(await ask({ method: 'GET', path: '/v1/models/simulator' }))).toEqual({ ...first, id: 'simulator' });
  });
});

describe('errors', () => {
  test.each([
    ['{"messages":[]}', 400, 'model is required'],
    ['{"model":"nope","messages":[{"role":"user","content":"x"}]}', 404, "model 'nope' not found"],
    ['{"model":"a b"}', 400, 'invalid model name'],
    ['', 400, 'missing request body'],
    ['{', 400, expect.any(String)],
    ['[]', 400, expect.stringContaining('json: cannot unmarshal')],
    ['{"model":5}', 400, 'json: cannot unmarshal number into Go struct field ChatRequest.model of type string'],
    ['{"model":"simulator","messages":"x"}', 400, expect.stringContaining('ChatRequest.messages')],
    ['{"model":"simulator","think":"hard"}', 400, expect.stringContaining('invalid think value: "hard"')],
    ['{"model":"simulator","keep_alive":"10"}', 400, 'time: missing unit in duration "10"'],
    [
      '{"model":"simulator","messages":[{"role":"user","content":"x"}],"think":true}',
      400,
      '"simulator" does not support thinking',
    ],
  ])('%s is %i', async (body, status, error) => {
    const answer = await ask({ body });
    expect([answer.status, json(answer)]).toEqual([status, { error }]);
  });

  test('generate without a model is a 404, /v1 without messages a 400, each in its shape', async () => {
    const generate = await ask({ path: '/api/generate', body: { prompt: 'x' } });
    expect([generate.status, json(generate)]).toEqual([404, { error: "model '' not found" }]);
    const openai = await ask({ path: '/v1/chat/completions', body: { model: 'simulator', messages: [] } });
    const error = { message: "[] is too short - 'messages'", type: 'invalid_request_error', param: null, code: null };
    expect([openai.status, json(openai)]).toEqual([400, { error }]);
  });

  test('unknown paths and methods', async () => {
    const missing = await ask({ method: 'GET', path: '/api/nothing' });
    expect([missing.status, missing.body]).toEqual([404, '404 page not found']);
    const wrong = await ask({ method: 'GET', path: '/api/chat' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await ask({ method: 'GET', path: '/constructor' })).status).toBe(404);
  });

  test('a body over 32 MiB is refused', async () => {
    const answer = await ask({ body: JSON.stringify({ model: 'simulator', prompt: 'x'.repeat(33 * 1024 * 1024) }) });
    expect(answer.status).toBe(413);
  });
});

describe('the rest', () => {
  test('GET / says that it runs and that it is a simulator; HEAD has no body', async () => {
    const answer = await ask({ method: 'GET', path: '/' });
    expect([answer.status, answer.body]).toEqual([200, 'Ollama is running (Switchboard simulator)']);
    for (const path of ['/', '/api/version', '/api/tags']) {
      const head = await ask({ method: 'HEAD', path });
      expect([head.status, head.body]).toEqual([200, '']);
    }
  });

  test('requests shows the bodies that came, keys masked', async () => {
    const body = chat({ tokens: 1 }, { messages: [{ role: 'system', content: 'Be kind.' }] });
    await ask({ body, headers: { authorization: 'Bearer sk-secret-1234' } });
    const seen = await ask({ method: 'GET', path: '/simulator/requests?last=1' });
    expect(json(seen)).toMatchObject({
      requests: [{ method: 'POST', path: '/api/chat', body, headers: { authorization: '…1234' } }],
    });
    for (let index = 0; index < 60; index += 1) await ask({ path: '/api/show', body: { model: 'simulator' } });
    const all = await ask({ method: 'GET', path: '/simulator/requests?last=999' });
    expect(JSON.parse(all.body).requests).toHaveLength(50);
  });
});
