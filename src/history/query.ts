/**
 * What a person types into the search box, as phrases that must all be found. There is no query
 * language to get wrong: quotes make a phrase, everything else that is not a term separates.
 */
import { termsOf, userKey } from './terms.ts';

/** Consecutive terms; with `prefix` the last one may go on (the word that is still being typed). */
export interface Phrase {
  terms: string[];
  prefix: boolean;
}

/** What is read of a query; the rest is not looked for. UTF-16 code units. */
const MAX_QUERY_LENGTH = 500;
const MAX_QUERY_TERMS = 32;

const FANCY_QUOTES = /[“”„‟«»]/g;
const CHUNK = /"([^"]*)("?)|[^\s"]+/g;

/** The phrases of a query; none when there is nothing in it to search for. */
export function parseQuery(query: string): Phrase[] {
  const phrases: Phrase[] = [];
  let room = MAX_QUERY_TERMS;
  for (const match of query.slice(0, MAX_QUERY_LENGTH).replace(FANCY_QUOTES, '"').matchAll(CHUNK)) {
    // A chunk of several terms ("foo.bar", a run of ideographs) is a phrase like one in quotes.
    const terms = [...termsOf(match[1] ?? match[0])].slice(0, room).map(({ term }) => term);
    room -= terms.length;
    if (terms.length > 0) phrases.push({ terms, prefix: match[2] !== '"' });
  }
  // Only the last word may still be being typed, and not if its quote is closed.
  return phrases.map((phrase, i) => ({ ...phrase, prefix: phrase.prefix && i === phrases.length - 1 }));
}

/**
 * The phrases as an FTS5 expression over one user's terms. Terms are letters, digits and marks
 * only, and each is quoted behind its user's key: no text can be an operator, a column or
 * another user's term.
 */
export function matchExpression(user: string, phrases: readonly Phrase[]): string {
  const key = userKey(user);
  return phrases
    .map(({ terms, prefix }) => `"${terms.map((term) => key + term).join(' ')}"${prefix ? ' *' : ''}`)
    .join(' AND ');
}
