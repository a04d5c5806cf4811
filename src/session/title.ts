/** Longest title made from a message, in UTF-16 code units; a person may give a longer one. */
const MADE_TITLE_LENGTH = 60;

/** A first title for a session: the beginning of its first message, cut between words where it can be. */
export function titleFrom(text: string): string {
  const line = text.trim().split('\n', 1)[0]?.replace(/\s+/g, ' ') ?? '';
  if (line.length <= MADE_TITLE_LENGTH) return line;
  // A cut may fall between the halves of a surrogate pair; the half that is left is dropped.
  const cut = line.slice(0, MADE_TITLE_LENGTH).replace(/[\uD800-\uDBFF]$/, '');
  const lastSpace = cut.lastIndexOf(' ');
  return `${lastSpace > MADE_TITLE_LENGTH / 2 ? cut.slice(0, lastSpace) : cut}…`;
}
