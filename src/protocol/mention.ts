/** `@bot` at the beginning of a message: another bot answers this turn. The page reads it by the same rule. */
import { BOT_ID } from './ids.ts';

const MENTION = new RegExp(String.raw`^@(${BOT_ID})(?=$|[\s,:])[\s,:]*`, 'i');

/** The bot that `text` begins by naming, and the rest; null where it names none. Whether there is such a bot is another question. */
export function mentionIn(text: string): { bot: string; rest: string } | null {
  const [whole, bot] = MENTION.exec(text) ?? [];
  if (whole === undefined || bot === undefined) return null;
  return { bot: bot.toLowerCase(), rest: text.slice(whole.length) };
}
