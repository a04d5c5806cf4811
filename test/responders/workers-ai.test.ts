/** Against a stand-in for the binding, which returns what `env.AI.run` returns: a stream of server-sent events. */
import { describe, expect, test, vi } from 'vitest';
import { workersAi } from '../../src/responders/workers-ai.ts';
import { NEVER, PROMPT, failureOf, readAll, settingsFor } from './support.ts';

const MODEL = '@cf/test/model';
const settings = settingsFor('workers-ai', { model: MODEL });

function streamOf(events: readonly unknown[], onCancel?: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const rest = events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
  return new ReadableStream({
    pull(controller) {
      const next = rest.shift();
      // Without a last event the stream just stays silent, as a stuck model does.
      if (next === undefined) return;
      if (next.includes('CUT')) controller.close();
      else if (next.includes('BREAK')) controller.error(new Error('lost'));
      else controller.enqueue(encoder.encode(next));
      if (next.includes('[DONE]')) controller.close();
    },
    cancel: () => onCancel?.(),
  });
}

const bindingOf = (run: (model: string, inputs: unknown, options: unknown) => Promise<unknown>) => ({
  run: vi.fn(run),
});

function read(events: readonly unknown[]) {
  return readAll(workersAi(bindingOf(async () => streamOf(events))).open(settings, PROMPT, NEVER));
}

const USAGE = { usage: { prompt_tokens: 7, completion_tokens: 3 } };

describe('the request', () => {
  test('is a streaming run of the model with messages and options', async () => {
    const binding = bindingOf(async () => streamOf([{ response: 'a' }, '[DONE]']));
    const options = { num_predict: 50, temperature: 0.5, top_p: 0.9, num_ctx: 4096 };
    const prompt = [
      { role: 'system', text: 'be kind' },
      { role: 'user', text: 'hi' },
      { role: 'assistant', text: 'ho' },
      { role: 'user', text: 'hello' },
    ] as const;
    await readAll(workersAi(binding).open({ ...settings, options, think: false }, prompt, NEVER));
    const [model, inputs] = binding.run.mock.calls[0] ?? [];
    expect(model).toBe(MODEL);
    expect(inputs).toMatchObject({
      stream: true,
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      reasoning_effort: null,
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'ho' },
        { role: 'user', content: 'hello' },
      ],
    });
  });
});

describe('a good answer', () => {
  test('in the native format', async () => {
    expect(await read([{ response: 'Hel' }, { response: 'lo' }, { response: '', ...USAGE }, '[DONE]'])).toMatchObject({
      text: 'Hello',
      error: null,
      end: { finish: 'stop', model: MODEL, promptTokens: 7, answerTokens: 3, modelMs: null, writingMs: null },
    });
  });

  test("in OpenAI's format, with thinking on its own channel and the reason to finish", async () => {
    const delta = (part: Record<string, unknown>, finish_reason: string | null = null) => ({
      choices: [{ delta: part, finish_reason }],
    });
    const events = [delta({ reasoning_content: 'hm' }), delta({ content: 'a' }), { ...delta({}, 'length'), ...USAGE }];
    expect(await read([...events, '[DONE]'])).toMatchObject({ text: 'a', thinking: 'hm', end: { finish: 'length' } });
  });

  test('tokens that arrived together come as one chunk', async () => {
    const tokens = Array.from({ length: 50 }, (_, index) => ({ response: `${index} ` }));
    const { text, chunks } = await read([...tokens, '[DONE]']);
    expect(text).toBe(tokens.map(({ response }) => response).join(''));
    expect(chunks).toBeLessThan(5);
  });

  test('a model that does not stream answers in one piece', async () => {
    const binding = bindingOf(async () => ({ response: 'whole', ...USAGE }));
    expect(await readAll(workersAi(binding).open(settings, PROMPT, NEVER))).toMatchObject({
      text: 'whole',
      error: null,
    });
  });

  test('a surrogate pair split over two tokens comes whole', async () => {
    const halves = ['{"response":"a\\ud83e"}', '{"response":"\\udd9cb"}', '[DONE]'];
    expect(await read(halves)).toMatchObject({ text: 'a🦜b', error: null });
  });

  test('an empty answer that was counted is an answer', async () => {
    expect(await read([{ response: '', ...USAGE }, '[DONE]'])).toMatchObject({ text: '', error: null });
  });
});

describe('a broken answer', () => {
  test.each([
    ['a stream cut after text', [{ response: 'a' }, 'CUT'], 'a', false],
    ['a connection lost after text', [{ response: 'a' }, 'BREAK'], 'a', false],
    ['a connection lost before any', ['BREAK'], '', true],
    ['a stream without data', ['CUT'], '', true],
  ])('%s is answer_incomplete', async (_, events, text, retryable) => {
    expect(await read(events)).toMatchObject({ text, error: { code: 'answer_incomplete', retryable } });
  });
});

describe('a refusal', () => {
  test.each([
    ['3040: Capacity temporarily exceeded, please try again.', 'endpoint_busy', true],
    ['5007: No such model @cf/test/model or task', 'model_not_found', false],
    ['something else', 'endpoint_error', false],
  ])('%s', async (message, code, retryable) => {
    const binding = bindingOf(async () => {
      throw new Error(message);
    });
    const failure = await failureOf(workersAi(binding).open(settings, PROMPT, NEVER));
    expect(failure).toMatchObject({ code, retryable });
    expect(failure.message).toContain(message);
  });
});

describe('an abort', () => {
  test('while a token is awaited cancels the stream', async () => {
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    const binding = bindingOf(async () => streamOf([{ response: 'a' }], resolve));
    const controller = new AbortController();
    const stream = await workersAi(binding).open(settings, PROMPT, controller.signal);
    expect(await stream.next()).toMatchObject({ value: { text: 'a' } });
    const waiting = stream.next();
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await cancelled;
  });

  test('ends open() at once, though the binding does not look at the signal, and closes what comes later', async () => {
    const { promise: cancelled, resolve: onCancel } = Promise.withResolvers<void>();
    const { promise: running, resolve: finishRun } = Promise.withResolvers<unknown>();
    const controller = new AbortController();
    const opening = workersAi(bindingOf(() => running)).open(settings, PROMPT, controller.signal);
    const failed = opening.catch((error: unknown) => error);
    await new Promise((resolve) => void setTimeout(resolve, 20));
    controller.abort(new Error('enough'));
    expect(await failed).toMatchObject({ message: 'enough' });
    finishRun(streamOf([{ response: 'a' }], onCancel));
    await cancelled;
  });
});
