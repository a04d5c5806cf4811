/**
 * What of a conversation is sent to the model. An endpoint that gets more than its context
 * cuts silently, and the system prompt is what it cuts first; so the cutting is done here.
 */
import type { PromptMessage } from './port.ts';

/** ASCII characters to a token, about right for English and for code. */
const ASCII_CHARS_PER_TOKEN = 4;
/** What role and separators of a message cost in the common chat templates. */
const MESSAGE_OVERHEAD_TOKENS = 5;

/** A turn that ended; `bot` is '' where no text came of it. Its texts do not change. */
export interface PromptTurn {
  user: string;
  bot: string;
  /** What it takes of a prompt, noted when it was first counted: who keeps turns has them counted once, not for every prompt. */
  tokens?: number;
}

export interface PromptParts {
  /** The bot's instructions; '' for none. */
  system: string;
  /** Earlier turns, newest first. Read no further than there is room for. */
  history: Iterable<PromptTurn>;
  /** The newest message, the one to be answered. */
  user: string;
  /** The model's context (`num_ctx`), in tokens. */
  contextTokens: number;
  /** The part of it kept free for the answer. */
  answerTokens: number;
}

/**
 * System prompt and newest message, always, and between them as many of the newest whole turns as
 * the budget holds. There is no gap: an older turn never stands in for a newer one that was too
 * long. Costs what is kept, however long the history. Notes on the turns of `history` what they take.
 */
export function buildPrompt({ system, history, user, contextTokens, answerTokens }: PromptParts): PromptMessage[] {
  const instructions = system === '' ? 0 : estimateTokens(system);
  let room = contextTokens - answerTokens - instructions - estimateTokens(user);
  const newestFirst: PromptMessage[] = [{ role: 'user', text: user }];
  for (const turn of history) {
    // A text that cannot fit is not counted to its end.
    if ((turn.user.length + turn.bot.length) / ASCII_CHARS_PER_TOKEN > room) break;
    turn.tokens ??= tokensOf(turn);
    room -= turn.tokens;
    if (room < 0) break;
    if (turn.bot !== '') newestFirst.push({ role: 'assistant', text: turn.bot });
    newestFirst.push({ role: 'user', text: turn.user });
  }
  if (system !== '') newestFirst.push({ role: 'system', text: system });
  return newestFirst.toReversed();
}

function tokensOf({ user, bot }: PromptTurn): number {
  return estimateTokens(user) + (bot === '' ? 0 : estimateTokens(bot));
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
