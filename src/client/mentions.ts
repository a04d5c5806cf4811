/** `@bot` at the beginning of a message: which bot it names. The server routes by the same rule. */

/** As in a bot's definition. */
const BOT_ID = /^[a-z0-9][a-z0-9-]{1,47}$/;
const MENTION = /^@([a-z0-9][a-z0-9-]{1,47})(?=$|[\s,:])/i;
/** What may still become one while it is typed. */
const BEGUN_MENTION = /^@([A-Za-z0-9-]{0,48})$/;

export function isBotId(text: string): boolean {
  return BOT_ID.test(text);
}

/** The id that a message begins with; whether there is such a bot is another question. */
export function mentionedBot(text: string): string | null {
  return MENTION.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** What was typed of a mention up to the cursor: empty after `@` alone, null where none is being typed. */
export function begunMention(beforeCursor: string): string | null {
  return BEGUN_MENTION.exec(beforeCursor)?.[1] ?? null;
}
