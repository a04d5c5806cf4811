/** Arbitrary commands for property tests: few ids and turns, so that they meet each other. */
import fc from 'fast-check';
import type { LogRecord } from '../../src/protocol/records.ts';
import type { Command } from '../../src/session/command.ts';

export type Step =
  | { do: 'send'; id: string; text: string; priority: number }
  | { do: 'edit' | 'cancel'; id: string }
  | { do: 'stop' | 'finish' | 'fail' | 'regenerate'; turn: number; attempt: number; baseSeq: number }
  | { do: 'recover' }
  | { do: 'update'; title: string };

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const small = fc.integer({ min: 1, max: 12 });

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('send' as const), id, text: fc.constantFrom('x', 'y'), priority: fc.nat(2) }),
    fc.record({ do: fc.constantFrom('edit' as const, 'cancel' as const), id }),
    fc.record({
      do: fc.constantFrom('stop' as const, 'finish' as const, 'fail' as const, 'regenerate' as const),
      turn: small,
      attempt: fc.integer({ min: 1, max: 3 }),
      baseSeq: fc.integer({ min: 1, max: 30 }),
    }),
    fc.record({ do: fc.constant('recover' as const) }),
    fc.record({ do: fc.constant('update' as const), title: fc.constantFrom('p', 'q') }),
  ),
  { maxLength: 60 },
);

const usage = { promptTokens: 0, answerTokens: 0, firstTokenMs: 0, totalMs: 0 };

/** The command of a step, with what the shell would have looked up in the log. */
export function commandOf(step: Step, log: readonly LogRecord[]): Command {
  switch (step.do) {
    case 'send': {
      const prior = log.find((record) => record.kind === 'message' && record.id === step.id);
      const { id, text, priority } = step;
      return {
        type: 'send',
        id,
        text,
        priority,
        prior: prior?.kind === 'message' ? { seq: prior.seq, text: prior.text } : null,
      };
    }
    case 'edit':
      return { type: 'edit', id: step.id, text: 'edited' };
    case 'cancel':
      return { type: 'cancel', id: step.id };
    case 'stop':
      return { type: 'stop', turn: step.turn, partial: { text: 'part' } };
    case 'finish': {
      const { turn, attempt } = step;
      return {
        type: 'finish',
        outcome: { kind: 'reply', turn, attempt, text: 'answer', model: 'm', finish: 'stop', usage },
      };
    }
    case 'fail': {
      const { turn, attempt } = step;
      return {
        type: 'finish',
        outcome: { kind: 'failed', turn, attempt, text: '', code: 'endpoint_error', message: 'no' },
      };
    }
    case 'regenerate':
      return { type: 'regenerate', turn: step.turn, baseSeq: step.baseSeq };
    case 'recover':
      return { type: 'recover' };
    case 'update':
      return { type: 'update', title: step.title };
  }
}
