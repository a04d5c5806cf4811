import { expect, it } from 'vitest';
import { botState, desiredAfter } from '../../src/bots/bot-state.ts';

it('is what the operator wants, and while that is running what the endpoint allows', () => {
  expect(botState('stopped', true, true)).toBe('stopped');
  expect(botState('paused', true, true)).toBe('paused');
  expect(botState('running', true, true)).toBe('starting');
  expect(botState('running', false, true)).toBe('degraded');
  expect(botState('running', false, false)).toBe('running');
});

it('B6: every action leads to one state, wherever it begins; what is stopped is launched, not paused or resumed', () => {
  for (const from of ['running', 'paused', 'stopped'] as const) {
    expect(desiredAfter(from, 'launch')).toBe('running');
    expect(desiredAfter(from, 'stop')).toBe('stopped');
  }
  expect([desiredAfter('running', 'pause'), desiredAfter('paused', 'pause')]).toEqual(['paused', 'paused']);
  expect([desiredAfter('running', 'resume'), desiredAfter('paused', 'resume')]).toEqual(['running', 'running']);
  expect([desiredAfter('stopped', 'pause'), desiredAfter('stopped', 'resume')]).toEqual([null, null]);
});
