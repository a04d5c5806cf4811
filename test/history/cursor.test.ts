import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/history/cursor.ts';

const place = fc.record({ at: fc.maxSafeNat(), key: fc.maxSafeNat() });

test('a cursor comes back as the place it was made from, and fits into a URL as it is', () => {
  fc.assert(
    fc.property(fc.constantFrom('sessions' as const, 'search' as const), place, (kind, where) => {
      const cursor = encodeCursor(kind, where);
      expect(cursor).toMatch(/^[\w-]+$/);
      expect(decodeCursor(kind, cursor)).toEqual(where);
    }),
  );
});

test('anything else is a bad_request, never another error', () => {
  const json = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), json), (cursor) => {
      expect(() => decodeCursor('sessions', cursor)).toThrow(expect.objectContaining({ code: 'bad_request' }));
    }),
  );
});

test('a cursor of one list is not one of another', () => {
  const cursor = encodeCursor('sessions', { at: 1, key: 2 });
  expect(() => decodeCursor('search', cursor)).toThrow(expect.objectContaining({ code: 'bad_request' }));
});
