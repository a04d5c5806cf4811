import { describe, expect, test } from 'vitest';
import type { PromptMessage } from '../../src/responders/port.ts';
import { buildPrompt, estimateTokens, type PromptTurn } from '../../src/responders/prompt.ts';

/** Turns, newest first, of 2 messages with 10 tokens each by the estimate (20 characters and the overhead). */
function turns(count: number): PromptTurn[] {
  return Array.from({ length: count }, (_, turn) => ({
    user: `question ${turn}`.padEnd(20),
    bot: `answer ${turn}`.padEnd(20),
  })).toReversed();
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
    const history = [{ user: 'x'.repeat(9_000), bot: 'a' }, ...turns(1)];
    expect(texts(buildPrompt({ ...parts, history }))).toEqual(['sys', 'now']);
  });

  test('a question that got no answer is sent without one', () => {
    const history = [...turns(1), { user: 'unanswered', bot: '' }];
    expect(texts(buildPrompt({ ...parts, history }))).toEqual(['sys', 'unanswered', 'question 0', 'answer 0', 'now']);
  });

  test('a turn is counted once, in which the next prompt takes it at its word', () => {
    const history = turns(2);
    buildPrompt({ ...parts, history });
    expect(history.map(({ tokens }) => tokens)).toEqual([20, 20]);
    for (const turn of history) turn.tokens = 1_000;
    expect(texts(buildPrompt({ ...parts, history }))).toEqual(['sys', 'now']);
  });

  test('what was counted for one prompt holds for the next, whatever its budget', () => {
    const history = [...turns(5), { user: 'unanswered', bot: '' }, { user: '漢字', bot: '🦜' }];
    for (const contextTokens of [152, 200, 1_000, 130]) {
      const fresh = history.map(({ user, bot }) => ({ user, bot }));
      expect(buildPrompt({ ...parts, contextTokens, history })).toEqual(
        buildPrompt({ ...parts, contextTokens, history: fresh }),
      );
    }
  });

  test('reads no more of the history than it keeps, and one turn', () => {
    let read = 0;
    function* endless(): Generator<PromptTurn> {
      for (;;) {
        read += 1;
        yield { user: 'question'.padEnd(20), bot: 'answer'.padEnd(20) };
      }
    }
    const kept = (buildPrompt({ ...parts, history: endless() }).length - 2) / 2;
    expect(kept).toBeGreaterThan(40);
    expect(read).toBe(kept + 1);
  });
});
