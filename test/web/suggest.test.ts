import { describe, expect, test } from 'vitest';
import { isComplete, suggest } from '../../src/web/composer/suggest.ts';
import { matchingBots, stateWords } from '../../src/web/state/bot-words.ts';
import { ordinal, waitSentence, waitStep } from '../../src/web/state/waiting.ts';
import type { TurnWait } from '../../src/protocol/server-frames.ts';
import { manyBots } from './harness/bots.ts';

const BOTS = manyBots(1_000);
const inserts = (before: string) => suggest(before, BOTS)?.items.map(({ insert }) => insert);

describe('suggestions', () => {
  test('bots after @, commands after /, ids after /bot, formats after /export; nothing else', () => {
    expect(inserts('@cod')).toEqual(['@coder ']);
    expect(inserts('/st')).toEqual(['/status', '/stop']);
    expect(inserts('/ti')).toEqual(['/title ']);
    expect(inserts('/bot owl')).toEqual(['/bot night-owl']);
    expect(inserts('/export j')).toEqual(['/export json']);
    for (const text of ['', 'a', 'a @cod', '@coder ', '@coder why', '//st', '/status ', '/etc/']) {
      expect(suggest(text, BOTS), text).toBeNull();
    }
  });

  test('Enter runs a command that stands there complete, and never takes a bot that nothing was typed for', () => {
    const first = (text: string) => suggest(text, BOTS)?.items[0];
    const runs = (text: string) => {
      const item = first(text);
      return item !== undefined && isComplete(text, item);
    };
    expect([runs('/status'), runs('/BOT'), runs('/bot coder')]).toEqual([true, true, true]);
    expect([runs('/stat'), runs('/title'), runs('@coder')]).toEqual([false, false, false]);
    expect(suggest('/bot ', BOTS)?.eager).toBe(false);
    expect(suggest('/bot c', BOTS)?.eager).toBe(true);
  });

  test('of a thousand bots a few are offered, those that begin with what was typed first', () => {
    expect(suggest('@', BOTS)?.items).toHaveLength(40);
    expect(inserts('@helper-99')?.slice(0, 2)).toEqual(['@helper-99 ', '@helper-990 ']);
    expect(matchingBots(BOTS, 'QWEN').map(({ id }) => id)).toEqual(['coder']);
    expect(matchingBots(BOTS, 'owl llama').map(({ id }) => id)).toEqual(['night-owl']);
  });
});

test('a bot that answers needs no word about its state; a state that is not known yet gets none', () => {
  const words = (state: string, available: boolean | null = true) => stateWords({ state, available });
  expect(['running', 'stopped', 'paused', 'starting', 'degraded', 'newer'].map((state) => words(state))).toEqual([
    '',
    'stopped',
    'paused',
    'starting',
    'not reachable',
    '',
  ]);
  expect(words('running', false)).toBe('not installed');
});

describe('a turn that waits', () => {
  test('places are counted as people count', () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map(ordinal).join(' ')).toBe(
      '1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 103rd 111th',
    );
  });

  test('every reason has a sentence of its own that names the bot', () => {
    const reasons: TurnWait['reason'][] = ['line', 'stopped', 'paused', 'endpoint', 'rate'];
    const sentences = reasons.map((reason) => waitSentence({ reason, place: 2 }, 'Coder'));
    expect(new Set(sentences).size).toBe(reasons.length);
    for (const sentence of sentences) expect(sentence).toContain('Coder');
    expect(waitSentence({ reason: 'line', place: 1 }, 'Coder')).toBe('Next in line for Coder.');
    expect(waitSentence({ reason: 'line', place: 0 }, 'Coder')).toBe('Waiting in line for Coder.');
  });

  test('a step in a line is not news, being next and another reason are', () => {
    const steps = [9, 8, 2, 1].map((place) => waitStep({ reason: 'line', place }));
    expect(steps).toEqual(['line', 'line', 'line', 'next']);
    expect(waitStep({ reason: 'stopped', place: 1 })).toBe('stopped');
  });
});
