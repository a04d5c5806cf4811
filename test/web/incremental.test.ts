import fc from 'fast-check';
import { Lexer } from 'marked';
import { describe, expect, test } from 'vitest';
import { NO_BLOCKS, parseBlocks, type Blocks } from '../../src/web/markdown/incremental.ts';

/** What models write. */
const PROSE = [
  '# Title\n',
  'Setext\n===\n\n',
  'plain words ',
  '**bold** and *so* ',
  '\n\n',
  'line\n',
  '- item\n',
  '* other\n',
  '  nested\n',
  '1. one\n',
  '2) two\n',
  '```ts\nconst a = 1;\n```\n',
  '\n```\n',
  '> quote\n',
  '\n| a | b |\n|---|:-:|\n| 1 | 2 |\n',
  '\n---\n',
  '[ref] ',
  'https://a.example/x ',
  '- [ ] task\n',
  '&amp; ',
  '\\*',
  '`code` ',
  '![i](https://a.example/i.png)',
];
/** What nobody should. */
const ODD = [
  '|---|:-:|\n',
  '===\n',
  '<div>\n',
  '</div>\n\n',
  '<!-- note',
  ' -->\n',
  '\r\n',
  '\t',
  '    indented\n',
  '=',
  '-',
  '*',
  '[ref]: https://e.com\n\n',
];

const cutText = (pieces: readonly string[]) =>
  fc.tuple(
    fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join('')),
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
  );

/** Parsed as it would arrive: cut after the given numbers of characters, repeated. */
function grow(text: string, steps: readonly number[]): Blocks {
  let blocks = NO_BLOCKS;
  for (let at = 0, step = 0; at < text.length; at += steps[step++ % steps.length] ?? 1) {
    blocks = parseBlocks(blocks, text.slice(0, at), false);
  }
  return parseBlocks(blocks, text, false);
}

const whole = (text: string) => new Lexer({ gfm: true }).lex(text.replace(/\r\n?/g, '\n'));

const shape = (blocks: readonly { type: string; raw: string }[]) =>
  blocks.filter((token) => token.type !== 'space').map((token) => [token.type, token.raw.trimEnd()]);

describe('markdown that grows', () => {
  test('however it was cut, the blocks so far are those of the text so far', () => {
    fc.assert(
      fc.property(cutText(PROSE), ([text, steps]) => {
        expect(shape(grow(text, steps).tokens)).toEqual(shape(whole(text)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('whatever came, the complete answer is exactly the whole text parsed', () => {
    fc.assert(
      fc.property(cutText([...PROSE, ...ODD]), ([text, steps]) => {
        expect(parseBlocks(grow(text, steps), text, true).tokens).toEqual([...whole(text)]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('finished blocks keep their identity, so that they are not drawn again', () => {
    const first = parseBlocks(NO_BLOCKS, 'One.\n\nTwo.\n\nThr', false);
    const second = parseBlocks(first, 'One.\n\nTwo.\n\nThree.\n\nFour', false);
    const third = parseBlocks(second, 'One.\n\nTwo.\n\nThree.\n\nFour\nis', false);
    expect(second.tokens[0]).toBe(first.tokens[0]);
    expect(third.tokens[2]).toBe(second.tokens[2]);
    expect(third.tokens.at(-1)?.raw).toBe('Four\nis');
  });

  test('only the tail is parsed: what is frozen grows with the answer', () => {
    const paragraph = 'Some words that make a paragraph.\n\n';
    let blocks = NO_BLOCKS;
    for (let count = 1; count <= 200; count += 1) blocks = parseBlocks(blocks, paragraph.repeat(count), false);
    const finished = parseBlocks(blocks, blocks.text, true);
    expect(finished.tokens[0]).toBe(blocks.tokens[0]);
    expect(blocks.text.length - blocks.frozenEnd).toBeLessThanOrEqual(paragraph.length * 2);
  });

  test('a text that is not a continuation (a second attempt) is parsed afresh', () => {
    const first = parseBlocks(NO_BLOCKS, 'One.\n\nTwo.\n\nThree.\n', false);
    expect(shape(parseBlocks(first, 'Other.', false).tokens)).toEqual([['paragraph', 'Other.']]);
    expect(parseBlocks(first, '', false).tokens).toEqual([]);
  });

  test('an item that is still being written is not torn from its list', () => {
    const first = parseBlocks(NO_BLOCKS, '- a\n*', false);
    expect(shape(parseBlocks(first, '- a\n*so* it goes\n', true).tokens)).toEqual([['list', '- a\n*so* it goes']]);
  });

  test('a definition at the end reaches the links before it once the answer is whole', () => {
    const text = 'See [here][1].\n\nMore.\n\n[1]: https://example.com\n';
    const complete = parseBlocks(grow(text, [7]), text, true);
    expect(JSON.stringify(complete.tokens[0])).toContain('"type":"link"');
  });
});
