/** From a request and its settings to the chunks of the answer: no clock, no socket. */
import type { GenerationRequest, Message } from './request.ts';
import { valueFor } from './schema-value.ts';
import type { JsonObject } from './json.ts';
import type { Model } from './models.ts';
import type { Settings } from './settings.ts';
import { answerTokens, jsonAnswer, thinkingTokens, tokenize } from './text.ts';
import type { Question } from './text.ts';

/** What one line of the stream carries. */
export interface Chunk {
  readonly channel: 'content' | 'thinking' | 'tool';
  readonly text: string;
  readonly tokens: number;
  readonly toolCall: ToolCall | null;
}

interface ToolCall {
  readonly name: string;
  readonly arguments: JsonObject;
}

export interface Answer {
  readonly chunks: readonly Chunk[];
  readonly tokens: number;
  readonly promptTokens: number;
  readonly reason: 'stop' | 'length';
}

const CHARACTERS_PER_TOKEN = 4;
/** One, two, three and four bytes in UTF-8, and a character of several code points. */
const UTF8_SAMPLE = 'naïve 日本語 🙂 👩‍💻 ';

export function composeAnswer(
  request: GenerationRequest,
  model: Model,
  settings: Settings,
  lastUserText: string,
): Answer {
  const question = ask(request, lastUserText);
  const thinking = thinkingTokens(question, thinkingCount(request, model, settings));
  const tool = settings.toolCall === 1 ? request.tools[0] : undefined;
  const content = tool === undefined ? contentTokens(request, question, settings) : [];
  const wanted = thinking.length + content.length;
  const allowed = Math.min(wanted, request.maxTokens);
  const chunks = [
    ...group(thinking.slice(0, allowed), 'thinking', settings.tokensPerChunk),
    ...group(content.slice(0, Math.max(0, allowed - thinking.length)), 'content', settings.tokensPerChunk),
  ];
  if (tool !== undefined) chunks.push(toolChunk(tool.name, valueFor(tool.parameters)));
  return {
    chunks: withHugeToken(chunks, settings),
    tokens: allowed + (tool === undefined ? 0 : 1),
    promptTokens: countPrompt(request.messages),
    reason: allowed < wanted ? 'length' : 'stop',
  };
}

function ask(request: GenerationRequest, lastUserText: string): Question {
  const system = request.messages.filter((message) => message.role === 'system');
  return {
    model: request.model,
    text: lastUserText,
    systemLength: system.length === 0 ? null : system.reduce((total, message) => total + message.content.length, 0),
    messages: request.messages.length,
    images: request.messages.reduce((total, message) => total + message.images, 0),
  };
}

function thinkingCount(request: GenerationRequest, model: Model, settings: Settings): number {
  if (request.think === false) return 0;
  return settings.thinkingTokens ?? model.settings.thinkingTokens ?? 0;
}

function contentTokens(request: GenerationRequest, question: Question, settings: Settings): string[] {
  if (request.format !== undefined) {
    const { schema } = request.format;
    const value = schema === null ? jsonAnswer(question) : valueFor(schema);
    return tokenize(JSON.stringify(value));
  }
  const sample = settings.faults.some((fault) => fault.name === 'split-utf8') ? tokenize(UTF8_SAMPLE) : [];
  const tokens = [...sample, ...answerTokens(question, settings.tokens)];
  if (settings.tokens !== null) tokens.length = settings.tokens;
  return request.stop.length === 0 ? tokens : stopAt(tokens.join(''), request.stop);
}

function stopAt(text: string, stops: readonly string[]): string[] {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((index) => index >= 0);
  return tokenize(text.slice(0, Math.min(text.length, ...ends)));
}

function group(tokens: readonly string[], channel: 'content' | 'thinking', size: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let index = 0; index < tokens.length; index += size) {
    const part = tokens.slice(index, index + size);
    chunks.push({ channel, text: part.join(''), tokens: part.length, toolCall: null });
  }
  return chunks;
}

function toolChunk(name: string, value: unknown): Chunk {
  const call = { name, arguments: typeof value === 'object' && value !== null ? { ...value } : {} };
  return { channel: 'tool', text: '', tokens: 1, toolCall: call };
}

/** The huge token takes the place of the token at its position. */
function withHugeToken(chunks: Chunk[], settings: Settings): Chunk[] {
  const huge = settings.faults.find((fault) => fault.name === 'huge');
  if (huge === undefined) return chunks;
  const text = 'simulator '.repeat(Math.ceil(huge.bytes / 10)).slice(0, huge.bytes);
  const chunk: Chunk = { channel: 'content', text, tokens: 1, toolCall: null };
  let sent = 0;
  const index = chunks.findIndex((each) => {
    sent += each.tokens;
    return sent > huge.at && each.channel === 'content';
  });
  return index < 0 ? [...chunks, chunk] : chunks.with(index, chunk);
}

function countPrompt(messages: readonly Message[]): number {
  let tokens = 0;
  for (const { content } of messages) tokens += Math.ceil(content.length / CHARACTERS_PER_TOKEN);
  return tokens;
}
