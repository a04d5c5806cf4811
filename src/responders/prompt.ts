/**
 * What of a conversation is sent to the model. Pure. An endpoint that gets more than its context
 * cuts silently, and the system prompt is what it cuts first; so the cutting is done here.
 */
import type { PromptMessage } from './port.ts';

/** ASCII characters to a token, about right for English and for code. */
const ASCII_CHARS_PER_TOKEN = 4;
/** What role and separators of a message cost in the common chat templates. */
const MESSAGE_OVERHEAD_TOKENS = 5;

export interface PromptParts {
  /** The bot's instructions; '' for none. */
  system: string;
  /** Earlier messages, oldest first; only `user` and `assistant`. */
  history: readonly PromptMessage[];
  /** The newest message, the one to be answered. */
  user: string;
  /** The model's context (`num_ctx`), in tokens. */
  contextTokens: number;
  /** The part of it kept free for the answer. */
  answerTokens: number;
}

/**
 * System prompt and newest message, always, and between them as many of the newest whole turns (a
 * user's message with what answered it) as the budget holds. There is no gap: an older turn never
 * stands in for a newer one that was too long. Costs what is kept, however long the history.
 */
export function buildPrompt({ system, history, user, contextTokens, answerTokens }: PromptParts): PromptMessage[] {
  const newest: PromptMessage = { role: 'user', text: user };
  const head: PromptMessage[] = system === '' ? [] : [{ role: 'system', text: system }];
  const spoken = head.reduce((sum, message) => sum + estimateTokens(message.text), estimateTokens(newest.text));
  let room = contextTokens - answerTokens - spoken;
  let start = history.length;
  for (let index = history.length - 1; index >= 0 && room > 0; index--) {
    const message = history[index];
    if (message === undefined) break;
    // A text that cannot fit is not counted to its end.
    if (message.text.length > room * ASCII_CHARS_PER_TOKEN) break;
    room -= estimateTokens(message.text);
    if (room < 0) break;
    if (message.role === 'user' || index === 0) start = index;
  }
  return [...head, ...history.slice(start), newest];
}

/**
 * About how many tokens a message takes: a token for every 4 ASCII characters and one for every
 * other code point (Chinese and Japanese take about one a character), plus the message's overhead.
 */
export function estimateTokens(text: string): number {
  let ascii = 0;
  let others = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) ascii++;
    // The second half of a surrogate pair belongs to a code point already counted.
    else if (unit < 0xdc00 || unit > 0xdfff) others++;
  }
  return MESSAGE_OVERHEAD_TOKENS + Math.ceil(ascii / ASCII_CHARS_PER_TOKEN) + others;
}
