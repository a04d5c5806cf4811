import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDelta, emptyAnswer } from '../../src/client/answer.ts';
import type { Running } from '../../src/client/types.ts';
import { delta } from './support/fake-server.ts';

describe('answer = answer.slice(0, offset) + text, per turn, attempt and channel', () => {
  const held: Running = { turn: 1, attempt: 2, text: 'Hello', thinking: 'hm' };
  const textOf = (result: ReturnType<typeof applyDelta>): string | null =>
    result.kind === 'applied' ? result.answer.text : null;

  test.each([
    ['the next piece is appended', delta(1, 5, ' you', 2), 'Hello you'],
    ['a piece that was read is read again', delta(1, 3, 'lo there', 2), 'Hello there'],
    ['an earlier offset takes back what followed', delta(1, 1, 'i', 2), 'Hi'],
    ['a newer attempt begins from nothing', delta(1, 0, 'New', 3), 'New'],
    ['another turn begins from nothing', delta(4, 0, 'Other', 1), 'Other'],
  ])('%s', (_, frame, expected) => {
    expect(textOf(applyDelta(held, frame))).toBe(expected);
  });

  test('an older attempt has nothing to say', () => {
    expect(applyDelta(held, delta(1, 5, '!', 1))).toEqual({ kind: 'stale' });
  });

  test.each([delta(1, 6, '!', 2), delta(1, 1, '!', 3), delta(9, 1, '!', 1)])(
    'a piece beyond what was read is a gap',
    (frame) => {
      expect(applyDelta(held, frame)).toEqual({ kind: 'gap' });
    },
  );

  test('channels have offsets of their own', () => {
    const result = applyDelta(held, { ...delta(1, 2, 'm?', 2), channel: 'thinking' });
    expect(result).toEqual({ kind: 'applied', answer: { ...held, thinking: 'hmm?' } });
  });

  test('any split into pieces, resumed at any earlier offset, gives the reply unit for unit', () => {
    const pieces = fc.array(fc.record({ back: fc.nat(5), length: fc.integer({ min: 1, max: 5 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), pieces, (whole, steps) => {
        let answer: Running = emptyAnswer(1, 1);
        const read = (offset: number, text: string): void => {
          // As on the wire: halves of surrogate pairs travel as JSON escapes.
          const text2: unknown = JSON.parse(JSON.stringify(text));
          const result = applyDelta(answer, delta(1, offset, String(text2)));
          if (result.kind !== 'applied') throw new Error(result.kind);
          ({ answer } = result);
        };
        for (const { back, length } of steps) {
          const offset = Math.max(0, answer.text.length - back);
          read(offset, whole.slice(offset, offset + length));
          expect(whole.startsWith(answer.text)).toBe(true);
        }
        read(answer.text.length, whole.slice(answer.text.length));
        expect(answer.text).toBe(whole);
      }),
    );
  });
});
