/** Planted bugs in what is decided and remembered. */
import { bug, type Mutant } from './mutant.ts';

export const CORE_MUTANTS: readonly Mutant[] = [
  bug(
    'the same id with another text is accepted',
    'session/transition.ts',
    `prior.text === text ? [] : refuse('id_conflict', 'This id belongs to another message.', id)`,
    `[]`,
  ),
  bug(
    'a message sent twice is two',
    'session/transition.ts',
    'if (prior) return',
    'if (prior && prior.text !== text) return',
  ),
  bug(
    'one more than the queue holds',
    'session/transition.ts',
    'state.waiting.length >= MAX',
    'state.waiting.length > MAX',
  ),
  bug(
    'the running message can be cancelled',
    'session/transition.ts',
    'const waiting = state.waiting.find(',
    'const waiting = [...state.waiting, ...(state.running ? [state.running] : [])].find(',
  ),
  bug('stop ends whatever runs', 'session/transition.ts', 'if (running?.turn !== command.turn)', 'if (!running)'),
  bug('regenerate ignores baseSeq', 'session/transition.ts', 'command.baseSeq < last.seq', 'command.baseSeq < 0'),
  bug(
    'regenerate while another turn runs',
    'session/transition.ts',
    'if (state.running || last?.turn',
    'if (last?.turn',
  ),
  bug('regenerate keeps the attempt', 'session/transition.ts', 'attempt: last.attempt + 1', 'attempt: last.attempt'),
  bug(
    'restart keeps the attempt',
    'session/transition.ts',
    `kind: 'restarted', turn, attempt: attempt + 1`,
    `kind: 'restarted', turn, attempt`,
  ),
  bug('restarts without end', 'session/transition.ts', 'restarts < MAX_RESTARTS', 'restarts < 1_000'),
  bug('gives up too early', 'session/transition.ts', 'restarts < MAX_RESTARTS', 'restarts < 1'),
  bug('stop starts nothing next', 'session/transition.ts', 'if (is) effects.push', 'if (is && !was) effects.push'),
  bug(
    'no acknowledgement for a duplicate',
    'session/transition.ts',
    `if (command.type === 'send') {`,
    `if (command.type === 'send' && !command.prior) {`,
  ),
  bug('priority is ignored', 'session/evolve.ts', 'other.priority < turn.priority', 'other.priority < 0'),
  bug(
    'equal priority overtakes',
    'session/evolve.ts',
    'other.priority < turn.priority',
    'other.priority <= turn.priority',
  ),
  bug(
    'the last one in line runs first',
    'session/evolve.ts',
    'const [first, ...rest] = state.waiting;',
    'const [first, ...rest] = [...state.waiting].reverse();',
  ),
  bug(
    'cancelled turns run',
    'session/evolve.ts',
    'state.waiting.filter((waiting) => waiting.turn !== record.turn)',
    'state.waiting',
  ),
  bug('a restart forgets its number', 'session/evolve.ts', '        attempt: record.attempt,\n', ''),
  bug(
    'the last turn is forgotten',
    'session/evolve.ts',
    'last: { turn, id, attempt, seq: record.seq }',
    'last: state.last',
  ),

  bug(
    'the first in line is changed, whoever is meant',
    'session/transition.ts',
    'state.waiting.find((turn) => turn.id === command.id)',
    'state.waiting[0]',
  ),
  bug(
    'regenerate believes in a base that is not there yet',
    'session/transition.ts',
    ' || command.baseSeq > state.seq',
    '',
  ),
  bug(
    'nothing is told to end',
    'session/transition.ts',
    `if (was) effects.push({ type: 'abort', turn: was.turn, attempt: was.attempt });`,
    '',
  ),
  bug('restarts are not counted', 'session/evolve.ts', 'restarts: running.restarts + 1', 'restarts: running.restarts'),
];
