import { afterEach, expect, test, vi } from 'vitest';
import { parseConfig, type Bindings } from '../../src/env.ts';
import { answerQuestion } from '../../src/objects/answer-question.ts';

const variables = { OLLAMA_BASE_URL: 'http://model.test', DEFAULT_MODEL: 'm', SESSION_SECRET: 's'.repeat(40) };
const question = { bot: { id: 'default', name: 'Assistant', model: 'm' }, spec: null, text: 'hello', history: [] };

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Answers like an Ollama, and notes what it was asked. */
function model() {
  const asked: { url: string; redirect: unknown }[] = [];
  const respond = (url: string, init: RequestInit): Promise<Response> => {
    asked.push({ url, redirect: init.redirect });
    const line = JSON.stringify({ message: { content: 'hi' }, done: true });
    return Promise.resolve(new Response(line, { headers: { 'content-type': 'application/x-ndjson' } }));
  };
  return { asked, respond };
}

/** The text of an answer with this binding, or without it. */
async function textOf(egress?: { fetch: unknown }): Promise<string> {
  // Of the bindings an answer needs these alone.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const env = { ...variables, ...(egress ? { EGRESS: egress } : {}) } as unknown as Bindings;
  let text = '';
  for await (const chunk of answerQuestion(parseConfig(env), env, question, new AbortController().signal)) {
    text += chunk.text;
  }
  return text;
}

test('models are asked by the shorter way where the local start has opened one', async () => {
  const [egress, own] = [model(), model()];
  vi.stubGlobal('fetch', own.respond);
  expect(await textOf({ fetch: egress.respond })).toBe('hi');
  expect(egress.asked).toEqual([{ url: 'http://model.test/api/chat', redirect: 'manual' }]);
  expect(own.asked).toEqual([]);
});

test('and by the Worker’s own fetch anywhere else', async () => {
  const own = model();
  vi.stubGlobal('fetch', own.respond);
  expect(await textOf()).toBe('hi');
  expect(own.asked).toEqual([{ url: 'http://model.test/api/chat', redirect: 'manual' }]);
});
