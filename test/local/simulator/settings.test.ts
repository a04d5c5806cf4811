import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator } from '../../../src/local/simulator/server.ts';
import type { Simulator } from '../../../src/local/simulator/server.ts';
import { NUMBER_SETTINGS, parseSettings, takeDirective } from '../../../src/local/simulator/settings.ts';
import { answerTokens, tokenize } from '../../../src/local/simulator/text.ts';
import { raw } from './raw.ts';

const folder = new URL('../../../src/local/simulator/', import.meta.url);
let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ tokens: 1 });
});
afterAll(() => simulator.close());

async function tokens(content: string, options: object = {}, headers: Record<string, string> = {}): Promise<unknown> {
  const messages = [{ role: 'user', content }];
  const answer = await raw(simulator.url, { body: { model: 'simulator', stream: false, messages, options }, headers });
  const body: unknown = JSON.parse(answer.body);
  return typeof body === 'object' && body !== null && 'eval_count' in body ? body.eval_count : body;
}

describe('precedence', () => {
  test('body beats header beats message beats defaults', async () => {
    const header = { 'x-simulator': '{"tokens":3}' };
    expect(await tokens('x')).toBe(1);
    expect(await tokens('x [[sim tokens=2]]')).toBe(2);
    expect(await tokens('x [[sim tokens=2]]', {}, header)).toBe(3);
    expect(await tokens('x [[sim tokens=2]]', { simulator: { tokens: 4 } }, header)).toBe(4);
    expect(await tokens('x', {}, { 'x-simulator': 'tokens=5 firstTokenMs=1' })).toBe(5);
  });

  test('only the last user message is looked at, and the directive is not echoed', async () => {
    const messages = [
      { role: 'user', content: '[[sim tokens=9]]' },
      { role: 'assistant', content: '[[sim tokens=8]]' },
      { role: 'user', content: 'Hello [[sim tokens=40]]' },
    ];
    const answer = await raw(simulator.url, { body: { model: 'simulator', stream: false, messages } });
    const body = JSON.parse(answer.body);
    expect(body.eval_count).toBe(40);
    expect(body.message.content).toContain('> Hello\n');
  });
});

describe('bad settings are refused by name', () => {
  test.each([
    ['tokenz=3', "unknown simulator setting 'tokenz'"],
    ['tokens=-1', "simulator setting 'tokens' must be a number from 0 to 100000"],
    ['tokens=1.5', "'tokens' must be"],
    ['tokens=', "'tokens' must be"],
    ['tokenMs=1e99', "'tokenMs' must be"],
    ['{"tokens":', 'not valid JSON'],
    ['__proto__=1', "unknown simulator setting '__proto__'"],
  ])('%s', async (header, message) => {
    expect(await tokens('x', {}, { 'x-simulator': header })).toEqual({ error: expect.stringContaining(message) });
  });

  test('a server with a wrong option does not start', async () => {
    await expect(startSimulator({ tokens: -1 })).rejects.toThrow('tokens');
  });
});

test('values may be quoted, faults are separated by commas', () => {
  const { settings, text } = takeDirective('a [[sim fault=error@2:"out of memory",crlf tokens=2]] b');
  expect(settings).toEqual({
    tokens: 2,
    faults: [{ name: 'error', at: 2, message: 'out of memory' }, { name: 'crlf' }],
  });
  expect(text).toBe('a  b');
  expect(parseSettings({ fault: ['cut', 'crlf'] }).faults).toHaveLength(2);
  expect(parseSettings('fault=none')).toEqual({ faults: [] });
});

describe('answers', () => {
  const question = { model: 'simulator', text: 'Why? 🙂', systemLength: null, messages: 1, images: 0 };

  test('have exactly the tokens asked for, are the same each time, and say what they are first', () => {
    for (const count of [0, 1, 7, 200, 5_000]) expect(answerTokens(question, count)).toHaveLength(count);
    expect(answerTokens(question, 500)).toEqual(answerTokens(question, 500));
    expect(answerTokens(question, null).join('')).toMatch(/^\*\*Simulated answer:\*\* no language model runs here/);
    expect(answerTokens(question, 200)).not.toEqual(answerTokens({ ...question, text: 'other' }, 200));
  });

  test('tokens join to the text, and never cut a character', () => {
    const text = '\n a\u{1F642}b  '.repeat(20) + '\u{1F642}'.repeat(40);
    expect(tokenize(text).join('')).toBe(text);
    for (const token of tokenize(text)) expect(token.isWellFormed()).toBe(true);
  });

  test('a lone surrogate in the question does no harm', async () => {
    expect(await tokens('\uD83D', { simulator: { tokens: 60 } })).toBe(60);
  });
});

test('every setting stands in the README, and the folder imports nothing from elsewhere', async () => {
  const readme = await readFile(new URL('README.md', folder), 'utf8');
  for (const name of Object.keys(NUMBER_SETTINGS)) expect(readme).toContain(`\`${name}\``);
  for (const file of await readdir(folder)) {
    const source = await readFile(new URL(file, folder), 'utf8');
    for (const [, from] of source.matchAll(/^import .* from ['"](.*)['"];$/gm)) {
      expect(from, file).toMatch(/^(node:|\.\/)/);
    }
  }
});
