/** `@bot` while it is typed; what comes of it is for `protocol/mention.ts` to say. */

/** What may still become the id of a bot. */
const BEGUN_MENTION = /^@([A-Za-z0-9-]{0,48})$/;

/** What was typed of a mention up to the cursor: empty after `@` alone, null where none is being typed. */
export function begunMention(beforeCursor: string): string | null {
  return BEGUN_MENTION.exec(beforeCursor)?.[1] ?? null;
}
