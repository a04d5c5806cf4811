/** Ollama's own shapes: `/api/chat` and `/api/generate`, one JSON object per line. */
import type { Answer, Chunk } from './answer.ts';
import { joined } from './dialect.ts';
import type { Dialect, Totals } from './dialect.ts';
import { nativeError } from './errors.ts';
import { encodeJson, encodeToken, omitEmpty } from './json.ts';
import type { JsonObject } from './json.ts';

const NDJSON = 'application/x-ndjson';
const MAX_CONTEXT_IDS = 32;

function metrics(totals: Totals): JsonObject {
  return omitEmpty({
    total_duration: totals.totalNs,
    load_duration: totals.loadNs,
    prompt_eval_count: totals.promptTokens,
    prompt_eval_duration: totals.promptNs,
    eval_count: totals.tokens,
    eval_duration: totals.answerNs,
  });
}

function toolCalls(chunks: readonly Chunk[]): readonly JsonObject[] {
  return chunks
    .flatMap((chunk) => chunk.toolCall ?? [])
    .map((call, index) => ({
      id: `call_sim${String(index).padStart(5, '0')}`,
      function: { index, name: call.name, arguments: call.arguments },
    }));
}

/** What both endpoints say in the same way. */
const common = {
  streamType: NDJSON,
  error: (message: string) => `${encodeJson({ error: message })}\n`,
  errorEvent: (message: string) => `${encodeJson({ error: message })}\n`,
  garbage: () => '{"model":"simulator","message":{"role":\n',
  blank: () => '\n',
  errorBody: (status: number, message: string) => (message === '' ? '' : encodeJson(nativeError(status, message))),
};

function message(chunks: readonly Chunk[]): JsonObject {
  const thinking = joined(chunks, 'thinking');
  const calls = toolCalls(chunks);
  return {
    role: 'assistant',
    content: joined(chunks, 'content'),
    ...omitEmpty({ thinking, tool_calls: calls }),
  };
}

export function chatDialect(model: string): Dialect {
  const head = `{"model":${encodeJson(model)},"created_at":"`;
  const open = '","message":{"role":"assistant","content":';
  const close = '},"done":false}\n';
  function last(said: JsonObject, totals: Totals, at: string): string {
    const end = { done: true, done_reason: totals.reason, ...metrics(totals) };
    return encodeJson({ model, created_at: at, message: said, ...end });
  }
  return {
    ...common,
    chunk(chunk, _isFirst, at) {
      const start = head + at + open;
      if (chunk.channel === 'content') return start + encodeToken(chunk.text) + close;
      if (chunk.channel === 'thinking') {
        return `${start}"","thinking":${encodeToken(chunk.text)}${close}`;
      }
      return `${start}"","tool_calls":${encodeJson(toolCalls([chunk]))}${close}`;
    },
    done: (totals, at) => `${last({ role: 'assistant', content: '' }, totals, at)}\n`,
    whole: (answer, totals, at) => last(message(answer.chunks), totals, at),
  };
}

export function generateDialect(model: string): Dialect {
  const head = `{"model":${encodeJson(model)},"created_at":"`;
  const close = ',"done":false}\n';
  function last(said: JsonObject, totals: Totals, at: string): string {
    // Opaque to clients: they hand it back, and the simulator has no use for it.
    const ids = Math.min(totals.tokens, MAX_CONTEXT_IDS);
    const context = Array.from({ length: ids }, (_, index) => index + 1);
    const end = { done: true, done_reason: totals.reason, ...omitEmpty({ context }) };
    return encodeJson({ model, created_at: at, ...said, ...end, ...metrics(totals) });
  }
  function said(chunks: readonly Chunk[]): JsonObject {
    const thinking = joined(chunks, 'thinking');
    return { response: joined(chunks, 'content'), ...omitEmpty({ thinking }) };
  }
  return {
    ...common,
    chunk(chunk, _isFirst, at) {
      const start = `${head}${at}","response":`;
      if (chunk.channel === 'content') return start + encodeToken(chunk.text) + close;
      return `${start}"","thinking":${encodeToken(chunk.text)}${close}`;
    },
    done: (totals, at) => `${last({ response: '' }, totals, at)}\n`,
    whole: (answer: Answer, totals, at) => last(said(answer.chunks), totals, at),
  };
}

/** The answer to a request that only loads or unloads the model. */
export function loadedBody(
  endpoint: 'chat' | 'generate',
  model: string,
  reason: 'load' | 'unload',
  at: string,
): string {
  const empty = endpoint === 'chat' ? { message: { role: 'assistant', content: '' } } : { response: '' };
  return encodeJson({ model, created_at: at, ...empty, done: true, done_reason: reason });
}
