import { describe, expect, test } from 'vitest';
import { connectionNote, isMissing } from '../../src/web/state/connection.ts';
import { hrefOf, parseRoute } from '../../src/web/state/router.ts';
import { briefTime } from '../../src/web/state/words.ts';
import { lengthNote } from '../../src/web/composer/length.ts';

describe('what is said about the connection', () => {
  const waiting = { connection: 'waiting', retryAt: 12_000, lastError: null } as const;

  test('nothing while all is well', () => {
    expect(connectionNote({ connection: 'live', retryAt: null, lastError: null }, true, 0)).toEqual({
      state: 'live',
      text: '',
      action: null,
    });
  });

  test('when the next try comes, and a way not to wait for it', () => {
    expect(connectionNote(waiting, true, 9_500)).toMatchObject({ text: 'Reconnecting in 3 s', action: 'retry' });
    expect(connectionNote(waiting, true, 12_500)).toMatchObject({ text: 'Reconnecting…' });
  });

  test('offline says that nothing is lost', () => {
    expect(connectionNote(waiting, false, 0)).toMatchObject({ state: 'offline', text: /kept and sent later/ });
  });

  test('an outdated page is to be loaded again, a missing chat is a page of its own', () => {
    const lastError = { code: 'protocol_version', message: 'x' } as const;
    expect(connectionNote({ connection: 'closed', retryAt: null, lastError }, true, 0).action).toBe('reload');
    expect(isMissing({ connection: 'closed', lastError: { code: 'session_not_found', message: 'x' } })).toBe(true);
    expect(isMissing({ connection: 'waiting', lastError: { code: 'session_not_found', message: 'x' } })).toBe(false);
  });
});

describe('the address', () => {
  test('names a session and one message of it', () => {
    expect(parseRoute('#/s/s_0af')).toEqual({ session: 's_0af', seq: null });
    expect(parseRoute(hrefOf('s_0af', 12))).toEqual({ session: 's_0af', seq: 12 });
  });

  test.each(['', '#/', '#/s/', '#/s/../x', '#/s/a%2f', '#/s/a/b', '#/operator'])('%s is a new chat', (hash) => {
    expect(parseRoute(hash)).toEqual({ session: null, seq: null });
  });
});

describe('the length of a message', () => {
  test('is said near the limit, in bytes as the server counts them', () => {
    expect(lengthNote('a'.repeat(80), 100)).toEqual({ text: '', tooLong: false });
    expect(lengthNote('a'.repeat(95), 100)).toEqual({ text: '5 bytes left', tooLong: false });
    expect(lengthNote('é'.repeat(50), 100)).toEqual({ text: '0 bytes left', tooLong: false });
    expect(lengthNote('é'.repeat(51), 100)).toEqual({ text: 'Too long by 2 bytes', tooLong: true });
  });
});

test('times in lists are short', () => {
  const now = new Date(2026, 5, 15, 12).getTime();
  expect(briefTime(now - 20_000, now)).toBe('now');
  expect(briefTime(now + 5_000, now)).toBe('now');
  expect(briefTime(now - 5 * 60_000, now)).toBe('5 min');
  expect(briefTime(new Date(2025, 5, 15).getTime(), now)).toContain('2025');
});
