import { describe, expect, test } from 'vitest';
import type { PromptMessage } from '../../src/responders/port.ts';
import { buildPrompt, estimateTokens } from '../../src/responders/prompt.ts';

/** Turns of 2 messages, each message 10 tokens by the estimate (20 characters and the overhead). */
function turns(count: number): PromptMessage[] {
  return Array.from({ length: count }, (_, turn): PromptMessage[] => [
    { role: 'user', text: `question ${turn}`.padEnd(20) },
    { role: 'assistant', text: `answer ${turn}`.padEnd(20) },
  ]).flat();
}

const texts = (prompt: readonly PromptMessage[]): string[] => prompt.map(({ text }) => text.trim());

describe('estimateTokens', () => {
  test.each([
    ['', 5],
    ['a', 6],
    ['12345678', 7],
    ['漢字', 7],
    ['🦜🦜', 7],
    ['é', 6],
    ['1234漢', 7],
  ])('%j takes %d tokens with its overhead', (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });
});

describe('buildPrompt', () => {
  const parts = { system: 'sys', user: 'now', contextTokens: 1_000, answerTokens: 100 };

  test('system prompt first, then history in order, then the newest message', () => {
    const prompt = buildPrompt({ ...parts, history: turns(2) });
    expect(texts(prompt)).toEqual(['sys', 'question 0', 'answer 0', 'question 1', 'answer 1', 'now']);
    expect(prompt.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user', 'assistant', 'user']);
  });

  test('an empty system prompt is not sent', () => {
    expect(buildPrompt({ ...parts, system: '', history: [] })).toEqual([{ role: 'user', text: 'now' }]);
  });

  test('the budget is num_ctx less the room for the answer, filled with the newest whole turns', () => {
    // 6 for the system prompt, 6 for the message: 12 + 2 turns of 20 = 52.
    const budgeted = (contextTokens: number) => texts(buildPrompt({ ...parts, contextTokens, history: turns(5) }));
    expect(budgeted(152)).toEqual(['sys', 'question 3', 'answer 3', 'question 4', 'answer 4', 'now']);
    expect(budgeted(151)).toEqual(['sys', 'question 4', 'answer 4', 'now']);
    expect(budgeted(171)).toEqual(['sys', 'question 3', 'answer 3', 'question 4', 'answer 4', 'now']);
    expect(budgeted(172)).toHaveLength(8);
  });

  test('system prompt and newest message are sent even when they alone are over the budget', () => {
    const prompt = buildPrompt({ ...parts, user: 'x'.repeat(10_000), history: turns(5) });
    expect(prompt.map(({ role }) => role)).toEqual(['system', 'user']);
  });

  test('a turn that is too long ends the history: no gap', () => {
    const history = [
      ...turns(1),
      { role: 'user', text: 'x'.repeat(9_000) } as const,
      { role: 'assistant', text: 'a' } as const,
    ];
    expect(texts(buildPrompt({ ...parts, history }))).toEqual(['sys', 'now']);
  });

  test('a turn without an answer and an answer without a question are turns of their own', () => {
    const history: PromptMessage[] = [
      { role: 'assistant', text: 'welcome' },
      { role: 'user', text: 'unanswered' },
      ...turns(1),
    ];
    expect(texts(buildPrompt({ ...parts, history }))).toEqual([
      'sys',
      'welcome',
      'unanswered',
      'question 0',
      'answer 0',
      'now',
    ]);
    const tight = buildPrompt({ ...parts, history, contextTokens: 140 });
    expect(texts(tight)).toEqual(['sys', 'unanswered', 'question 0', 'answer 0', 'now']);
  });

  test('looks at no more of the history than it keeps, and one message', () => {
    let looked = 0;
    const history = new Proxy(turns(10_000), {
      get(target, name, receiver) {
        if (typeof name === 'string' && /^\d+$/.test(name)) looked++;
        return Reflect.get(target, name, receiver);
      },
    });
    const kept = buildPrompt({ ...parts, history }).length - 2;
    expect(kept).toBeGreaterThan(50);
    expect(looked).toBeLessThan(kept * 2 + 5);
  });
});
