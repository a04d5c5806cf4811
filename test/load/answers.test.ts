/** The load tools against the real Worker, small: a figure is worth nothing if what it counts is not counted right. */
import { expect, test } from 'vitest';
import { answers } from '../../load/scenarios/answers.ts';
import type { Figure } from '../../load/scenario.ts';

const SECONDS = 2;
const USERS = 5;

test('answers: every message is counted, none lost, in memory, over HTTP and in D1', { timeout: 90_000 }, async () => {
  const lines: string[] = [];
  const { figures, gates } = await answers.run({
    full: false,
    seconds: SECONDS,
    users: USERS,
    tokens: null,
    state: null,
    url: null,
    signal: new AbortController().signal,
    progress: (line) => void lines.push(line),
  });

  const missed = gates.filter(({ name, ok }) => !ok && !name.includes('ratio'));
  expect(missed).toEqual([]);
  const groups = [...new Set(figures.map(({ group }) => group))];
  expect(groups).toEqual(['each token in its own write', 'all tokens in one write']);
  for (const group of groups) {
    const value = (name: string, subject = 'Switchboard'): Figure['value'] | undefined =>
      figures.find((figure) => figure.group === group && figure.subject === subject && figure.name === name)?.value;
    expect(value('messages sent')).toBeGreaterThanOrEqual(USERS);
    expect(value('messages acknowledged')).toBe(value('messages sent'));
    expect(value('messages answered')).toBe(value('messages sent'));
    expect(value('messages lost')).toBe(0);
    // A question and its answer.
    expect(value('history rows in D1 per answer')).toBe(2);
    expect(value('acknowledged p50')).toBeGreaterThan(0);
    expect(value('first token p50')).toBeGreaterThan(0);
    // Of the 20 tokens a frame each, and the end.
    expect(value('frames per answer', 'bare object, each token')).toBe(21);
    expect(value('frames per answer', 'bare object, whole answer')).toBe(1);
  }
  expect(lines.some((line) => line.includes('round 1 of 1, Switchboard'))).toBe(true);
});
