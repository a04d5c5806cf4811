/** The `ollama` npm client, written elsewhere, gets on with the simulator as with Ollama. */
import { Ollama } from 'ollama';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startSimulator } from '../../../src/local/simulator/server.ts';
import type { Simulator } from '../../../src/local/simulator/server.ts';

const messages = [{ role: 'user', content: 'What is a tide?' }];
let simulator: Simulator;
let ollama: Ollama;

function client(settings: Readonly<Record<string, unknown>>): Ollama {
  return new Ollama({ host: simulator.url, headers: { 'x-simulator': JSON.stringify(settings) } });
}

beforeAll(async () => {
  simulator = await startSimulator();
});
beforeEach(() => {
  ollama = new Ollama({ host: simulator.url });
});
afterAll(() => simulator.close());

describe('chat', () => {
  test('streams the words that come without streaming', async () => {
    const whole = await ollama.chat({ model: 'simulator', messages });
    expect(whole.message.content).toContain('no language model runs here');
    expect(whole.message.content).toContain('> What is a tide?');
    expect(whole.done_reason).toBe('stop');

    const parts: string[] = [];
    let last = null;
    for await (const part of await ollama.chat({ model: 'simulator', messages, stream: true })) {
      parts.push(part.message.content);
      last = part;
    }
    expect(parts.join('')).toBe(whole.message.content);
    expect(last).toMatchObject({ done: true, done_reason: 'stop', eval_count: parts.length - 1 });
  });

  test('thinking comes before the answer, on its own field, and can be turned off', async () => {
    const order: string[] = [];
    for await (const part of await ollama.chat({ model: 'simulator-thinking', messages, stream: true })) {
      if (part.message.thinking) order.push('thinking');
      if (part.message.content) order.push('content');
    }
    expect(order.lastIndexOf('thinking')).toBeLessThan(order.indexOf('content'));
    const without = await ollama.chat({ model: 'simulator-thinking', messages, think: false });
    expect(without.message.thinking).toBeUndefined();
    await expect(ollama.chat({ model: 'simulator', messages, think: 'high' })).rejects.toMatchObject({
      status_code: 400,
      error: '"simulator" does not support thinking',
    });
  });

  test('num_predict cuts with done_reason length', async () => {
    const answer = await ollama.chat({ model: 'simulator', messages, options: { num_predict: 3 } });
    expect(answer).toMatchObject({ done_reason: 'length', eval_count: 3 });
  });

  test('format gets JSON that fits the schema', async () => {
    const schema = {
      type: 'object',
      properties: { title: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
    };
    const answer = await ollama.chat({ model: 'simulator', messages, format: schema });
    expect(JSON.parse(answer.message.content)).toEqual({ title: 'simulated title', tags: ['simulated tags'] });
    const any = await ollama.chat({ model: 'simulator', messages, format: 'json' });
    expect(JSON.parse(any.message.content)).toMatchObject({ simulated: true });
  });

  test('a tool call arrives whole, its arguments an object', async () => {
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const tool = { type: 'function', function: { name: 'weather', description: 'x', parameters } };
    const answer = await client({ toolCall: 1 }).chat({ model: 'simulator', messages, tools: [tool] });
    expect(answer.message.tool_calls).toEqual([
      { id: 'call_sim00000', function: { index: 0, name: 'weather', arguments: { city: 'simulated city' } } },
    ]);
  });

  test('images are counted, not looked at', async () => {
    const images = [new Uint8Array([1, 2, 3])];
    const answer = await ollama.chat({ model: 'simulator', messages: [{ role: 'user', content: 'see', images }] });
    expect(answer.message.content).toContain('1 images came along');
  });
});

describe('errors', () => {
  test("an unknown model is a 404 in Ollama's words", async () => {
    await expect(ollama.chat({ model: 'nope', messages })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'nope' not found",
    });
    await expect(ollama.show({ model: 'nope' })).rejects.toMatchObject({ error: "model 'nope:latest' not found" });
  });

  test('an error in mid-stream throws after the tokens that came', async () => {
    const parts: string[] = [];
    const stream = await client({ tokens: 5, fault: 'error@2:boom' }).chat({
      model: 'simulator',
      messages,
      stream: true,
    });
    await expect(
      (async () => {
        for await (const part of stream) parts.push(part.message.content);
      })(),
    ).rejects.toThrow('boom');
    expect(parts).toHaveLength(2);
  });

  test('a stream without done is no success', async () => {
    const stream = await client({ tokens: 5, fault: 'cut@2' }).chat({ model: 'simulator', messages, stream: true });
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow('Did not receive done');
  });
});

test('an abort reaches the model at once', async () => {
  const before = simulator.stats();
  const slow = client({ tokens: 1_000, tokenMs: 10 });
  const stream = await slow.chat({ model: 'simulator', messages, stream: true });
  let parts = 0;
  await expect(
    (async () => {
      for await (const _ of stream) {
        parts += 1;
        if (parts === 3) slow.abort();
      }
    })(),
  ).rejects.toThrow(/abort/i);
  await vi.waitFor(() => {
    const { aborted, inFlight, tokens } = simulator.stats();
    expect({ aborted: aborted - before.aborted, inFlight }).toEqual({ aborted: 1, inFlight: 0 });
    expect(tokens - before.tokens).toBeLessThan(50);
  });
  // Not only counted: the tokens have stopped too.
  const { tokens } = simulator.stats();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(simulator.stats().tokens).toBe(tokens);
});

describe('generate', () => {
  test('whole and streamed say the same', async () => {
    const whole = await ollama.generate({ model: 'simulator', prompt: 'Hello', system: 'Be brief.' });
    expect(whole.response).toContain('a system prompt of 9 characters');
    expect(whole.context.length).toBeGreaterThan(0);
    let text = '';
    const stream = await ollama.generate({ model: 'simulator', prompt: 'Hello', system: 'Be brief.', stream: true });
    for await (const part of stream) text += part.response;
    expect(text).toBe(whole.response);
  });
});

describe('discovery', () => {
  test('list, show, version', async () => {
    const { models } = await ollama.list();
    expect(models.map((model) => model.name)).toEqual([
      'simulator:latest',
      'simulator-thinking:latest',
      'simulator-slow:latest',
    ]);
    expect(models[0]?.details.family).toBe('simulator');
    const shown = await ollama.show({ model: 'simulator-thinking' });
    expect(shown.capabilities).toEqual(['completion', 'tools', 'vision', 'thinking']);
    expect(shown.license).toContain('no language model runs');
    expect((await ollama.version()).version).toContain('simulator');
  });

  test('ps shows what is loaded until its keep_alive has passed', async () => {
    await ollama.chat({ model: 'simulator-thinking', messages: [], keep_alive: 0 });
    const names = async (): Promise<string[]> => (await ollama.ps()).models.map((model) => model.name);
    expect(await names()).not.toContain('simulator-thinking:latest');
    const loaded = await ollama.chat({ model: 'simulator-thinking', messages: [], keep_alive: '10m' });
    expect(loaded).toMatchObject({ done: true, done_reason: 'load' });
    const [first] = (await ollama.ps()).models;
    expect(first?.name).toBe('simulator-thinking:latest');
    const leftMs = new Date(first?.expires_at ?? 0).getTime() - Date.now();
    expect(leftMs).toBeGreaterThan(590_000);
    expect(leftMs).toBeLessThanOrEqual(600_000);
    await ollama.chat({ model: 'simulator-thinking', messages, keep_alive: 0 });
    await vi.waitFor(async () => expect(await names()).not.toContain('simulator-thinking:latest'));
  });
});
