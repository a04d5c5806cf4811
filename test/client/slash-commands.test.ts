import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { begunMention } from '../../src/client/mentions.ts';
import { parseInput, SLASH_COMMANDS, suggestedCommands } from '../../src/client/slash-commands.ts';
import { MAX_TITLE_LENGTH } from '../../src/protocol/limits.ts';
import { BOT_ID_PATTERN } from '../../src/protocol/ids.ts';
import { mentionIn } from '../../src/protocol/mention.ts';

const command = (text: string) => {
  const input = parseInput(text);
  return input.kind === 'command' ? input.command : input;
};
const sentAs = (text: string) => {
  const input = parseInput(text);
  return input.kind === 'message' ? input.text : input;
};
const reason = (text: string) => {
  const input = parseInput(text);
  return input.kind === 'problem' ? input.reason : input;
};

describe('commands', () => {
  test.each([
    ['/help', { name: 'help' }],
    ['/HELP ', { name: 'help' }],
    ['/status\n', { name: 'status' }],
    ['/stop', { name: 'stop' }],
    ['/bot', { name: 'bot', bot: null }],
    ['/bot coder', { name: 'bot', bot: 'coder' }],
    ['/bot  @Coder ', { name: 'bot', bot: 'coder' }],
    ['/title  Notes on tides ', { name: 'title', title: 'Notes on tides' }],
    ['/export', { name: 'export', format: 'markdown' }],
    ['/export md', { name: 'export', format: 'markdown' }],
    ['/export JSON', { name: 'export', format: 'json' }],
  ])('%j is one', (text, expected) => {
    expect(command(text)).toEqual(expected);
  });

  test.each([
    ['/title', 'needs the new title'],
    [`/title ${'x'.repeat(MAX_TITLE_LENGTH + 1)}`, 'at most'],
    ['/bot two words', 'the id of one bot'],
    ['/bot x', 'the id of one bot'],
    ['/export pdf', 'markdown or json'],
    ['/status of my order?', 'Nothing follows /status'],
    ['/help\nand more', '/help is one line'],
    ['/dance', 'no command /dance'],
    ['/etc', 'Type //etc to send it as text'],
    ['/stat', 'Did you mean /status?'],
    ['/größe', 'no command /größe'],
  ])('%j is not sent but explained', (text, words) => {
    expect(reason(text)).toContain(words);
  });
});

describe('text that begins with a slash', () => {
  test.each([
    '/',
    '/ 2 of 3',
    '/etc/hosts is empty',
    '/help/me',
    '/2024 was long',
    '/?',
    '// a comment',
    '//cdn.example/x.js',
    '//',
    '/usr/bin/env node\nprint()',
    '/someword\nand what was pasted with it',
    ' /help',
    'see /help',
  ])('%j is sent as it is', (text) => {
    expect(sentAs(text)).toBe(text);
  });

  test.each([
    ['//help', '/help'],
    ['///help', '//help'],
    ['//dance with me', '/dance with me'],
    ['//help\nis what I typed', '/help\nis what I typed'],
  ])('%j says with one more slash that it is meant as text', (text, sent) => {
    expect(sentAs(text)).toBe(sent);
  });

  test('whatever text there is can be sent: as it is, or with one more slash before it', () => {
    const texts = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('/', '//', '///'), fc.constantFrom('help', 'x', 'etc/hosts', ' a', 'bot a\nb'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect([sentAs(text), sentAs(`/${text}`)]).toContain(text);
      }),
    );
  });

  test('thousands of slashes are read at once', () => {
    expect(sentAs('/'.repeat(30_000))).toBe('/'.repeat(30_000));
  });
});

test('commands are offered while their name is typed, and no longer', () => {
  const names = (text: string) => suggestedCommands(text)?.map(({ name }) => name);
  expect(names('/')).toEqual(SLASH_COMMANDS.map(({ name }) => name));
  expect(names('/ST')).toEqual(['status', 'stop']);
  expect(names('/zzz')).toEqual([]);
  for (const text of ['', 'a', '//', '/ ', '/stop ', '/etc/']) expect(names(text), text).toBeUndefined();
});

describe('mentions', () => {
  test('one is the beginning of a message, and nothing else', () => {
    for (const text of ['@coder why?', '@Coder: why?']) expect(mentionIn(text)).toEqual({ bot: 'coder', rest: 'why?' });
    for (const text of ['@x', '@coder.example', 'ask @coder', ' @coder', '@', '@-a']) {
      expect(mentionIn(text), text).toBeNull();
    }
  });

  test('any bot can be named, and nothing that is no id', () => {
    const ids = fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,47}$/);
    fc.assert(
      fc.property(ids, (bot) => {
        expect(mentionIn(`@${bot} why?`)).toEqual({ bot, rest: 'why?' });
      }),
    );
    const texts = fc
      .tuple(
        fc.constantFrom('@', '@@', ' @', ''),
        fc.stringMatching(/^[a-zA-Z0-9-]{0,50}$/),
        fc.constantFrom('', ' a', ',', ':b', '.', '\n', '!'),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        expect(mentionIn(text)?.bot ?? 'nobody').toMatch(BOT_ID_PATTERN);
      }),
    );
  });

  test('bots are offered while one is typed', () => {
    expect(begunMention('@')).toBe('');
    expect(begunMention('@Co')).toBe('Co');
    for (const text of ['', 'a@', '@co ', '@co.']) expect(begunMention(text), text).toBeNull();
  });
});
