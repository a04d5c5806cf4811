/** Longest title made from a message, in characters; a person may give a longer one. */
const MADE_TITLE_LENGTH = 60;

/** A first title for a session: the beginning of its first message, cut between words where it can be. */
export function titleFrom(text: string): string {
  const line = text.trim().split('\n', 1)[0]?.replace(/\s+/g, ' ') ?? '';
  const characters = [...line];
  if (characters.length <= MADE_TITLE_LENGTH) return line;
  const cut = characters.slice(0, MADE_TITLE_LENGTH).join('');
  const lastSpace = cut.lastIndexOf(' ');
  return `${lastSpace > MADE_TITLE_LENGTH / 2 ? cut.slice(0, lastSpace) : cut}…`;
}
