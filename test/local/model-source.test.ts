import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chooseModel, describeSource, findModelSource } from '../../src/local/model-source.ts';
import { startSimulator } from '../../src/local/simulator/server.ts';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

async function find(baseUrl: string, apiKey: string | null = null) {
  const source = await findModelSource({ baseUrl, apiKey });
  onTestFinished(() => source.stop());
  return source;
}

describe('findModelSource', () => {
  it('takes the Ollama that answers, under its base path, with its key', async () => {
    const asked: unknown[] = [];
    const baseUrl = await serve((request, response) => {
      asked.push(request.url, request.headers.authorization);
      const embedding = { name: 'embed', model: 'embed', capabilities: ['embedding'] };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ models: [embedding, { name: 'qwen3:8b', model: 'qwen3:8b' }] }));
    });
    const source = await find(`${baseUrl}/ollama`, 'sesame');
    expect(asked).toEqual(['/ollama/api/tags', 'Bearer sesame']);
    // A model that only embeds cannot be the default.
    expect(source).toMatchObject({ kind: 'ollama', baseUrl: `${baseUrl}/ollama`, models: ['qwen3:8b'] });
  });

  it.each<[string, RequestListener, RegExp]>([
    ['redirects', (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(), /redirects/],
    ['refuses', (_, response) => response.writeHead(401).end(), /HTTP 401/],
    ['is a web page', (_, response) => response.end('<html>'), /does not answer like a model/],
    ['never answers', () => undefined, /did not answer within 1500 ms/],
  ])('one that %s is none: the simulator, and why', async (_, listener, reason) => {
    const baseUrl = await serve(listener);
    const source = await find(baseUrl);
    expect(source).toMatchObject({ kind: 'simulator', because: expect.stringMatching(reason) });
    expect(source.baseUrl).not.toBe(baseUrl);
    expect(source.models[0]).toBe('simulator:latest');
    const lines = describeSource(source, chooseModel(source, 'llama3.2', false));
    expect(lines).toContain(`No Ollama answered at ${baseUrl}`);
    expect(lines).toContain('no language model runs');
  });
});

describe('chooseModel', () => {
  const ollama = { kind: 'ollama', models: ['qwen3:8b', 'mistral:latest'] } as const;

  it('an untouched default that is not there gives way to the first model, and that is said', () => {
    const choice = chooseModel(ollama, 'llama3.2', false);
    expect(choice).toEqual({ model: 'qwen3:8b', remark: 'the first one it lists, since it has no llama3.2' });
  });

  it.each([
    ['set for this server, though it is the default', 'llama3.2', true],
    ['changed in wrangler.toml', 'gemma3', false],
  ])('a model %s stays, and its lack is said', (_, configured, isChosen) => {
    const remark = `which it does not have yet (ollama pull ${configured})`;
    expect(chooseModel(ollama, configured, isChosen)).toEqual({ model: configured, remark });
  });

  it('takes a name without a tag for the tag latest', () => {
    expect(chooseModel(ollama, 'mistral', true)).toEqual({ model: 'mistral', remark: '' });
    const shipped = { kind: 'ollama', models: ['a', 'llama3.2:latest'] } as const;
    expect(chooseModel(shipped, 'llama3.2', false)).toEqual({ model: 'llama3.2', remark: '' });
  });

  it('stays with the configured one where no model is there at all', () => {
    expect(chooseModel({ kind: 'ollama', models: [] }, 'llama3.2', false).model).toBe('llama3.2');
  });

  it('the simulator has only its own', async () => {
    const simulator = await startSimulator();
    onTestFinished(() => simulator.close());
    const { models } = await find(simulator.url);
    expect(chooseModel({ kind: 'simulator', models }, 'gemma3', true).model).toBe('simulator:latest');
  });
});
