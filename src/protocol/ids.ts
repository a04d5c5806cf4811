/** What ids look like. Whoever looks for one in something longer builds on the texts, so that no floor has a rule of its own. */

/** A bot's, in paths, in configuration and in what people type. */
export const BOT_ID = '[a-z0-9][a-z0-9-]{1,47}';
export const BOT_ID_PATTERN = new RegExp(`^${BOT_ID}$`);

/** A session's; the group is its 128 random bits in hex. */
export const SESSION_ID = 's_([0-9a-f]{32})';
export const SESSION_ID_PATTERN = new RegExp(`^${SESSION_ID}$`);
