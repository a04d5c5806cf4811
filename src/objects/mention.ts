/** `@bot` at the beginning of a message: another bot answers this turn. */

const MENTION = /^@([a-z0-9][a-z0-9-]{1,47})(?=$|[\s,:])[\s,:]*/i;

/** The bot that `text` begins by naming, and the rest; null where it names none. */
export function mentionIn(text: string): { bot: string; rest: string } | null {
  const [whole, bot] = MENTION.exec(text) ?? [];
  if (whole === undefined || bot === undefined) return null;
  return { bot: bot.toLowerCase(), rest: text.slice(whole.length) };
}
