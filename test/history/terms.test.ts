import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { excerptOf } from '../../src/history/excerpt.ts';
import { matchExpression, parseQuery } from '../../src/history/query.ts';
import { indexedTerms, MAX_TERMS_LENGTH, termsOf, userKey } from '../../src/history/terms.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({
    unit: fc.constantFrom('a', 'É', 'ß', ' ', '.', '日', 'が', '한', 'ก', 'ำ', '½', '𝒞', '\ud83d'),
    maxLength: 80,
  }),
);

function words(text: string): string[] {
  return [...termsOf(text)].map(({ term }) => term);
}

describe('terms', () => {
  test.each([
    ['Hello, World_2!', ['hello', 'world', '2']],
    ['Café ＣＡＦＥ cafe\u0301', ['cafe', 'cafe', 'cafe']],
    ['Straße Łódź Ægir', ['strasse', 'lodz', 'aegir']],
    ['東京tower', ['東', '京', 'tower']],
    ['がぎ ｶﾞ', ['が', 'ぎ', 'ガ']],
    ['한국어', ['한', '국', '어']],
    ['हिन्दी शब्द', ['हिन्दी', 'शब्द']],
    ['½', ['1', '2']],
    ['🙂 — … ()', []],
  ])('%s', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  test('are in order, inside the text, and hold nothing that an index or query could misread', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let start = 0;
        for (const term of termsOf(text)) {
          expect(term.start).toBeGreaterThanOrEqual(start);
          expect(term.end).toBeGreaterThan(term.start);
          expect(term.end).toBeLessThanOrEqual(text.length);
          // What SQLite's `ascii` tokenizer takes as one token: no ASCII but small letters and digits.
          // oxlint-disable-next-line no-control-regex -- ASCII as such
          expect(term.term).toMatch(/^[a-z0-9\u0080-\u{10ffff}]+$/u);
          expect(term.term.isWellFormed()).toBe(true);
          start = term.start;
        }
      }),
    );
  });

  test('of a folded text are the same: folding is done once for all', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(words(words(text).join(' '))).toEqual(words(text));
      }),
    );
  });

  test('of the largest answers stay within what D1 takes as one value', () => {
    for (const text of [
      '漢'.repeat(256 * 1024),
      'a '.repeat(128 * 1024),
      'word '.repeat(52_000),
      'x'.repeat(256 * 1024),
    ]) {
      const terms = indexedTerms('ada', text);
      expect(terms.length).toBeLessThanOrEqual(MAX_TERMS_LENGTH);
      expect(new TextEncoder().encode(JSON.stringify(terms)).length).toBeLessThan(1_000_000);
    }
  });
});

describe('queries', () => {
  test.each([
    [
      'foo bar',
      [
        [['foo'], false],
        [['bar'], true],
      ],
    ],
    [
      '"foo bar" baz',
      [
        [['foo', 'bar'], false],
        [['baz'], true],
      ],
    ],
    [
      'baz "foo bar"',
      [
        [['baz'], false],
        [['foo', 'bar'], false],
      ],
    ],
    ['"foo ba', [[['foo', 'ba'], true]]],
    ['a.b.c', [[['a', 'b', 'c'], true]]],
    ['«foo» …', [[['foo'], false]]],
    ['', []],
  ])('%s', (query, expected) => {
    expect(parseQuery(query).map(({ terms, prefix }) => [terms, prefix])).toEqual(expected);
  });

  test('an expression is quoted phrases of one user’s terms, whatever was typed', () => {
    const key = userKey('ada');
    const phrase = `"${key}[^"\\s]+( ${key}[^"\\s]+)*"`;
    const shape = new RegExp(`^(${phrase})( AND ${phrase})*( \\*)?$`);
    fc.assert(
      fc.property(anyText, (query) => {
        const phrases = parseQuery(query);
        if (phrases.length > 0) expect(matchExpression('ada', phrases)).toMatch(shape);
      }),
    );
  });
});

describe('excerpts', () => {
  test('show the match with what is before and after it', () => {
    const text = `${'before '.repeat(30)}needle ${'after '.repeat(60)}`;
    const { text: shown, matches, cutStart, cutEnd } = excerptOf(text, parseQuery('needle'));
    expect([cutStart, cutEnd]).toEqual([true, true]);
    expect(shown).toMatch(/^before .*needle after/);
    expect(matches.map(([start, end]) => shown.slice(start, end))).toEqual(['needle']);
  });

  test('are well-formed parts of the text, with matches in order, for any text and query', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 12 }), anyText, (parts, query) => {
        const text = parts.join(' ').toWellFormed();
        const excerpt = excerptOf(text, parseQuery(query));
        expect(text).toContain(excerpt.text);
        expect(excerpt.text.isWellFormed()).toBe(true);
        expect(excerpt.text.length).toBeLessThanOrEqual(240);
        let last = 0;
        for (const [start, end] of excerpt.matches) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(excerpt.text.length);
      }),
    );
  });

  test('a word longer than any excerpt is marked as far as it is shown', () => {
    const { text, matches } = excerptOf(`x ${'a'.repeat(100_000)}`, parseQuery('aaa'));
    expect(text).toHaveLength(240);
    expect(matches).toEqual([[2, 240]]);
  });
});
