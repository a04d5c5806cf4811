import { Lexer } from 'marked';
import { describe, expect, test } from 'vitest';
import { decodeEntities } from '../../src/web/markdown/entities.ts';
import { safeImage, safeLink } from '../../src/web/markdown/links.ts';
import { blockTree, type MdNode } from '../../src/web/markdown/tree.ts';

const tree = (text: string): MdNode[] => new Lexer({ gfm: true }).lex(text).flatMap(blockTree);

/** Everything a reader would see as text, in order. */
function textOf(nodes: readonly MdNode[]): string {
  return nodes
    .map((node) => {
      if (typeof node === 'string') return node;
      if (node.tag === 'pre' || node.tag === 'code') return node.text;
      if (node.tag === 'image') return node.alt;
      return 'children' in node ? textOf(node.children) : '';
    })
    .join('');
}

function tagsOf(nodes: readonly MdNode[]): string[] {
  return nodes.flatMap((node) =>
    typeof node === 'string' ? [] : [node.tag, ...('children' in node ? tagsOf(node.children) : [])],
  );
}

describe('an answer cannot run or load anything by itself', () => {
  test.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\tscript:alert(1))',
    '[x](&#106;avascript:alert(1))',
    '<javascript:alert(1)>',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:x)',
    '[x](file:///etc/passwd)',
    '[x](/operator)',
    '[x](//evil.example)',
    '[x][r]\n\n[r]: javascript:alert(1)',
  ])('%s is not a link', (text) => {
    expect(tagsOf(tree(text))).not.toContain('a');
  });

  test('raw HTML is shown as it was written', () => {
    const text = '<img src=x onerror=alert(1)> and <b>this</b>';
    expect(textOf(tree(text))).toBe(text);
    expect(textOf(tree('<script>alert(1)</script>\n'))).toBe('<script>alert(1)</script>');
    expect(tagsOf(tree('<iframe src="https://e.example"></iframe>\n\n<b>x</b>'))).toEqual(['p', 'p']);
  });

  test('an image is offered, not loaded; other schemes stay text', () => {
    expect(tree('![a cat](https://e.example/cat.png)')).toEqual([
      { tag: 'p', children: [{ tag: 'image', href: 'https://e.example/cat.png', alt: 'a cat' }] },
    ]);
    expect(tagsOf(tree('![x](data:image/svg+xml,<svg/>)'))).not.toContain('image');
  });
});

describe('what a link keeps', () => {
  test('http, https and mailto with their character references decoded once', () => {
    expect(tree('[x](https://e.example/?a=1&amp;b=2)')).toEqual([
      { tag: 'p', children: [{ tag: 'a', href: 'https://e.example/?a=1&b=2', title: '', children: ['x'] }] },
    ]);
    expect(safeLink('mailto:a@e.example')).toBe('mailto:a@e.example');
    expect(safeLink('https://e.example')).toBe('https://e.example/');
    expect(safeLink('')).toBeNull();
    expect(safeImage('mailto:a@e.example')).toBeNull();
  });

  test('a bare address is a link with its own text', () => {
    expect(tree('https://e.example/?a&copy=1')).toEqual([
      {
        tag: 'p',
        children: [
          { tag: 'a', href: 'https://e.example/?a&copy=1', title: '', children: ['https://e.example/?a&copy=1'] },
        ],
      },
    ]);
  });
});

describe('text is what the reader was meant to see', () => {
  test('character references are decoded in prose and left alone in code', () => {
    expect(textOf(tree('a &lt;b&gt; &amp; &#8212; `&lt;`'))).toBe('a <b> & — &lt;');
    expect(decodeEntities('&unknown; &#0; &#xD800; &#x110000; &constructor;')).toBe(
      '&unknown; \ufffd \ufffd \ufffd &constructor;',
    );
  });

  test('fences give their language and their text untouched', () => {
    expect(tree('```ts title="x"\nlet a = "<b>";\n```')).toEqual([
      { tag: 'pre', language: 'ts', text: 'let a = "<b>";' },
    ]);
    expect(tree('```\nstill being written')).toEqual([{ tag: 'pre', language: '', text: 'still being written' }]);
  });

  test('lists, tasks and tables keep their structure', () => {
    expect(tree('3. a\n4. b')).toMatchObject([{ tag: 'ol', start: 3, children: [{ tag: 'li' }, { tag: 'li' }] }]);
    expect(tagsOf(tree('- [x] done\n- [ ] open'))).toEqual(['ul', 'li', 'checkbox', 'li', 'checkbox']);
    expect(tree('| a |\n|--:|\n| 1 |')).toMatchObject([
      { tag: 'table', children: [{ tag: 'thead' }, { children: [{ children: [{ tag: 'td', align: 'right' }] }] }] },
    ]);
  });

  test('nesting without end stays text instead of ending the page', () => {
    const deep = `${'> '.repeat(200)}x`;
    expect(textOf(tree(deep))).toContain('x');
  });
});
