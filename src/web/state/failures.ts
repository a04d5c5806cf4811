/** Failures that are about the bot, not about the answer: what happened, and what one can do. */
import type { TurnErrorCode } from '../../protocol/codes.ts';

type Words = (bot: string, message: string) => string;

const ABOUT_BOT: Partial<Record<TurnErrorCode, Words>> = {
  bot_stopped: (bot) => `${bot} was stopped before the answer was complete. Another try waits until it runs again.`,
  line_full: (bot) => `Too many are waiting for ${bot} just now. Try again in a moment.`,
  line_timeout: (bot) => `The message waited for ${bot} as long as it may, and its turn did not come.`,
  budget_exhausted: (bot) => `${bot} has used all that it may use today. It answers again after midnight (UTC).`,
  bot_unavailable: (bot, message) => `${bot} cannot answer. ${message}`,
};

/** Whether another bot would help. */
export function isAboutBot(code: TurnErrorCode | undefined): boolean {
  return code !== undefined && ABOUT_BOT[code] !== undefined;
}

/** What happened, in a sentence. `message` is the server's own; `bot` the name of who should have answered. */
export function failureSentence(code: TurnErrorCode | undefined, message: string, bot: string): string {
  return (code === undefined ? undefined : ABOUT_BOT[code]?.(bot, message)) ?? message;
}
