/** The AI SDK's OpenAI-compatible provider, written elsewhere, reads the simulator's /v1. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, dynamicTool, generateText, jsonSchema, streamText } from 'ai';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startSimulator } from '../../../src/local/simulator/server.ts';
import type { Simulator } from '../../../src/local/simulator/server.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

function model(settings: Readonly<Record<string, unknown>>, name = 'simulator') {
  const provider = createOpenAICompatible({
    name: 'sim',
    baseURL: `${simulator.url}/v1`,
    headers: { 'x-simulator': JSON.stringify(settings) },
    includeUsage: true,
  });
  return provider(name);
}

const base = { prompt: 'What is a tide?', maxRetries: 0 };

describe('stream', () => {
  test('text, usage and finish reason', async () => {
    const result = streamText({ ...base, model: model({ tokens: 8 }) });
    const deltas: string[] = [];
    for await (const delta of result.textStream) deltas.push(delta);
    expect(deltas).toHaveLength(8);
    expect(deltas.join('')).toContain('Simulated answer');
    expect(await result.finishReason).toBe('stop');
    expect(await result.usage).toMatchObject({ inputTokens: 4, outputTokens: 8, totalTokens: 12 });
  });

  test('reasoning has its own channel', async () => {
    const result = streamText({ ...base, model: model({ tokens: 3, thinkingTokens: 5 }, 'simulator-thinking') });
    await result.consumeStream();
    expect(await result.reasoningText).toContain('simulated thinking');
    expect(await result.text).not.toContain('thinking');
  });

  test('max_tokens ends with length', async () => {
    const result = await generateText({ ...base, model: model({ tokens: 20 }), maxOutputTokens: 4 });
    expect([result.finishReason, result.usage.outputTokens]).toEqual(['length', 4]);
  });

  test('an error in mid-stream reaches the reader', async () => {
    const onError = vi.fn();
    const result = streamText({ ...base, model: model({ tokens: 5, fault: 'error-event@2:boom' }), onError });
    let text = '';
    for await (const delta of result.textStream) text += delta;
    expect(text).not.toBe('');
    expect(onError).toHaveBeenCalledOnce();
    expect(JSON.stringify(onError.mock.calls[0])).toContain('boom');
  });

  test('an abort reaches the model', async () => {
    const before = simulator.stats().aborted;
    const abort = new AbortController();
    const result = streamText({
      ...base,
      model: model({ tokens: 1_000, tokenMs: 10 }),
      abortSignal: abort.signal,
    });
    for await (const _ of result.textStream) abort.abort();
    await vi.waitFor(() => {
      expect(simulator.stats()).toMatchObject({ aborted: before + 1, inFlight: 0 });
    });
  });
});

describe('whole', () => {
  test('text and usage', async () => {
    const result = await generateText({
      ...base,
      model: model({ tokens: 8, thinkingTokens: 2 }, 'simulator-thinking'),
    });
    expect(result.text).toContain('Simulated answer');
    expect(result.reasoningText).toBe('This is');
    expect(result.usage).toMatchObject({ outputTokens: 10 });
  });

  test('a tool call carries its arguments as JSON in a string', async () => {
    const inputSchema = jsonSchema({ type: 'object', properties: { city: { type: 'string' } } });
    const tools = { weather: dynamicTool({ inputSchema, execute: () => 'sunny' }) };
    const result = await generateText({ ...base, model: model({ toolCall: 1 }), tools });
    expect(result.finishReason).toBe('tool-calls');
    expect(result.toolCalls[0]).toMatchObject({ toolName: 'weather', input: { city: 'simulated city' } });
  });

  test('errors keep status and text', async () => {
    const missing = generateText({ ...base, model: model({}, 'nope') });
    await expect(missing).rejects.toSatisfy(
      (error) =>
        APICallError.isInstance(error) && error.statusCode === 404 && error.message === "model 'nope' not found",
    );
    const busy = generateText({ ...base, model: model({ fault: 'status:503' }) });
    await expect(busy).rejects.toSatisfy(
      (error) => APICallError.isInstance(error) && error.statusCode === 503 && error.isRetryable,
    );
  });
});
