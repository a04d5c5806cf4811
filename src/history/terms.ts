/**
 * How text becomes search terms. Index, queries and the marks in excerpts all use this one
 * function, so they cannot disagree; SQLite only splits at the spaces that are put here.
 *
 * - case, accents and compatibility forms are folded away: "Café" and "ＣＡＦＥ" are `cafe`
 * - scripts written without spaces (Chinese, Japanese, Korean, Thai, ...) give one term per
 *   character; a run of them is searched as a phrase, which finds it anywhere in a sentence
 * - each term in the index starts with a key of its user: a search walks only its own user's
 *   part of the index, however large the whole is, and a query cannot name another's terms
 *
 * A change of these rules needs the index to be built anew: a row is taken out of the index by
 * naming the same terms that were put in.
 */

/** Longer words (base64, hashes) are known by their beginning. UTF-16 code units. */
const MAX_TERM_LENGTH = 64;

/**
 * Terms kept of one message, in UTF-16 code units: some 38,000 words or 58,000 ideographs. Keeps
 * the largest answer's terms well below what D1 takes as one value (2 MB).
 */
export const MAX_TERMS_LENGTH = 512 * 1024;

const WORD = String.raw`[\p{L}\p{N}\p{M}\p{Co}]`;
const SPACELESS = ['Han', 'Hiragana', 'Katakana', 'Bopomofo', 'Hangul', 'Thai', 'Lao', 'Khmer', 'Myanmar']
  .map((script) => String.raw`\p{scx=${script}}`)
  .join('');
/**
 * A character of a script without spaces, with the marks on it (half-width kana have theirs as
 * letters); or a word of any other script.
 */
const PIECE = new RegExp(
  String.raw`[[\p{L}\p{N}]&&[${SPACELESS}]][\p{M}\uff9e\uff9f]*|[${WORD}--[${SPACELESS}]]+`,
  'gv',
);

/** Accents, and the points that Hebrew, Arabic and Slavonic writers usually leave out. */
const ACCENTS = /[[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u0670]&&\p{M}]|\u0640/gv;

/** Letters that people write without the mark, but that Unicode does not take apart. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ı: 'i',
  ς: 'σ',
};
const NOT_PLAIN = /[ßæœøłđıς]/g;
// oxlint-disable-next-line no-control-regex -- the range is ASCII as such
const ASCII = /^[\x00-\x7f]*$/;

/** A term and where in the text it comes from, in UTF-16 code units; `end` is after it. */
export interface Term {
  term: string;
  start: number;
  end: number;
}

/** The terms of a text, in order, made one by one: whoever needs only the first pays for no more. */
export function* termsOf(text: string): Generator<Term> {
  for (const match of text.matchAll(PIECE)) {
    const [piece] = match;
    const start = match.index;
    const end = start + piece.length;
    if (ASCII.test(piece)) {
      yield { term: cut(piece.toLowerCase()), start, end };
      continue;
    }
    // Folding may bring apart what was one sign: "½" is 1 and 2, "㌔" is two kana.
    for (const [part] of fold(piece).matchAll(PIECE)) yield { term: cut(part), start, end };
  }
}

/** What the index holds for a text: keyed terms with spaces between; empty when nothing can be found by. */
export function indexedTerms(user: string, text: string): string {
  const key = userKey(user);
  const terms: string[] = [];
  let length = 0;
  for (const { term } of termsOf(text)) {
    length += key.length + term.length + 1;
    if (length > MAX_TERMS_LENGTH) break;
    terms.push(key + term);
  }
  return terms.join(' ');
}

/**
 * Seven letters and digits for a user: FNV-1a, 32 bits. Two users with the same key only share a
 * part of the index; whose a message is, is always asked of its session as well.
 */
export function userKey(user: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < user.length; i++) {
    hash = Math.imul(hash ^ user.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(36).padStart(7, '0');
}

function fold(piece: string): string {
  const bare = piece.normalize('NFKD').replace(ACCENTS, '').toLowerCase();
  return bare.replace(NOT_PLAIN, (letter) => PLAIN[letter] ?? letter).normalize('NFC');
}

function cut(term: string): string {
  if (term.length <= MAX_TERM_LENGTH) return term;
  const head = term.slice(0, MAX_TERM_LENGTH);
  return head.isWellFormed() ? head : head.slice(0, -1);
}
