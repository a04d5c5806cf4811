import { describe, expect, test } from 'vitest';
import { LineBuffer, MAX_LINE_BYTES } from '../../src/responders/lines.ts';
import { SurrogateJoiner } from '../../src/responders/pieces.ts';
import { TurnFailure } from '../../src/responders/port.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function linesOf(reads: readonly Uint8Array[], maxLineBytes?: number): string[] {
  const buffer = new LineBuffer(maxLineBytes);
  const lines: string[] = [];
  for (const read of reads) {
    buffer.push(read);
    for (let line = buffer.next(); line !== null; line = buffer.next()) lines.push(line);
  }
  return [...lines, buffer.end()];
}

describe('LineBuffer', () => {
  test('gives the same lines for a cut at every byte, through characters of every width', () => {
    const bytes = bytesOf('a\nzwölf €\n\n🦜 語\nrest');
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(linesOf([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(['a', 'zwölf €', '', '🦜 語', 'rest']);
    }
  });

  test('gives the same lines for reads of one byte', () => {
    const bytes = bytesOf('ä\n🦜\nend\n');
    expect(linesOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(['ä', '🦜', 'end', '']);
  });

  test('a character cut off by the end of the stream becomes U+FFFD', () => {
    expect(linesOf([bytesOf('a🦜').slice(0, 3)])).toEqual(['a\ufffd']);
  });

  test.each([
    ['in one read', ['x'.repeat(11) + '\n']],
    ['in one read after a good line', ['ok\n' + 'x'.repeat(11) + '\nok\n']],
    ['over reads', ['ok\nxxxx', 'xxxx', 'xxx\n']],
    ['over reads, in bytes and not characters', ['ok\nääää', 'ääää']],
    ['without ever ending', ['xxxxxxxxxxx']],
  ])('a line over the bound is refused: %s', (_, reads) => {
    expect(() => linesOf(reads.map(bytesOf), 10)).toThrow(TurnFailure);
  });

  test('a line of exactly the bound passes, and lines before it do not count', () => {
    expect(linesOf(['ok\n', 'xxxxx', 'xxxxx\nxx'].map(bytesOf), 10)).toEqual(['ok', 'xxxxxxxxxx', 'xx']);
  });

  test('a long line in small reads costs linear time', () => {
    const read = new Uint8Array(1024).fill(0x61);
    const reads = Array.from({ length: MAX_LINE_BYTES / read.length }, () => read);
    const startedAt = performance.now();
    const [line] = linesOf(reads);
    expect(line).toHaveLength(MAX_LINE_BYTES);
    // Searching the whole line again at each read would copy 32 GB.
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('SurrogateJoiner', () => {
  test('a pair cut between two pieces comes out whole, in the second', () => {
    const joiner = new SurrogateJoiner();
    expect(joiner.push('a\ud83e', false)).toBe('a');
    expect(joiner.push('', false)).toBe('');
    expect(joiner.push('\udd9cb', false)).toBe('🦜b');
  });

  test.each([
    ['a first half without its second', ['a\ud83e', 'b'], 'a\ufffdb'],
    ['a first half at the very end', ['a\ud83e', ''], 'a\ufffd'],
    ['a first half in the last piece', ['', 'a\ud83e'], 'a\ufffd'],
    ['a second half without its first', ['\udd9ca', ''], '\ufffda'],
    ['two first halves', ['\ud83e', '\ud83e\udd9c'], '\ufffd🦜'],
  ])('%s becomes U+FFFD', (_, pieces, whole) => {
    const joiner = new SurrogateJoiner();
    expect(pieces.map((piece, index) => joiner.push(piece, index === pieces.length - 1)).join('')).toBe(whole);
  });
});
