import { describe, expect, test } from 'vitest';
import { listModels, probe } from '../../src/responders/discovery.ts';
import { ollama } from '../../src/responders/ollama.ts';
import { NEVER, failureOf, fetchOf, serve, serveRaw, settingsFor } from './support.ts';

const json = 'application/json';
const ollamaAt = (baseUrl: string) => ({ kind: 'ollama', baseUrl, apiKey: null }) as const;
const openaiAt = (baseUrl: string) => ({ kind: 'openai', baseUrl, apiKey: 'k' }) as const;

describe('listModels', () => {
  test('from /api/tags, with capabilities where they are said', async () => {
    const models = [
      { name: 'a:latest', model: 'a:latest', capabilities: ['completion', 'thinking', 1] },
      { name: 'b' },
      { name: '' },
      'c',
      { name: 'x'.repeat(1_000) },
    ];
    const { fetcher, calls } = fetchOf([JSON.stringify({ models })], json);
    expect(await listModels(ollamaAt('http://e'), NEVER, fetcher)).toEqual([
      { model: 'a:latest', capabilities: ['completion', 'thinking'] },
      { model: 'b', capabilities: [] },
    ]);
    expect(calls[0]).toMatchObject({ url: 'http://e/api/tags', init: { method: 'GET', redirect: 'manual' } });
  });

  test('from /v1/models, with the key', async () => {
    const { fetcher, calls } = fetchOf([JSON.stringify({ object: 'list', data: [{ id: 'a' }] })], json);
    expect(await listModels(openaiAt('http://e'), NEVER, fetcher)).toEqual([{ model: 'a', capabilities: [] }]);
    expect(calls[0]).toMatchObject({ url: 'http://e/v1/models', init: { headers: { authorization: 'Bearer k' } } });
  });

  test.each([
    ['an empty list', '{"models":[]}'],
    ['an empty list said as null', '{"models":null}'],
  ])('%s', async (_, body) => {
    expect(await listModels(ollamaAt('http://e'), NEVER, fetchOf([body], json).fetcher)).toEqual([]);
  });

  test.each([
    ['HTML', '<html>', 'text/html', 200, 'endpoint_not_json'],
    ['another shape', '{"models":{}}', json, 200, 'endpoint_not_json'],
    ['a redirect', '', json, 302, 'endpoint_redirected'],
    ['no access', '{}', json, 401, 'endpoint_unauthorized'],
    ['a busy endpoint', '{}', json, 503, 'endpoint_busy'],
    ['a list without end', JSON.stringify({ models: ['x'.repeat(2_000_000)] }), json, 200, 'endpoint_error'],
  ])('%s is a typed failure', async (_, body, type, status, code) => {
    const { fetcher } = fetchOf(body === '' ? [] : [body], type, status);
    expect(await failureOf(listModels(ollamaAt('http://e'), NEVER, fetcher))).toMatchObject({ code });
  });

  test('nobody there is endpoint_unreachable; an endpoint that hangs is left when the signal says so', async () => {
    expect(await failureOf(listModels(ollamaAt('http://127.0.0.1:1'), NEVER))).toMatchObject({
      code: 'endpoint_unreachable',
    });
    const hanging = await serveRaw(() => undefined);
    await expect(listModels(ollamaAt(hanging), AbortSignal.timeout(50))).rejects.toThrow(/timeout/i);
    const half = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': json }).write('{"models":[');
    });
    await expect(listModels(ollamaAt(half), AbortSignal.timeout(50))).rejects.toThrow(/timeout/i);
  });
});

describe('probe', () => {
  test("gives Ollama's version", async () => {
    const { fetcher, calls } = fetchOf(['{"version":"0.12.0"}'], json);
    expect(await probe(ollamaAt('http://e'), NEVER, fetcher)).toBe('0.12.0');
    expect(calls[0]?.url).toBe('http://e/api/version');
  });

  test('another server in the place of Ollama is not healthy', async () => {
    const { fetcher } = fetchOf(['<html>'], 'text/html');
    expect(await failureOf(probe(ollamaAt('http://e'), NEVER, fetcher))).toMatchObject({ code: 'endpoint_not_json' });
  });

  test.each([404, 405, 501])('an OpenAI-compatible endpoint need not list its models (%i)', async (status) => {
    expect(await probe(openaiAt('http://e'), NEVER, fetchOf(['{}'], json, status).fetcher)).toBeNull();
  });

  test.each([401, 500, 503])('one that refuses or fails is not healthy (%i)', async (status) => {
    await expect(probe(openaiAt('http://e'), NEVER, fetchOf(['{}'], json, status).fetcher)).rejects.toThrow(
      `${status}`,
    );
  });

  test('an OpenAI-compatible endpoint has no version to give', async () => {
    expect(await probe(openaiAt('http://e'), NEVER, fetchOf(['{}'], json).fetcher)).toBeNull();
  });
});

test('reach() is content with any answer at all', async () => {
  const { fetcher } = fetchOf(['nope'], 'text/plain', 404);
  await ollama(fetcher).reach(settingsFor('ollama'), NEVER);
  const baseUrl = 'http://127.0.0.1:1';
  expect(await failureOf(ollama().reach(settingsFor('ollama', { baseUrl }), NEVER))).toMatchObject({
    code: 'endpoint_unreachable',
  });
});
