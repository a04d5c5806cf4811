import { afterEach, describe, expect, test, vi } from 'vitest';
import { MAX_REPLY_LENGTH } from '../../src/protocol/limits.ts';
import { MAX_TRIES, answer } from '../../src/responders/answer.ts';
import { ollama } from '../../src/responders/ollama.ts';
import { TurnFailure } from '../../src/responders/port.ts';
import type { AnswerEnd, AnswerStream, Responder } from '../../src/responders/port.ts';
import {
  NEVER,
  PROMPT,
  RAW_HEAD,
  doneLine,
  endpoint,
  rawChunk,
  readAll,
  serveRaw,
  settingsFor,
  token,
  withDeadlines,
} from './support.ts';

const END: AnswerEnd = { finish: 'stop', model: 'm', promptTokens: 7, answerTokens: 3, modelMs: null, writingMs: null };
const responders = { ollama: ollama() };

/** A responder that gives these pieces, or what the script says at each open(). */
function scripted(script: (opens: number) => AnswerStream): Responder & { opens: number } {
  const responder = {
    opens: 0,
    open: async () => script(++responder.opens),
    reach: async () => undefined,
  };
  return responder;
}

async function* piecesOf(texts: readonly string[], end: AnswerEnd | TurnFailure = END): AnswerStream {
  for (const text of texts) yield { text, thinking: '' };
  if (end instanceof TurnFailure) throw end;
  return end;
}

const busy = () => piecesOf([], new TurnFailure('endpoint_busy', 'busy', true));

afterEach(() => void vi.restoreAllMocks());

describe('trying again', () => {
  const sleeps: number[] = [];
  const sleep = async (ms: number): Promise<void> => void sleeps.push(ms);
  const run = (responder: Responder, random = () => 0.5) => {
    sleeps.length = 0;
    const settings = settingsFor('ollama');
    return readAll(answer(settings, PROMPT, { responders: { ollama: responder }, signal: NEVER, sleep, random }));
  };

  test('happens for a retryable failure, after pauses that double', async () => {
    const responder = scripted((opens) => (opens < 3 ? busy() : piecesOf(['a'])));
    expect(await run(responder)).toMatchObject({ text: 'a', error: null });
    expect(sleeps).toEqual([250, 500]);
  });

  test('the pauses are spread by half either way', async () => {
    await run(scripted(busy), () => 0);
    expect(sleeps).toEqual([125, 250]);
    await run(scripted(busy), () => 1);
    expect(sleeps).toEqual([375, 750]);
  });

  test(`ends after ${MAX_TRIES} tries with the last failure`, async () => {
    const responder = scripted(busy);
    expect(await run(responder)).toMatchObject({ error: { code: 'endpoint_busy' } });
    expect(responder.opens).toBe(MAX_TRIES);
  });

  test('never happens for another failure', async () => {
    const responder = scripted(() => piecesOf([], new TurnFailure('endpoint_error', 'no')));
    expect(await run(responder)).toMatchObject({ error: { code: 'endpoint_error' } });
    expect(responder.opens).toBe(1);
  });

  test('never happens after the first token', async () => {
    const responder = scripted(() => piecesOf(['a'], new TurnFailure('endpoint_busy', 'busy', true)));
    expect(await run(responder)).toMatchObject({ text: 'a', error: { code: 'endpoint_busy' } });
    expect(responder.opens).toBe(1);
  });

  test('is not waited for when the first-token deadline would pass: the failure says more', async () => {
    const settings = withDeadlines('', { firstTokenTimeoutMs: 100 });
    const responder = scripted(busy);
    const { error } = await readAll(
      answer(settings, PROMPT, { responders: { ollama: responder }, signal: NEVER, sleep }),
    );
    expect(error).toMatchObject({ code: 'endpoint_busy' });
    expect(responder.opens).toBe(1);
  });

  test('a reset before the first token and a busy endpoint, over real sockets', async () => {
    let requests = 0;
    const baseUrl = await serveRaw((socket) => {
      requests++;
      if (requests === 1) return void socket.resetAndDestroy();
      if (requests === 2) return void socket.end('HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n');
      socket.write(RAW_HEAD + rawChunk(token('a')) + rawChunk(doneLine()) + '0\r\n\r\n');
    });
    const dependencies = { responders, signal: NEVER, sleep };
    expect(await readAll(answer(withDeadlines(baseUrl), PROMPT, dependencies))).toMatchObject({
      text: 'a',
      error: null,
    });
    expect(requests).toBe(3);
  });
});

describe('a reply longer than the bound', () => {
  const run = (texts: readonly string[], onReturn: () => void = () => undefined) => {
    async function* stream(): AnswerStream {
      try {
        return yield* piecesOf(texts);
      } finally {
        onReturn();
      }
    }
    return readAll(answer(settingsFor('ollama'), PROMPT, { responders: { ollama: scripted(stream) }, signal: NEVER }));
  };

  test('is cut, and ends with finish length', async () => {
    const { text, end } = await run(['x'.repeat(MAX_REPLY_LENGTH - 5), '1234567890', 'never']);
    expect(text.length).toBe(MAX_REPLY_LENGTH);
    expect(text.endsWith('x12345')).toBe(true);
    expect(end).toMatchObject({ finish: 'length' });
  });

  test('is never cut through a character', async () => {
    const { text } = await run(['x'.repeat(MAX_REPLY_LENGTH - 1), '🦜']);
    expect(text.length).toBe(MAX_REPLY_LENGTH - 1);
  });

  test('one of exactly the bound is whole', async () => {
    expect(await run(['x'.repeat(MAX_REPLY_LENGTH)])).toMatchObject({ end: { finish: 'stop' } });
  });

  test('closes the connection', async () => {
    const big = rawChunk(token('x'.repeat(MAX_REPLY_LENGTH + 1)));
    const { baseUrl, closed } = await endpoint((write) => write(RAW_HEAD + big));
    const read = await readAll(answer(withDeadlines(baseUrl), PROMPT, { responders, signal: NEVER }));
    expect(read.end).toMatchObject({ finish: 'length' });
    await closed;
  });
});

describe("the caller's abort throws its reason", () => {
  const reason = new Error('enough');

  test('before the start, without a request', async () => {
    const responder = scripted(() => piecesOf(['a']));
    const signal = AbortSignal.abort(reason);
    const { error } = await readAll(
      answer(settingsFor('ollama'), PROMPT, { responders: { ollama: responder }, signal }),
    );
    expect(error).toBe(reason);
    expect(responder.opens).toBe(0);
  });

  test.each([
    ['while connecting', ''],
    ['while the first token is awaited', RAW_HEAD],
    ['in the middle of the answer', RAW_HEAD + rawChunk(token('a'))],
  ])('%s, and closes the connection', async (_, said) => {
    const controller = new AbortController();
    const { baseUrl, closed } = await endpoint((write) => {
      write(said);
      setTimeout(() => controller.abort(reason), 50);
    });
    const read = await readAll(answer(withDeadlines(baseUrl), PROMPT, { responders, signal: controller.signal }));
    expect(read.error).toBe(reason);
    await closed;
  });

  test('while waiting to try again', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    const dependencies = { responders: { ollama: scripted(busy) }, signal: controller.signal, random: () => 1 };
    const startedAt = performance.now();
    expect((await readAll(answer(settingsFor('ollama'), PROMPT, dependencies))).error).toBe(reason);
    expect(performance.now() - startedAt).toBeLessThan(200);
  });

  test('in a pause of the reader, and closes the connection', async () => {
    const controller = new AbortController();
    const { baseUrl, closed } = await endpoint((write) => write(RAW_HEAD + rawChunk(token('a'))));
    const stream = answer(withDeadlines(baseUrl), PROMPT, { responders, signal: controller.signal });
    await stream.next();
    controller.abort(reason);
    await closed;
    await expect(stream.next()).rejects.toBe(reason);
  });
});

test('return() in a pause closes the connection', async () => {
  const { baseUrl, closed } = await endpoint((write) => write(RAW_HEAD + rawChunk(token('a'))));
  const stream = answer(withDeadlines(baseUrl), PROMPT, { responders, signal: NEVER });
  await stream.next();
  await stream.return(END);
  await closed;
});

test('a good answer passes through as it is, an empty one too', async () => {
  const run = (texts: readonly string[]) =>
    readAll(
      answer(settingsFor('ollama'), PROMPT, { responders: { ollama: scripted(() => piecesOf(texts)) }, signal: NEVER }),
    );
  expect(await run(['a', 'b'])).toMatchObject({ text: 'ab', chunks: 2, end: END, error: null });
  expect(await run([])).toMatchObject({ text: '', end: END, error: null });
});

test('a kind of bot without a responder is bot_unavailable', async () => {
  const { error } = await readAll(answer(settingsFor('workers-ai'), PROMPT, { responders, signal: NEVER }));
  expect(error).toMatchObject({ code: 'bot_unavailable' });
});

test('a fault in a responder is not dressed up as a failure of the endpoint', async () => {
  const fault = new RangeError('bug');
  const responder = scripted(() => {
    throw fault;
  });
  const dependencies = { responders: { ollama: responder }, signal: NEVER };
  expect((await readAll(answer(settingsFor('ollama'), PROMPT, dependencies))).error).toBe(fault);
});

test('an answer of a thousand pieces takes a few timers, not one each, and leaves none behind', async () => {
  vi.useFakeTimers();
  try {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const texts = Array.from({ length: 1_000 }, () => 'a');
    const dependencies = { responders: { ollama: scripted(() => piecesOf(texts)) }, signal: NEVER };
    expect(await readAll(answer(settingsFor('ollama'), PROMPT, dependencies))).toMatchObject({
      chunks: 1_000,
      error: null,
    });
    expect(timers.mock.calls.length).toBeLessThan(5);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
