/** `/v1/chat/completions` as Ollama answers it: server-sent events, then `[DONE]`. */
import type { Chunk } from './answer.ts';
import { joined } from './dialect.ts';
import type { Dialect, Totals } from './dialect.ts';
import { openAiError } from './errors.ts';
import { encodeJson, encodeToken, omitEmpty } from './json.ts';
import type { JsonObject } from './json.ts';

const FINGERPRINT = 'fp_simulator';
/** Ollama draws ids from 999 numbers: they repeat, and no client may rely on them. */
const ID_COUNT = 999;

function usage(totals: Totals): JsonObject {
  return {
    prompt_tokens: totals.promptTokens,
    completion_tokens: totals.tokens,
    total_tokens: totals.promptTokens + totals.tokens,
  };
}

function toolCalls(chunks: readonly Chunk[]): readonly JsonObject[] {
  return chunks
    .flatMap((chunk) => chunk.toolCall ?? [])
    .map((call, index) => ({
      id: `call_sim${String(index).padStart(5, '0')}`,
      index,
      type: 'function',
      // On /v1 the arguments are JSON in a string, on /api/chat an object.
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    }));
}

export function openAiDialect(model: string, serial: number, includeUsage: boolean): Dialect {
  const id = `chatcmpl-${serial % ID_COUNT}`;
  const created = Math.floor(Date.now() / 1000);
  const fields = { id, object: 'chat.completion.chunk', created, model };
  const head = encodeJson({ ...fields, system_fingerprint: FINGERPRINT, choices: [] }).slice(0, -2);
  const open = `data: ${head}{"index":0,"delta":{`;
  const close = '},"finish_reason":null}]}\n\n';
  let calledTool = false;

  return {
    streamType: 'text/event-stream',
    chunk(chunk, isFirst) {
      const start = isFirst ? `${open}"role":"assistant","content":` : `${open}"content":`;
      if (chunk.channel === 'content') return start + encodeToken(chunk.text) + close;
      if (chunk.channel === 'thinking') {
        return `${start}"","reasoning":${encodeToken(chunk.text)}${close}`;
      }
      calledTool = true;
      return `${start}"","tool_calls":${encodeJson(toolCalls([chunk]))}${close}`;
    },
    done(totals) {
      const reason = calledTool && totals.reason === 'stop' ? 'tool_calls' : totals.reason;
      const finish = `${open}},"finish_reason":"${reason}"}]}\n\n`;
      const counted = `data: ${head}],"usage":${encodeJson(usage(totals))}}\n\n`;
      return `${finish}${includeUsage ? counted : ''}data: [DONE]\n\n`;
    },
    // Ollama reads its own error line as a chat chunk without fields, writes what is left
    // of it, and stops without [DONE].
    error() {
      const choices = [{ index: 0, delta: { content: '' }, finish_reason: null }];
      const rest = { ...fields, model: '', system_fingerprint: FINGERPRINT, choices };
      return `data: ${encodeJson(rest)}\n\n`;
    },
    errorEvent: (message) => `data: ${encodeJson(openAiError(500, message))}\n\n`,
    garbage: () => 'data: {"id":"chatcmpl-1","object":\n\n',
    blank: () => ': keep-alive\n\n',
    whole(answer, totals) {
      const calls = toolCalls(answer.chunks);
      const message = {
        role: 'assistant',
        content: joined(answer.chunks, 'content'),
        ...omitEmpty({ reasoning: joined(answer.chunks, 'thinking'), tool_calls: calls }),
      };
      const reason = calls.length > 0 && totals.reason === 'stop' ? 'tool_calls' : totals.reason;
      return encodeJson({
        ...fields,
        object: 'chat.completion',
        system_fingerprint: FINGERPRINT,
        choices: [{ index: 0, message, finish_reason: reason }],
        usage: usage(totals),
      });
    },
    errorBody: (status, message) => (message === '' ? '' : encodeJson(openAiError(status, message))),
  };
}
