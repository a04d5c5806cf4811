import fc from 'fast-check';
import { Lexer } from 'marked';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { NO_BLOCKS, parseBlocks, type Blocks } from '../../src/web/markdown/incremental.ts';
import { blockTree } from '../../src/web/markdown/tree.ts';

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

describe('nesting without end', () => {
  const DEEP = {
    '> ': '> '.repeat(3_000),
    '>': '>'.repeat(30_000),
    '- ': '- '.repeat(5_000),
    '- and a word': `${'- '.repeat(5_000)}word`,
    '1. ': '1. '.repeat(5_000),
    '> - ': '> - '.repeat(3_000),
    '+ tabs': `${'+\t'.repeat(5_000)}word`,
    '- [ ] ': `${'- [ ] '.repeat(5_000)}word`,
  };
  /** Far above what it takes (a few), far below what the lexer takes before it fails. */
  const MAX_WHOLE_MS = 250;
  /** Unbounded it takes half a minute. */
  const MAX_NEST_MS = 2_000;
  const raw = (blocks: Blocks) => blocks.tokens.map((token) => token.raw).join('');

  test.each(Object.entries(DEEP))('a line of %j is kept as text, whole and streamed', (_name, text) => {
    const began = performance.now();
    const whole = parseBlocks(NO_BLOCKS, text, true);
    expect(performance.now() - began).toBeLessThan(MAX_WHOLE_MS);
    expect(raw(whole)).toBe(text);
    const streamed = grow(text, [97]);
    expect(raw(streamed)).toBe(text);
    expect(parseBlocks(streamed, text, true).tokens).toEqual(whole.tokens);
    expect(() => whole.tokens.flatMap(blockTree)).not.toThrow();
  });

  test('what stands around it is Markdown as ever, and settles', () => {
    const deep = `${'> '.repeat(3_000)}&gt;\nmore\n\n`;
    const text = `# Title\n\n${deep}**bold** [here][1]\n\n${deep}- item\n\n[1]: https://example.com\n`;
    const streamed = grow(text, [97]);
    expect(raw(streamed)).toBe(text);
    expect(streamed.frozenEnd).toBeGreaterThan(deep.length * 2);
    const types = parseBlocks(streamed, text, true).tokens.filter(({ type }) => type !== 'space');
    expect(types.map(({ type }) => type)).toEqual(['heading', 'paragraph', 'paragraph', 'paragraph', 'list', 'def']);
    expect(types[1] && blockTree(types[1])).toEqual([{ tag: 'p', children: [deep] }]);
  });

  test('in a fence it is code, and a long rule is a rule', () => {
    const code = `\`\`\`\n${'>'.repeat(200)}\n\n${'+ '.repeat(200)}\n\`\`\`\n\nEnd.`;
    expect(parseBlocks(NO_BLOCKS, code, true).tokens).toEqual([...whole(code)]);
    expect(grow(code, [7]).tokens.at(-1)?.raw).toBe('End.');
    expect(shape(parseBlocks(NO_BLOCKS, '- '.repeat(200), true).tokens)[0]?.[0]).toBe('hr');
  });

  test('nesting over many lines ends too', () => {
    const text = Array.from({ length: 1_000 }, (_, depth) => `${'  '.repeat(depth)}- a\n`).join('');
    const began = performance.now();
    expect(raw(parseBlocks(NO_BLOCKS, text, true))).toBe(text);
    expect(performance.now() - began).toBeLessThan(MAX_NEST_MS);
  });

  test('whatever else the lexer fails on is kept as text', () => {
    const failing = vi.spyOn(Lexer.prototype, 'lex').mockImplementation(() => {
      throw new RangeError('Maximum call stack size exceeded');
    });
    onTestFinished(() => failing.mockRestore());
    expect(raw(grow('One.\n\nTwo.', [5]))).toBe('One.\n\nTwo.');
    expect(raw(parseBlocks(NO_BLOCKS, 'One.\n\nTwo.', true))).toBe('One.\n\nTwo.');
  });
});
